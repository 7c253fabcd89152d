// Projects whose file says that they are disabled: the database has them paused by their file, so that all that heeds a pause
// heeds this too.
#pragma once

#include <string_view>

#include "engine/ports.h"

namespace orchd::engine {

// Who pauses such a project, as the database has it.
inline constexpr std::string_view disabled_by = "its file";

// Pauses the projects whose files disable them, where nobody has paused them, and resumes those whose files no longer do. Once
// for each change of a file; what a person has paused stays so.
[[nodiscard]] Status heed_disabled(World& world);

}  // namespace orchd::engine
