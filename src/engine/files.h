// Files that orchd lays for a run, and files that a run leaves, which are hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orchd::engine {

// The folder and those above it, made where they are not there, readable by everyone whatever the umask.
[[nodiscard]] Status make_folder(const std::string& path);
// The file at once in full, readable by everyone whatever the umask: who reads it is another user.
[[nodiscard]] Status lay_file(const std::string& path, std::string_view content);
[[nodiscard]] Status lay_symlink(const std::string& path, const std::string& target);

// left_dir/result/NAME: a regular file, reached through no symlink, of at most max_bytes. Nothing if it is not there;
// Errc::invalid_argument with the reason if it is not fit.
[[nodiscard]] Result<std::optional<std::string>> read_result(const std::string& left_dir, const std::string& name,
                                                             std::uint64_t max_bytes);
// The same of left_dir/NAME.
[[nodiscard]] Result<std::optional<std::string>> read_left_file(const std::string& left_dir, const std::string& name,
                                                                std::uint64_t max_bytes);
// Whether such a result is there.
[[nodiscard]] Result<bool> has_result(const std::string& left_dir, const std::string& name, std::uint64_t max_bytes);
// Copies such a result to `to`, durable and at once in full. False if it is not there.
[[nodiscard]] Result<bool> keep_result(const std::string& left_dir, const std::string& name, const std::string& to,
                                       std::uint64_t max_bytes);

}  // namespace orchd::engine
