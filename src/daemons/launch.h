// The run's side, inside orchd-agent@TASK and orchd-deploy@TASK, without database, bus or secrets.
#pragma once

#include <string>

#include "engine/spec.h"

namespace orchd::daemons {

struct LaunchPaths {
    std::string run_dir = "/run/orchd/run";  // spec.json, prompt.md; read-only
    std::string mirror = "/run/orchd/mirror";
    std::string state_dir;  // $STATE_DIRECTORY: taken-RUN, clone/, result/, bundle
};
// Takes the spec once (an O_EXCL file taken-RUN in the state directory; a spec taken before: exit 75), makes the clone, runs
// the command with the allow-listed environment under its time limit, kills what it left, commits leftovers of an agent.
// Returns the exit status to end with: the command's own, 75, 124 (time limit), 126/127; a command that died by a signal makes
// the launcher die by the same one.
[[nodiscard]] int launch_run(const LaunchPaths& paths);
// ExecStopPost=: writes state_dir/bundle from whatever the branch has, also after a kill.
[[nodiscard]] int bundle_run(const LaunchPaths& paths);
// orchd-deploy: asks the hook's `status` first; deployed already is 0. Then `deploy`. Exit statuses of the hook's contract
// (docs/deploy-hook.md).
[[nodiscard]] int launch_deploy(const LaunchPaths& paths);

}  // namespace orchd::daemons
