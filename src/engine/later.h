// A run that ended with 75 asks to come later, which is nobody's fault: it is waited for with growing back-off, until the time
// that it names where it names one, and for `defer_limit_s` at most.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/ending.h"
#include "engine/events.h"
#include "engine/ports.h"
#include "store/records.h"

namespace orchd::engine {

struct Later {
    std::optional<std::int64_t> at = {};  // UTC milliseconds, in the future
    std::string said;                     // "the developer's run asked to come later, at 2026-07-01 10:00:00 UTC"
};
// What the run left in `retry_at`. What is no time, or past, is said and counts as nothing left.
[[nodiscard]] Later read_later(const World& world, const Ended& ended);

// When the job, which is `stopping`, is to be started again, and the sentence that says so.
struct PutOff {
    std::int64_t wait_ms = 0;
    std::string why;
    bool too_long = false;  // beyond `defer_limit_s`: a person decides
};
[[nodiscard]] PutOff put_off(const settings::Settings& settings, const store::Job& job, const Now& now, double random);

}  // namespace orchd::engine
