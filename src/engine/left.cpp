#include "engine/left.h"

#include <boost/json.hpp>

#include "core/shapes.h"
#include "core/text.h"
#include "engine/files.h"

namespace orchd::engine {
namespace {

namespace json = boost::json;

constexpr std::size_t most_lines = 20, longest_line = 600;
constexpr std::uint64_t largest_file = 256 * 1024;

std::vector<std::string> lines_of(const json::object& object, std::string_view key) {
    std::vector<std::string> lines;
    const auto* all = object.if_contains(key);
    if (all == nullptr || !all->is_array()) return lines;
    for (const auto& value : all->get_array()) {
        if (!value.is_string() || value.get_string().empty()) continue;
        if (lines.size() == most_lines) {
            lines.emplace_back("and more");
            break;
        }
        std::string line(value.get_string());
        if (line.size() > longest_line) {
            line.resize(longest_line);
            while (!line.empty() && static_cast<unsigned char>(line.back()) >= 0x80) line.pop_back();  // a whole character
            line += "...";
        }
        for (auto& c : line)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace

std::string to_json(const Left& left) {
    return json::serialize(json::object{{"head", left.head},
                                        {"reasons", json::array(left.reasons.begin(), left.reasons.end())},
                                        {"told", json::array(left.told.begin(), left.told.end())}});
}

Result<Left> left_from_json(const std::string& text) {
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    if (error || !value.is_object()) return fail(Errc::invalid_argument, "the run's left.json is no JSON object");
    const auto& object = value.get_object();
    Left left{.head = {}, .reasons = lines_of(object, "reasons"), .told = lines_of(object, "told")};
    if (const auto* head = object.if_contains("head"); head != nullptr && head->is_string()) left.head = head->get_string();
    if (!left.head.empty() && !is_commit_id(left.head))
        return fail(Errc::invalid_argument, "the run's left.json names no commit");
    return left;
}

Result<std::optional<Left>> read_left(const std::string& left_dir) {
    const auto text = read_left_file(left_dir, left_file, largest_file);
    if (!text) return fail(text.error());
    if (!*text) return std::nullopt;
    auto left = left_from_json(**text);
    if (!left) return fail(left.error());
    return std::move(*left);
}

std::string not_brought_in(const Left& left) {
    return left.reasons.empty() ? std::string() : "what it left could not be brought in: " + joined(left.reasons, "; ");
}

}  // namespace orchd::engine
