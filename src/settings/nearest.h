// "Did you mean …": the known word that a mistyped one most likely stands for.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace orchd::settings {

// How many single letters must be put in, taken out, replaced or swapped with their neighbour to make `b` of `a`.
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b);
// The nearest of `known`, the first of equals; nothing where none is near enough to be meant (a third of its letters, at least
// 2).
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);
// "; did you mean max_concurrency?", or empty.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace orchd::settings
