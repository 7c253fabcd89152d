// How far from one place to strike to the next, in tests that do it all over again for each.
#pragma once

#include <cstdlib>

namespace orchd::tests {

// `usual`, or 1 where ORCHD_EVERY_CALL is in the environment.
inline int stride(int usual) { return std::getenv("ORCHD_EVERY_CALL") != nullptr ? 1 : usual; }

}  // namespace orchd::tests
