// Texts put together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orchd {

// The words with `between` between each two of them.
[[nodiscard]] inline std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string all;
    std::string_view before;
    for (const auto& word : words) {
        all.append(before).append(word);
        before = between;
    }
    return all;
}

}  // namespace orchd
