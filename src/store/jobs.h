// The queue: jobs and their runs. Every change of status is one UPDATE guarded by the expected status and run id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"
#include "store/records.h"

namespace orchd::store {

struct NewJob {
    std::int64_t task_id = 0;
    Role role = Role::developer;
    Due due = {};
    int max_attempts = 5;
    std::string commit = {};
};
// Queues a job of kind_of(role) at the task's present stage_seq and with its priority. A job that runs a unit takes the key
// "run:TASK-ID": nothing is inserted and nullopt returned while another live job has it. One whose predecessor at this stage
// number was cancelled to come again has that one's attempts and what it was asked to wait for. For role step (an `advance`):
// nullopt if one is queued already, which is then brought forward to `due` where that is earlier. "At once" is written as the
// present time of this boot.
[[nodiscard]] Result<std::optional<std::int64_t>> enqueue(Tx& tx, const NewJob& job, const Now& now);

struct Limits {
    int max_concurrency = 4;  // live runs of agents, checks and deploys on the host; steps are counted apart
    int max_steps = 4;
    struct Project {
        std::int64_t project_id = 0;
        int max_concurrency = 0;  // 0: no limit of its own
        struct PerRole {
            Role role;
            int max;
        };
        std::vector<PerRole> roles = {};
    };
    bool disk_low = false;               // free space is below the floor: nothing is claimed
    std::vector<Project> projects = {};  // only projects listed here are served: one without a valid file starts nothing
};
struct Claim {
    Job job;
    Run run;
    std::string work_item, project;
};
// Claims up to `at_most` eligible jobs: sets running, run_id and started_at, inserts the runs (unit named for its kind and work
// item) and counts the attempt. Order: projects by least recently served, so that a busy one delays another's job by at most
// one slot per project; within a project by priority, due time, id. Skips paused projects, blocked jobs, jobs not yet due,
// and lanes at their limit, without reading them one by one: the cost does not grow with the queue.
// A job whose last run came to its exit, but whose end was given up, takes that very run again.
// Claims nothing while the host is paused (settings_state "paused") or its disk is low. What it takes is a ClaimPlan.
[[nodiscard]] Result<std::vector<Claim>> claim(Tx& tx, const Limits& limits, int at_most, const Now& now);
// When the next queued job becomes due in this boot (boot_ms), if any is waiting for its time.
[[nodiscard]] Result<std::optional<std::int64_t>> next_due_boot(Db& db, const Now& now);
// Jobs made due in an earlier boot: puts what is left of their waiting time, `longest_ms` at most, on this boot's clock: a wall
// clock that was set back keeps nothing waiting for longer than it could have been told to. Called once at the worker's start.
// Of a job that waits as its run asked `longest_as_asked_ms`.
[[nodiscard]] Result<int> rebase_due_times(Tx& tx, std::int64_t longest_ms, std::int64_t longest_as_asked_ms, const Now& now);

[[nodiscard]] Result<std::optional<Job>> find_job(Db& db, std::int64_t id);
[[nodiscard]] Result<std::optional<Run>> find_run(Db& db, std::int64_t id);
// The task's live job that runs a unit (agent, check, deploy), if there is one.
[[nodiscard]] Result<std::optional<Job>> live_run_job(Db& db, std::int64_t task_id);
// Whether a job of this role that was queued at this stage number ended as `done`.
[[nodiscard]] Result<bool> worked(Db& db, std::int64_t task_id, std::int64_t stage_seq, Role role);
// The task's queued advance job, if there is one.
[[nodiscard]] Result<std::optional<Job>> queued_advance(Db& db, std::int64_t task_id);
// The task's running advance job, if there is one.
[[nodiscard]] Result<std::optional<Job>> running_advance(Db& db, std::int64_t task_id);
// All jobs that are running or stopping, with their runs: what a pass over the living reads.
[[nodiscard]] Result<std::vector<Claim>> live_jobs(Db& db);
struct JobFilter {
    std::string project = {}, work_item = {};
    std::optional<JobStatus> status = {};
    bool only_live = false;
    bool only_ended = false;
    bool oldest_first = false;
    int limit = 1000;
};
// Newest first, unless asked otherwise. `run` is the job's present or last run, all zero where it never had one.
[[nodiscard]] Result<std::vector<Claim>> list_jobs(Db& db, const JobFilter& filter);
// Every run of the task's jobs, oldest first: also those whose job was queued again.
[[nodiscard]] Result<std::vector<Run>> list_runs(Db& db, std::int64_t task_id);

// prepare found the run to be the job's present one: marks it. False if it is not (another run, not running, prepared before).
[[nodiscard]] Result<bool> mark_prepared(Tx& tx, std::int64_t run_id, const std::string& head_before, const Now& now);
// Keeps with a running job why its run cannot go on, for whoever finishes it. Nothing if the job moved on.
[[nodiscard]] Status set_job_error(Tx& tx, std::int64_t job_id, std::int64_t run_id, const std::string& error);
[[nodiscard]] Status set_invocation(Tx& tx, std::int64_t run_id, const std::string& invocation_id);
// The started run of a task that an exit belongs to: by invocation id; or the live job's run of that unit (empty: of any) that
// was prepared, whose invocation is not known yet and whose exit is not recorded. Nothing if there is none: a late finish must
// pin its exit on nobody, and a run that was never prepared has no exit.
[[nodiscard]] Result<std::optional<Run>> run_for_exit(Db& db, std::int64_t task_id, const std::string& unit,
                                                      const std::string& invocation_id);
// Records the exit once. False if one is on record already.
[[nodiscard]] Result<bool> record_exit(Tx& tx, std::int64_t run_id, Exit exit, const std::string& invocation_id,
                                       const Now& now);
// The task's run whose exit is on record but whose job is not finished: what a resumed finish works on.
[[nodiscard]] Result<std::optional<Run>> unfinished_exit(Db& db, std::int64_t task_id);

// running|stopping -> done|failed|cancelled, guarded by run id. False if the job moved on.
[[nodiscard]] Result<bool> finish_job(Tx& tx, std::int64_t job_id, std::int64_t run_id, JobStatus to, const std::string& error,
                                      const std::string& head_after, const Now& now);
// running -> stopping, guarded by run id: prepare refuses the run from here on. False if the job moved on. `retry_at`: when its
// run asked to be started again, UTC milliseconds.
[[nodiscard]] Result<bool> begin_stopping(Tx& tx, std::int64_t job_id, std::int64_t run_id, const std::string& why,
                                          std::optional<std::int64_t> retry_at = {});
// stopping -> queued, due at `due`; clears every run column. To be called only after the run's cgroup was seen empty. An
// advance of which another is queued already is cancelled instead: that one asks the same, and takes over its attempts and its
// waiting time, or what is asked anew each time would never come to an end.
enum class Waits { after_a_death, as_asked };  // as_asked: its run asked to come later, which counts as one more deferral
[[nodiscard]] Result<bool> requeue(Tx& tx, std::int64_t job_id, std::int64_t run_id, const Due& due, const std::string& error,
                                   const Now& now, Waits waits = Waits::after_a_death);
// queued -> cancelled. False if it is not queued. One that comes again is queued anew by its task's advance, and goes on where
// this one left off.
enum class Comes { no_more, again };
[[nodiscard]] Result<bool> cancel_queued(Tx& tx, std::int64_t job_id, const std::string& why, const Now& now,
                                         Comes comes = Comes::no_more);
// The run was seen empty once more: returns the count, or 0 where the last tick is less than `apart_ms` ago and so this one
// does not count. With `seen_empty` false the count goes back to 0.
[[nodiscard]] Result<int> count_dead_tick(Tx& tx, std::int64_t run_id, bool seen_empty, std::int64_t apart_ms, const Now& now);
[[nodiscard]] Result<bool> any_impossible_queued(Db& db);
// Queued jobs that carry a run, which the schema refuses: for a file written without it (R09). Takes the run off them, counts
// them in settings_state "impossible_queued_total"; how many.
[[nodiscard]] Result<int> heal_impossible_queued(Tx& tx, const Now& now);
[[nodiscard]] Status set_usage(Tx& tx, std::int64_t run_id, const std::string& json);

struct QueueCounts {
    std::int64_t queued = 0, blocked = 0, running = 0, stopping = 0;
};
[[nodiscard]] Result<QueueCounts> queue_counts(Db& db);
// When the oldest of what is running or stopping was claimed.
[[nodiscard]] Result<std::optional<std::int64_t>> oldest_start(Db& db);
struct ProjectCounts {
    std::int64_t project_id = 0;
    std::int64_t open_tasks = 0, queued = 0, running = 0;  // running: with `stopping`
};
[[nodiscard]] Result<std::vector<ProjectCounts>> project_counts(Db& db);

}  // namespace orchd::store
