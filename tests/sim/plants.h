// The bugs that can be planted (core/planted.h).
#pragma once

#include <span>
#include <string_view>

namespace orchd::sim {

struct Plant {
    std::string_view name, what;
};
[[nodiscard]] std::span<const Plant> plants();
// From now on this one is in force; "" for none.
void plant(std::string_view name);

}  // namespace orchd::sim
