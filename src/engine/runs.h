// The life of a run: claimed and started by the worker, prepared, worked as its unit, finished, recovered.
#pragma once

#include <string>
#include <vector>

#include "core/job_life.h"
#include "engine/ports.h"
#include "store/jobs.h"

namespace orchd::engine {

struct DispatchResult {
    int started = 0;
    int waiting = 0;    // claimed, but a unit of the task is still ending: look again when it is gone, within 100 ms anyway
    bool more = false;  // the claim came back full: look again at once
};
// The worker's hand: claims what fits the limits and starts the units, in one batch. A unit that systemd refuses has its job go
// to `stopping`, and recovery puts it back with back-off. A claim whose units of an earlier run are still ending (an advance
// asked for by a step that has not left yet, say) is started in a later pass: a StartUnit would merge with them. What is
// waiting so is known here alone; if it is lost with the worker, recovery finds runs whose unit never started.
class Dispatcher {
public:
    explicit Dispatcher(World& world) : world_(world) {}
    // One pass. One bad job never stops it.
    [[nodiscard]] Result<DispatchResult> pass(int at_most);

private:
    World& world_;
    std::vector<store::Claim> waiting_;
};

// orchd-prepare@TASK: checks that the task's running job has an unprepared run, brings mirror and branch up to date, lays
// runs_dir/TASK/{spec.json,prompt.md,mirror} and marks the run prepared. Errors fail the unit; the reason goes to the job's
// error.
[[nodiscard]] Status prepare(World& world, const std::string& work_item);
// orchd-prepare@TASK stopping: takes the spec away.
void unprepare(const Paths& paths, const std::string& work_item);

struct Monitor {  // $MONITOR_*; empty result: started without them, to resume what is on record
    std::string service_result, exit_code, exit_status, invocation_id;
    std::string unit = {};  // that ended; empty: not known
};
// orchd-finish-{ok,fail}@TASK and orchd-deploy-{ok,fail}@TASK: records the exit first, then imports the run's commits, writes
// what orchd writes (13, 15, 14), pushes, finishes the job and asks for what comes next (the follow-up job or the advance) in
// one transaction. Idempotent: killed anywhere and started again it goes on from what is on record.
[[nodiscard]] Status finish(World& world, const std::string& work_item, const Monitor& monitor);

struct Recovered {
    int requeued = 0, resumed = 0, stopped_units = 0, held = 0, released = 0, leases = 0, healed = 0;
    int dying = 0;           // seen empty, but not often enough: to be looked at again after `between_ticks_ms`
    bool elsewhere = false;  // another process makes a pass just now: nothing was done
};
inline constexpr std::int64_t between_ticks_ms = 1000;  // looks that are closer together count as one
// The pass over what lives (R10), the same for the reaper and for the worker's recovery: at its start, when a unit of ours is
// gone, every few seconds. Reads only live rows; one process makes it at a time.
// (1) Runs of another boot are lost at once, empty ones after `reaper_dead_ticks`. (2) A recorded exit without a finish: the
// finish unit is started. (3) Over the ceiling `reaper_max_running_s` a run is stopped. `stopping` jobs: unit stopped, seen
// empty, then queued again with back-off, or for the time that its run asked for (later.h); held as `infra` where the attempts
// are used up, the command cannot be executed or a check hangs, as `escalated` where it asked to come later for too long; or
// finished as cancelled where the task is cancelled or held `human` (see cancel_job). Leases whose owner is gone are released,
// units that no live job owns are stopped (prepares, finishes and steps once they have been seen so for half a minute),
// impossible rows healed. One bad job never stops the pass. Without `reaper_enabled` nothing of this boot is judged: what
// nobody saw die stays as it is, and no unit is stopped but those of `stopping` jobs.
[[nodiscard]] Result<Recovered> recover(World& world);

// A pass as the reaper makes it: recover(), and when it was and what it did in settings_state "reaper_pass".
[[nodiscard]] Result<Recovered> reap(World& world);
// What a pass did, for people; empty where that was nothing.
[[nodiscard]] std::string describe(const Recovered& recovered);

// Clean-up of run state directories (`clean`) of tasks that became terminal, once they have no live run and no unit that still
// ends; those that have are looked at again in each pass, and keep no other waiting.
void tidy(World& world);

}  // namespace orchd::engine
