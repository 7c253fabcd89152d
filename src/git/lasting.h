// Whether what git refused will be refused again until a person mends it, by its words: nobody need try on.
#pragma once

#include "core/error.h"

namespace orchd::git {

// True for what is wrong by its very code (no such thing, not permitted, unfit input) and for git's own words of a lasting
// kind: permissions, a repository that is not there or not whole, a refusal by rule of the receiving side. What is not known to
// last counts as passing: it is tried again, within a cap.
[[nodiscard]] bool lasting(const Error& error);

}  // namespace orchd::git
