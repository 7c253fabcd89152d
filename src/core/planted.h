// Bugs that the simulation plants, to show that it would see them (docs/reliability.md). In every other build planted() is a
// constant: nothing of it is compiled.
#pragma once

#include <string_view>

namespace orchd {

#ifdef ORCHD_PLANTS
[[nodiscard]] bool planted(std::string_view bug);
#else
[[nodiscard]] constexpr bool planted(std::string_view) { return false; }
#endif

}  // namespace orchd
