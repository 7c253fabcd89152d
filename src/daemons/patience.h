// How long a process may wait for units that stop, so that many slow ones together hold up neither its other work nor its
// watchdog: some at once, then a tenth of the time that passes. Who is out of patience asks for the stop and looks again later.
#pragma once

#include <algorithm>
#include <cstdint>

namespace orchd::daemons {

class Patience {
public:
    static constexpr std::int64_t each_ms = 1000, at_most_ms = 5000;

    // How long the next wait may be, at this CLOCK_BOOTTIME millisecond.
    [[nodiscard]] std::int64_t left(std::int64_t now_ms) {
        left_ms_ = std::min(at_most_ms, left_ms_ + (now_ms - looked_ms_) / 10);
        looked_ms_ = now_ms;
        return std::clamp<std::int64_t>(left_ms_, 0, each_ms);
    }
    void waited(std::int64_t ms) { left_ms_ -= ms; }

private:
    std::int64_t left_ms_ = at_most_ms, looked_ms_ = 0;
};

}  // namespace orchd::daemons
