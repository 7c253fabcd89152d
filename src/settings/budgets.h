// Time limits of units that come from the settings (R17): what a step, a prepare or a finish may spend in git fits into its
// unit's limit, which lies no more than minutes behind the ceiling of a run. orchd-generator writes them over what the
// units ship with, at boot and with each daemon-reload. A run's and a deploy's own limits are kept by their launchers, below
// what their units ship with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "settings/settings.h"

namespace orchd::settings {

// A process of a unit that asks a forge. What all its calls of git may take together, waiting for repositories' locks included:
// kept by the process (git/budget.h), whatever it comes to do, so that no count of its calls is assumed anywhere.
enum class GitUser { prepare, step, finish };
[[nodiscard]] std::int64_t git_budget_s(GitUser user, const Settings& settings);

// That of prepare and finish together, which work before and after a run, in times of git_timeout_s.
inline constexpr std::int64_t git_times_of_prepare = 6, git_times_of_finish = 12;
inline constexpr std::int64_t git_times_around_a_run = git_times_of_prepare + git_times_of_finish;

struct StartLimit {
    std::string_view unit;  // "orchd-step@.service"
    std::int64_t seconds;   // its TimeoutStartSec=
};
[[nodiscard]] std::vector<StartLimit> start_limits(const Settings& settings);
// The drop-in that puts the limit in force.
[[nodiscard]] std::string limit_dropin(const StartLimit& limit);

}  // namespace orchd::settings
