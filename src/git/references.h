#pragma once

#include <string>

#include "core/error.h"
#include "git/git.h"

namespace orchd::git {

// A clone's references as git packs them, in one file however many there are. The mirror's view of the forge becomes origin's,
// without a fetch: every object is shared already.
[[nodiscard]] Result<std::string> packed_references(const CloneSpec& spec);

}  // namespace orchd::git
