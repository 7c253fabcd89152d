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

// "1 project", "3 projects"
[[nodiscard]] inline std::string counted(std::size_t count, std::string_view what) {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : "s");
}

// Nothing but spaces.
[[nodiscard]] inline bool blank(std::string_view text) { return text.find_first_not_of(' ') == std::string_view::npos; }

}  // namespace orchd
