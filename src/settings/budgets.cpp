#include "settings/budgets.h"

#include <algorithm>

namespace orchd::settings {
namespace {

constexpr std::int64_t besides_s = 60;  // for all that is no call of git
// The ceiling is the passes' to keep, which tell of it; PID 1 is there where nobody makes one.
constexpr std::int64_t behind_the_ceiling_s = 300;

// Calls of git, each of which may take git_timeout_s, waiting for another's lock included.
constexpr std::int64_t calls_of_prepare = 6, calls_of_finish = 12, calls_of_step = 6, calls_of_a_merge_round = 6;

}  // namespace

std::vector<StartLimit> start_limits(const Settings& settings) {
    const auto limit = [&](std::int64_t calls) {
        return std::min(settings.reaper_max_running_s + behind_the_ceiling_s, calls * settings.git_timeout_s + besides_s);
    };
    const auto finish = limit(calls_of_finish);
    return {{"orchd-prepare@.service", limit(calls_of_prepare)},
            {"orchd-step@.service", limit(calls_of_step + calls_of_a_merge_round * settings.merge_tries)},
            {"orchd-finish-ok@.service", finish},
            {"orchd-finish-fail@.service", finish},
            {"orchd-deploy-ok@.service", finish},
            {"orchd-deploy-fail@.service", finish}};
}

std::string limit_dropin(const StartLimit& limit) {
    return "# Written by orchd-generator from the settings git_timeout_s, merge_tries and reaper_max_running_s.\n"
           "[Service]\nTimeoutStartSec=" +
           std::to_string(limit.seconds) + "s\n";
}

}  // namespace orchd::settings
