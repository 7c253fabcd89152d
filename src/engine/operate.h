// What a person (or later a tracker) does to tasks and the queue. Each is one transaction with its events; each wakes the
// worker. `by` names who: "uid:1000 alice". Work items are parsed by the caller's border. Errors: no_such, conflict,
// invalid_argument.
#pragma once

#include <optional>
#include <string>

#include "engine/ports.h"
#include "store/records.h"

namespace orchd::engine {

struct TaskRequest {
    std::string project, work_item, title, body;
    int priority = 5;
};
// Creates the task at analysis with its first job, or Errc::conflict if the work item is known. The work item must have the
// project's prefix.
[[nodiscard]] Result<store::Task> create_task(World& world, const TaskRequest& request, const std::string& by);

// Records the human verdict on the task's open human gate for its present code and asks for the advance. Idempotent for the
// same answer to the same stage; Errc::conflict where no human gate is open.
[[nodiscard]] Status approve(World& world, const std::string& work_item, const std::string& by);
[[nodiscard]] Status reject(World& world, const std::string& work_item, const std::string& reason, const std::string& by);
// Clears the hold and the counters and works the present stage again.
[[nodiscard]] Status retry(World& world, const std::string& work_item, const std::string& by);
// Works the task anew from the stage `to` on, which it has reached before or stands at, with the text in the prompt of the next
// run. A person's word: it clears the hold and the counters. Errc::conflict while a run or a transition of it is under way, and
// for a stage before the merge once it is merged, or may be.
[[nodiscard]] Status send_back(World& world, const std::string& work_item, Stage to, const std::string& reason,
                               const std::string& by);
// What is to be done, said anew: for the runs that begin from now on. The priority is of its queued jobs too.
struct TaskEdit {
    std::optional<std::string> title = {}, body = {};
    std::optional<int> priority = {};
};
[[nodiscard]] Status edit_task(World& world, const std::string& work_item, const TaskEdit& edit, const std::string& by);
// Clears the hold only, and asks for the advance.
[[nodiscard]] Status release_hold(World& world, const std::string& work_item, const std::string& by);
// Stops what runs (the run's unit is stopped by the worker's recovery: the job goes to `stopping`), cancels what is queued,
// stage := cancelled.
[[nodiscard]] Status cancel(World& world, const std::string& work_item, const std::string& reason, const std::string& by);

// A queued job is cancelled; a running one goes to `stopping`, and recovery finishes it as cancelled. The task is held `human`
// with the job and `by` in the reason, so that nothing asks for the same work again by itself. Errc::conflict if it has ended.
[[nodiscard]] Status cancel_job(World& world, std::int64_t job_id, const std::string& by);
// Queues an ended (failed, cancelled) job's role again and clears a hold `human` or `infra`. Errc::conflict if the job is live
// or done, the task stands at another stage number, or another run of the task is live.
[[nodiscard]] Status retry_job(World& world, std::int64_t job_id, const std::string& by);

// `work_item` waits for `needs` to be done. Idempotent; Errc::conflict, naming the cycle, where that would close one, and for a
// task that has ended.
[[nodiscard]] Status add_dependency(World& world, const std::string& work_item, const std::string& needs,
                                    const std::string& by);
// Errc::no_such where it does not wait for it.
[[nodiscard]] Status remove_dependency(World& world, const std::string& work_item, const std::string& needs,
                                       const std::string& by);

// A lease that a person takes from its owner: of a transition by work item, of a merge or target by its key.
struct LeaseRelease {
    std::string key = {}, reason = {};
    bool force = false;  // a living owner's unit is stopped and seen empty first; otherwise that is Errc::conflict
};
[[nodiscard]] Status release_transition(World& world, const LeaseRelease& release, const std::string& by);
// By force a run that holds it is cancelled and its task asks anew; a deploy under way is never stopped.
[[nodiscard]] Status release_held(World& world, const LeaseRelease& release, const std::string& by);
// Starts a pass of the reaper and does not wait for it. Errc::conflict while it is switched off.
[[nodiscard]] Status reap_now(World& world, const std::string& by);

// The webhook delivery is taken in again, whatever became of it. Errc::no_such; Errc::conflict where the sender has sent it
// again.
[[nodiscard]] Status replay_delivery(World& world, std::int64_t delivery_id, const std::string& by);

// scope: "" (everything), "project:NAME" or "task:WORK-ITEM".
[[nodiscard]] Status pause(World& world, const std::string& scope, const std::string& reason, const std::string& by);
[[nodiscard]] Status resume(World& world, const std::string& scope, const std::string& by);

}  // namespace orchd::engine
