// Files that must be there after a power cut; private to the store.
#pragma once

#include <string>

#include "core/error.h"

namespace orchd::store {

[[nodiscard]] Status sync_file(const std::string& path);
[[nodiscard]] Status sync_directory(const std::string& path);
// Renames and syncs the folder of `to`.
[[nodiscard]] Status rename_durably(const std::string& from, const std::string& to);

}  // namespace orchd::store
