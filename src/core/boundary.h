// Named places before and after each commit, unit start and outside effect, where a process may be killed.
//
// boundary("merge.push.before") does nothing unless a test asks: a process started with CRASH_AT=name:n in a build with
// -DORCHD_CRASH_POINTS among its cpp_args ends by SIGKILL at the n-th passing of `name`; the simulation installs a hook that
// yields there.
#pragma once

#include <string_view>

namespace orchd {

using BoundaryHook = void (*)(std::string_view name);
// Process-wide; null restores "nothing". Not for use while other threads pass boundaries.
void set_boundary_hook(BoundaryHook hook);
void boundary(std::string_view name);

}  // namespace orchd
