#include "net/form.h"

#include <algorithm>

#include "net/router.h"

namespace orchd::net {
namespace {

std::optional<std::string> decoded(std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    return percent_decoded(spaced);
}

}  // namespace

std::optional<std::string> form_value(std::string_view body, std::string_view name) {
    std::optional<std::string_view> found;
    while (!body.empty()) {
        const auto pair = body.substr(0, body.find('&'));
        body.remove_prefix(std::min(body.size(), pair.size() + 1));
        const auto equals = std::min(pair.find('='), pair.size());
        if (decoded(pair.substr(0, equals)) != name) continue;
        if (found) return std::nullopt;
        found = pair.substr(std::min(pair.size(), equals + 1));
    }
    return found ? decoded(*found) : std::nullopt;
}

}  // namespace orchd::net
