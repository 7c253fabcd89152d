// Whether trying again can help, by what git said.
#pragma once

#include <string>

#include "core/error.h"

namespace orchd::git {

// Errc::refused where git's words (in English, as LC_ALL=C has them) say that it will be so until a person changes something:
// a permission, a rule of the receiving side or a hook of it, a repository that is none, objects that are refused or broken, a
// branch in the place of a folder. Errc::no_space for a full disk, Errc::unavailable for all else.
[[nodiscard]] Errc kind_of(const std::string& words);

}  // namespace orchd::git
