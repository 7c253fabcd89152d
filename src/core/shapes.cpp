#include "core/shapes.h"

#include <algorithm>

namespace orchd {
namespace {

bool lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

bool is_commit_id(std::string_view text) {
    return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, lower_hex);
}

bool is_branch_name(std::string_view text) {
    constexpr std::size_t longest = 200;
    if (text.empty() || text.size() > longest || text.front() == '-' || text == "@" || text.back() == '.') return false;
    if (text.find("..") != text.npos || text.find("@{") != text.npos) return false;
    constexpr std::string_view forbidden = " ~^:?*[\\\x7f";
    if (std::ranges::any_of(
            text, [&](char c) { return static_cast<unsigned char>(c) < 0x20 || forbidden.find(c) != forbidden.npos; }))
        return false;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('/', at), text.size());
        const auto part = text.substr(at, end - at);
        if (part.empty() || part.front() == '.' || part.ends_with(".lock")) return false;
        at = end + 1;
    }
    return true;
}

bool is_uuid(std::string_view text) {
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return std::ranges::equal(
        text, form, [](char c, char wanted) { return wanted == '-' ? c == '-' : lower_hex(c) || (c >= 'A' && c <= 'F'); });
}

}  // namespace orchd
