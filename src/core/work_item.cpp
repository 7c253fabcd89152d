#include "core/work_item.h"

#include <algorithm>

namespace orchd {
namespace {

// <cctype> asks the locale; names of units do not.
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::size_t max_prefix = 14;
constexpr std::size_t max_digits = 10;
constexpr std::size_t max_project_name = 31;

}  // namespace

bool valid_prefix(std::string_view text) {
    return !text.empty() && text.size() <= max_prefix && upper(text.front()) &&
           std::ranges::all_of(text, [](char c) { return upper(c) || digit(c); });
}

bool valid_project_name(std::string_view text) {
    return !text.empty() && text.size() <= max_project_name && lower(text.front()) && text.back() != '-' &&
           std::ranges::all_of(text, [](char c) { return lower(c) || digit(c) || c == '-'; });
}

Result<WorkItem> WorkItem::parse(std::string_view text) {
    const auto dash = text.find('-');
    if (dash != std::string_view::npos && valid_prefix(text.substr(0, dash))) {
        const auto digits = text.substr(dash + 1);
        if (!digits.empty() && digits.size() <= max_digits && std::ranges::all_of(digits, digit)) {
            return WorkItem(std::string(text));
        }
    }
    return fail(Errc::invalid_argument, "a work item is named as [A-Z][A-Z0-9]{0,13}-[0-9]{1,10}, such as ORCH-053");
}

std::string WorkItem::plain() const {
    const auto digits = text_.find('-') + 1;
    const auto first = std::min(text_.find_first_not_of('0', digits), text_.size() - 1);
    return text_.substr(0, digits) + text_.substr(first);
}

}  // namespace orchd
