// Time limits of units that come from the settings (R17): the calls of git that a step, a prepare or a finish makes fit into
// its unit's limit, which lies no more than minutes behind the ceiling of a run. orchd-generator writes them over what the
// units ship with, at boot and with each daemon-reload. A run's and a deploy's own limits are kept by their launchers, below
// what their units ship with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "settings/settings.h"

namespace orchd::settings {

struct StartLimit {
    std::string_view unit;  // "orchd-step@.service"
    std::int64_t seconds;   // its TimeoutStartSec=
};
[[nodiscard]] std::vector<StartLimit> start_limits(const Settings& settings);
// The drop-in that puts the limit in force.
[[nodiscard]] std::string limit_dropin(const StartLimit& limit);

}  // namespace orchd::settings
