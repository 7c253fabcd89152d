// Enum to text and back, through one table each. Values that are stored or shown are fixed: never rename one.
//
// A table is a specialisation
//     template <> inline constexpr auto enum_text<Stage> = std::to_array<std::string_view>({"analysis", …});
// whose entries stand in the order of the enumerators, which count from 0.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace orchd {

template <class E>
inline constexpr std::array<std::string_view, 0> enum_text{};

template <class E>
[[nodiscard]] constexpr std::string_view to_text(E value) {
    return enum_text<E>[static_cast<std::size_t>(value)];
}

template <class E>
[[nodiscard]] constexpr std::optional<E> from_text(std::string_view text) {
    const auto& table = enum_text<E>;
    const auto* found = std::find(table.begin(), table.end(), text);
    if (found == table.end()) return std::nullopt;
    return static_cast<E>(found - table.begin());
}

}  // namespace orchd
