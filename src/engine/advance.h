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
[[nodiscard]] Status ask_advance(store::Tx& tx, const store::Task& task, const Now& now);
// Queues the first job of the stage that the task stands in. Which role works testing depends on the project (tester or test
// command).
[[nodiscard]] Status start_stage(store::Tx& tx, const store::Task& task, const settings::Project& project, const Now& now,
                                 int priority = 5);

}  // namespace orchd::engine
