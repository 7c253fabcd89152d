// Named places before and after each commit, unit start and outside effect, where a process may be killed.
//
// boundary("merge.push.before") does nothing unless a test asks. The simulation installs a hook that yields there. In a build
// with crash points (meson's buildtype debug; never the package) a process started with CRASH_AT=name:n[,name:n…] ends by
// SIGKILL at its n-th passing of `name`, or, with CRASH_BY=STOP, stops there until SIGCONT; with CRASH_ONCE=FOLDER as well,
// only if it is the one that removes FOLDER/name, so that one process dies there however many pass.
#pragma once

#include <string>
#include <string_view>

namespace orchd {

using BoundaryHook = void (*)(std::string_view name);
// Process-wide; null restores "nothing". Not for use while other threads pass boundaries.
void set_boundary_hook(BoundaryHook hook);
void boundary(std::string_view name);

// A deed between NAME.before and NAME.after; the latter is passed where it succeeded.
template <class Deed>
auto bounded(std::string_view name, Deed&& deed) {
    boundary(std::string(name) + ".before");
    auto done = deed();
    if (done) boundary(std::string(name) + ".after");
    return done;
}

}  // namespace orchd
