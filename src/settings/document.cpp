#include "settings/document.h"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <limits>

namespace orchd::settings {
namespace {

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

Value text_of(const std::string& text) {
    if (text.find('\0') != std::string::npos) return OtherValue{"a text with a NUL character"};
    return text;
}

Value value_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text_of(text->get());
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* flag = node.as_boolean()) return flag->get();
    if (const auto* list = node.as_array()) {
        std::vector<std::string> texts;
        for (const auto& item : *list) {
            if (!item.is_string()) return OtherValue{"a list of other things than texts"};
            texts.push_back(item.as_string()->get());
        }
        return texts;
    }
    return OtherValue{node.is_floating_point() ? "a floating-point number" : "a date or time"};
}

void flatten(const toml::table& table, const std::string& prefix, std::vector<Entry>& entries) {
    for (const auto& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        const auto* inner = node.as_table();
        entries.push_back({key, line_of(node), inner != nullptr ? Value(Table{}) : value_of(node)});
        if (inner != nullptr) flatten(*inner, key + '.', entries);
    }
}

struct Suffix {
    char letter;
    int shift;
};
constexpr std::array suffixes{Suffix{'T', 40}, Suffix{'G', 30}, Suffix{'M', 20}, Suffix{'K', 10}};

}  // namespace

Result<std::string> read_text(const std::string& file) {
    std::ifstream in(file);
    if (!in) {
        const int reason = errno;
        return fail(reason == ENOENT ? Errc::no_such : Errc::io, file + ": " + std::strerror(reason));
    }
    std::string text;
    for (std::array<char, 4096> part{}; in.read(part.data(), part.size()), in.gcount() > 0;) {
        text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (in.bad()) return fail(Errc::io, file + ": cannot be read");
    return text;
}

Result<std::vector<Entry>> read_document(const std::string& file) {
    const auto text = read_text(file);
    if (!text) return fail(text.error());
    return parse_document(*text, file);
}

Result<std::vector<Entry>> parse_document(std::string_view text, const std::string& file) {
    try {
        const toml::table root = toml::parse(text, file);
        std::vector<Entry> entries;
        flatten(root, "", entries);
        std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
        return entries;
    } catch (const toml::parse_error& error) {
        return fail(Errc::invalid_argument,
                    file + ':' + std::to_string(error.source().begin.line) + ": not TOML: " + std::string(error.description()));
    }
}

std::string shown(const Value& value) {
    struct Show {
        std::string operator()(const Table&) const { return "a table"; }
        std::string operator()(const OtherValue& other) const { return other.what; }
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(const std::string& text) const { return '"' + text + '"'; }
        std::string operator()(const std::vector<std::string>& list) const { return list.empty() ? "an empty list" : "a list"; }
    };
    return std::visit(Show{}, value);
}

std::string problem(const std::string& file, int line, const std::string& key, const std::string& text) {
    return file + (line > 0 ? ':' + std::to_string(line) : "") + ": " + (key.empty() ? "" : key + ": ") + text;
}

Result<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return fail(Errc::invalid_argument, "not a whole number");
    return number;
}

Result<std::int64_t> parse_size(std::string_view text) {
    int shift = 0;
    for (const auto& suffix : suffixes) {
        if (text.empty() || text.back() != suffix.letter) continue;
        shift = suffix.shift;
        text.remove_suffix(1);
        break;
    }
    const auto number = parse_integer(text);
    const bool fits = number && *number >= 0 && *number <= (std::numeric_limits<std::int64_t>::max() >> shift);
    if (!fits) return fail(Errc::invalid_argument, "not a size");
    return *number << shift;
}

std::string size_text(std::int64_t bytes) {
    for (const auto& suffix : suffixes) {
        const std::int64_t one = std::int64_t{1} << suffix.shift;
        if (bytes != 0 && bytes % one == 0) return std::to_string(bytes / one) + suffix.letter;
    }
    return std::to_string(bytes);
}

}  // namespace orchd::settings
