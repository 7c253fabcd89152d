// Parts of the maintenance pass that look at repositories and at what builds and runs left (maintain_branches.cpp,
// maintain_releases.cpp, maintain_states.cpp).
#pragma once

#include "engine/maintain.h"

namespace orchd::engine {

inline constexpr std::int64_t day_ms = 86'400'000;  // retentions are in days

// Branches of tasks that ended `branch_retention_days` ago go from the forge and from the mirror, unless they hold what nobody
// else has (docs/decisions/017-branches-of-ended-tasks.md). Then mirrors of projects without a live job are packed, and objects
// that nothing leads to go.
[[nodiscard]] Status keep_repositories(World& world, Maintained& done);
// Releases that nobody goes back to, and files of builds that came to no release.
[[nodiscard]] Status remove_releases(World& world, Maintained& done);
// State directories of runs whose task is over or unknown.
[[nodiscard]] Status remove_states(World& world, Maintained& done);

}  // namespace orchd::engine
