// Ends of a run that say nothing of the code, told as what they are: its command was not there, or did not end.
#pragma once

#include <string>

#include "engine/ending.h"

namespace orchd::engine {

// "the test's run (`./test --all`) ended with exit status 127: cannot execute ./test: No such file or directory", with what the
// launcher left on record, and the last line of output where it can be had. Empty for ends that describe() says all of.
[[nodiscard]] std::string explain(const World& world, const Ended& ended, const settings::Project& project);

// Whether a check could not be executed since the task's own branch lacks its program, which the target branch has: that is the
// code's fault, where a program that is nowhere is the operator's to mend.
[[nodiscard]] Result<bool> branch_lacks_program(World& world, const Ended& ended, const settings::Project& project);

}  // namespace orchd::engine
