// What both launchers do alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemons/launch.h"
#include "host/host.h"

namespace orchd::daemons {

// One line to the unit's journal, in front of or after what the command says.
void say(std::string_view text);
// The status of wait(2) for a plain exit.
[[nodiscard]] constexpr int exited(int exit_status) { return exit_status << 8; }
// Says the error and gives the status for "could not be set up".
[[nodiscard]] int give_up(const Error& error);

enum class Launches { a_run, a_deploy };
// What prepare laid. Errc::conflict where it is for the task's other unit: both find it in the same place, and each marks in a
// state directory of its own what it took.
[[nodiscard]] Result<engine::Spec> read_spec(const LaunchPaths& paths, Launches launches);
// What each run's output begins with: "run 17, developer, commit 0123…", so that whoever reads the journal knows whose words
// follow.
[[nodiscard]] std::string first_line(const engine::Spec& spec);
// Clears the state directory and marks the spec as taken, once and for ever. Errc::conflict where it was taken before.
[[nodiscard]] Status take(const engine::Spec& spec, const LaunchPaths& paths);

// What a command of the operator's gets of the host: PATH and LANG of the unit, a private TMPDIR, HOME. Nothing else passes.
[[nodiscard]] std::vector<std::string> base_environment(const std::string& home);
// Says why a command did not run, here and in the result folder, and gives the status for it: 127, 126 or 223.
[[nodiscard]] int not_run(const Error& error, const LaunchPaths& paths);
// Runs the command under its time limit, says where that ended it, and gives its status.
[[nodiscard]] int run_command(const host::Child& child, const LaunchPaths& paths);

}  // namespace orchd::daemons
