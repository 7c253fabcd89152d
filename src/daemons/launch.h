// The run's side, inside orchd-agent@TASK and orchd-deploy@TASK, without database, bus or secrets. docs/run-contract.md and
// docs/deploy-hook.md say what a command and a hook may rely on.
//
// The launchers answer with a status as of wait(2): a command that died by a signal makes the launcher die by the same one, so
// that the manager sees how the command ended.
#pragma once

#include <string>

#include "core/names.h"
#include "engine/spec.h"

namespace orchd::daemons {

struct LaunchPaths {
    std::string run_dir{names::inside_run_dir};  // spec.json, prompt.md; read-only
    std::string mirror{names::inside_mirror};
    std::string state_dir;  // $STATE_DIRECTORY: taken-RUN, home/, clone/, result/, bench/, bundle, left.json
};
// With $STATE_DIRECTORY; exits with 2 and a sentence where there is none.
[[nodiscard]] LaunchPaths paths_of_unit();

// Takes the spec once (an O_EXCL file taken-RUN in the state directory; 223 for a spec taken before), clears away what an
// earlier run left there, makes the clone, runs the command with the allow-listed environment under its time limit, kills what
// it left and gathers what an agent left (git/run_side.h): state_dir/bundle, then left.json. Exit statuses of its own: 223 it
// could not come to run the command, 124 time limit, 126 and 127 the command could not be executed: why stands in
// result/launcher-said.
[[nodiscard]] int launch_run(const LaunchPaths& paths);
// ExecStopPost=: the same of what an agent committed, where the launcher was killed and did not come to it. Returns an exit
// status.
[[nodiscard]] int bundle_run(const LaunchPaths& paths);
// Asks the hook's `status` first: 0 where the commit is live already, 75 where the hook cannot tell. Then `deploy`.
[[nodiscard]] int launch_deploy(const LaunchPaths& paths);

// Ends this process as the status says.
[[noreturn]] void end_as(int wait_status);

}  // namespace orchd::daemons
