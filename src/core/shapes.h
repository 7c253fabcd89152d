// What names that others give must look like before they become references, rows or arguments of a program.
#pragma once

#include <string_view>

namespace orchd {

// A whole commit id: 40 or 64 digits of lowercase hex.
[[nodiscard]] bool is_commit_id(std::string_view text);
// A branch's name without "refs/heads/", as git-check-ref-format(1) allows it; no leading dash, 200 bytes at most.
[[nodiscard]] bool is_branch_name(std::string_view text);
// 32 hex digits, of either case, in the five groups of a UUID.
[[nodiscard]] bool is_uuid(std::string_view text);

}  // namespace orchd
