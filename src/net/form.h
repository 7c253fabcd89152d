// Bodies of application/x-www-form-urlencoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orchd::net {

// The decoded value of `name`, which must be there exactly once; nothing otherwise, or where its escapes are broken.
[[nodiscard]] std::optional<std::string> form_value(std::string_view body, std::string_view name);

}  // namespace orchd::net
