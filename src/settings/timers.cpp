#include "settings/timers.h"

#include <array>

namespace orchd::settings {
namespace {

constexpr std::array timers{TimerInterval{"orchd-reaper.timer", "reaper_interval_s", &Settings::reaper_interval_s, 10}};

}  // namespace

std::span<const TimerInterval> timer_intervals() { return timers; }

std::string timer_dropin(const TimerInterval& timer, const Settings& settings) {
    return "# Written by orchd-generator from the setting " + std::string(timer.key) +
           ".\n[Timer]\n"
           // An empty value takes every trigger of the unit back.
           "OnActiveSec=\nOnActiveSec=" +
           std::to_string(timer.first_s) + "s\nOnUnitActiveSec=" + std::to_string(settings.*timer.interval_s) + "s\n";
}

}  // namespace orchd::settings
