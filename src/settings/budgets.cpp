#include "settings/budgets.h"

#include <algorithm>

namespace orchd::settings {
namespace {

constexpr std::int64_t besides_s = 60;  // for all that is no call of git
// The ceiling is the passes' to keep, which tell of it; PID 1 is there where nobody makes one.
constexpr std::int64_t behind_the_ceiling_s = 300;

constexpr std::int64_t git_times_of_step = 6, git_times_of_a_merge_round = 6;

std::int64_t git_times(GitUser user, const Settings& settings) {
    switch (user) {
        case GitUser::prepare:
            return git_times_of_prepare;
        case GitUser::finish:
            return git_times_of_finish;
        case GitUser::step:
            break;
    }
    return git_times_of_step + git_times_of_a_merge_round * settings.merge_tries;
}

}  // namespace

std::int64_t git_budget_s(GitUser user, const Settings& settings) {
    return std::min(settings.reaper_max_running_s + behind_the_ceiling_s - besides_s,
                    git_times(user, settings) * settings.git_timeout_s);
}

std::vector<StartLimit> start_limits(const Settings& settings) {
    const auto limit = [&](GitUser user) { return git_budget_s(user, settings) + besides_s; };
    const auto finish = limit(GitUser::finish);
    return {{"orchd-prepare@.service", limit(GitUser::prepare)},
            {"orchd-step@.service", limit(GitUser::step)},
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
