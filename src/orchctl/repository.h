// The bare repository of a project with a local forge.
#pragma once

#include <string>

#include "core/error.h"

namespace orchd::orchctl {

// Makes an empty bare repository that belongs to the user orchd and may be pushed to by the group orchd. Errc::conflict where
// the path exists.
[[nodiscard]] Status make_repository(const std::string& path, const std::string& branch);

}  // namespace orchd::orchctl
