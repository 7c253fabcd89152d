// Time is a parameter: nothing below daemons/ reads a clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace orchd {

// One instant on both clocks. `utc_ms` (CLOCK_REALTIME) is for people and across boots; `boot_ms` (CLOCK_BOOTTIME) decides
// every age within one boot, so that a step of the wall clock kills nothing.
struct Now {
    std::int64_t utc_ms = 0;
    std::int64_t boot_ms = 0;
    std::string boot_id;  // /proc/sys/kernel/random/boot_id, lower case with dashes
};

// When something becomes due. `boot_ms` 0 is "at once", in any boot; otherwise it counts in the boot named.
struct Due {
    std::int64_t utc_ms = 0;
    std::int64_t boot_ms = 0;
    std::string boot_id;
};
[[nodiscard]] inline Due due_now(const Now& now) { return {now.utc_ms, 0, {}}; }
[[nodiscard]] inline Due due_in(const Now& now, std::int64_t ms) { return {now.utc_ms + ms, now.boot_ms + ms, now.boot_id}; }

// For what is said again while it lasts, but not each time: whether it was never said, or `every` or longer ago. If so it is
// said now: `last` becomes `now`.
template <class Time, class Span>
[[nodiscard]] bool due_again(std::optional<Time>& last, Time now, Span every) {
    if (last && now - *last < every) return false;
    last = now;
    return true;
}

}  // namespace orchd
