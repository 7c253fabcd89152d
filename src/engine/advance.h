// The one code path that performs a transition: orchd-step@TASK.
#pragma once

#include <string>

#include "engine/ports.h"
#include "store/records.h"

namespace orchd::engine {

// Performs the task's running `advance` job: lease, gates, effects, compare-and-swap, next job, all as docs/architecture.md "A
// transition" says. `owner` is this process's unit, invocation, boot id and pid. Returns when the job is finished or put back;
// an error fails the unit and leaves the job to recovery.
[[nodiscard]] Status advance(World& world, const std::string& work_item, const store::LeaseOwner& owner);

// Queues an advance for the task unless one is queued already. Within the caller's transaction.
[[nodiscard]] Status ask_advance(World& world, store::Tx& tx, const store::Task& task);
// Queues the first job of the stage that the task stands in (`task` as it is now, inside the transaction). Which role works
// testing depends on the project (tester or test command). A stage that needs a target lease first, or has nothing configured
// to work it, gets an advance, which sees to it.
//
// An advance that finds the stage's work of this stage number undone and no live run of the task queues what is missing (the
// developer's run, CI of the head, the staging run, the build, the deploy), so a finish that does not queue the follow-up
// itself only has to ask for the advance.
[[nodiscard]] Status start_stage(World& world, store::Tx& tx, const store::Task& task, const settings::Project& project);

}  // namespace orchd::engine
