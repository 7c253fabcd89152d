// What all calls of git of this process may take together (R17). A process that has a unit has one time limit, so it has one
// budget: each call, and each wait for a repository's lock, gets what is left of it at most.
#pragma once

#include <cstdint>
#include <optional>

namespace orchd::git {

// From now on; nothing takes the limit away. Not for processes that call git from several threads.
void limit_together(std::optional<std::int64_t> seconds);
// What one call that may take `timeout_s` may still take; 0 where nothing is left.
[[nodiscard]] std::int64_t patience_ms(std::int64_t timeout_s);
// Whether the limit has passed.
[[nodiscard]] bool spent();

}  // namespace orchd::git
