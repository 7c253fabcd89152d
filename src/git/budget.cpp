#include "git/budget.h"

#include <algorithm>
#include <chrono>

namespace orchd::git {
namespace {

using Clock = std::chrono::steady_clock;

std::optional<Clock::time_point>& latest() {
    static std::optional<Clock::time_point> at;
    return at;
}

std::int64_t left_ms() {
    return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(*latest() - Clock::now()).count());
}

}  // namespace

void limit_together(std::optional<std::int64_t> seconds) {
    latest().reset();
    if (seconds) latest() = Clock::now() + std::chrono::seconds(*seconds);
}

std::int64_t patience_ms(std::int64_t timeout_s) {
    const auto own = timeout_s * 1000;
    return latest() ? std::min(own, left_ms()) : own;
}

bool spent() { return latest() && left_ms() == 0; }

}  // namespace orchd::git
