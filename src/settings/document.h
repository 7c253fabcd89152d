// A TOML file as a flat list of its entries, so that toml++ stays in one file. Shared by the settings and the project files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"

namespace orchd::settings {

struct Table {};  // a [table] header; its entries follow on their own
struct OtherValue {
    std::string what;
};  // a value of a type that no key of ours has: "a floating-point number", …
using Value = std::variant<Table, OtherValue, bool, std::int64_t, std::string, std::vector<std::string>>;

struct Entry {
    std::string key;  // dotted: "roles.developer.timeout_s"
    int line = 0;
    Value value;
};
// A file's text. Errc::no_such where there is no such file, io where it cannot be read.
[[nodiscard]] Result<std::string> read_text(const std::string& file);
// In the order of the file. Errc::no_such where there is no such file, io where it cannot be read, else as parse_document.
[[nodiscard]] Result<std::vector<Entry>> read_document(const std::string& file);
// `file` is for messages. Errc::invalid_argument with file and line where the text is not TOML.
[[nodiscard]] Result<std::vector<Entry>> parse_document(std::string_view text, const std::string& file);

// How a value is named in a message: "4", "\"four\"", "a list", …
[[nodiscard]] std::string shown(const Value& value);

// One thing wrong in one place, as it is printed: "FILE:LINE: KEY: what is wrong; what is allowed".
[[nodiscard]] std::string problem(const std::string& file, int line, const std::string& key, const std::string& text);

// "2G", "512M", "100K", "1T" (powers of 1024) or a plain number of bytes. Errc::invalid_argument.
[[nodiscard]] Result<std::int64_t> parse_size(std::string_view text);
[[nodiscard]] std::string size_text(std::int64_t bytes);  // the shortest such text

// A whole decimal number, perhaps with a minus before it, and nothing else. Errc::invalid_argument.
[[nodiscard]] Result<std::int64_t> parse_integer(std::string_view text);

}  // namespace orchd::settings
