// Timers whose interval is a setting. orchd-generator writes what is set over what their units ship with; `orchctl config
// check` says where systemd has read something else.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "settings/settings.h"

namespace orchd::settings {

struct TimerInterval {
    std::string_view unit;               // "orchd-reaper.timer"
    std::string_view key;                // the setting's name
    std::int64_t Settings::*interval_s;  // time from one pass to the next
    std::int64_t first_s;                // time from the timer's start to its first pass
};
[[nodiscard]] std::span<const TimerInterval> timer_intervals();
// The drop-in that puts the interval in force.
[[nodiscard]] std::string timer_dropin(const TimerInterval& timer, const Settings& settings);

}  // namespace orchd::settings
