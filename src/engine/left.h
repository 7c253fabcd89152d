// What a run's launcher says of its end: STATE_DIR/left.json, written last. It comes from the run's side, so it is hostile, and
// says nothing but what the run itself loses by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace orchd::engine {

inline constexpr const char* left_file = "left.json";

struct Left {
    std::string head;                  // what its branch came to; a bundle holds it unless it is where the run began
    std::vector<std::string> reasons;  // work that could not be brought in, and why
    std::vector<std::string> told;     // what people may want to know
};
[[nodiscard]] std::string to_json(const Left& left);
// Printable lines, so many and so long as anybody reads. Errc::invalid_argument where it is no such file.
[[nodiscard]] Result<Left> left_from_json(const std::string& text);
// Nothing where there is none: the launcher did not come to write it.
[[nodiscard]] Result<std::optional<Left>> read_left(const std::string& left_dir);
// "what it left could not be brought in: A; B"; empty where there is nothing.
[[nodiscard]] std::string not_brought_in(const Left& left);

}  // namespace orchd::engine
