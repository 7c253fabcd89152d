// The rows of the store as values. Times: `*_at` are UTC milliseconds, `*_boot` are CLOCK_BOOTTIME milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/job_life.h"
#include "core/pipeline.h"
#include "core/time.h"
#include "core/words.h"

namespace orchd::store {

struct Project {  // what the database knows of one; the truth about its configuration is its file
    std::int64_t id = 0;
    std::string name;
    std::optional<std::int64_t> paused_at;
    std::string paused_by, pause_reason;
    std::int64_t served = 0;  // when it was last served, as a counter: the fair order of claims
};

struct Task {
    std::int64_t id = 0;
    std::int64_t project_id = 0;
    std::string project;    // its name
    std::string work_item;  // unique on the host
    std::string title, body, branch;
    Stage stage = Stage::analysis;
    std::int64_t stage_seq = 1;  // grows by one with each stage write
    Retries retries;
    Hold hold = Hold::none;
    std::string hold_reason;
    std::string hold_watch;  // what the hold was about, where it ends once that is another (engine/mended); empty: a person's
    std::optional<std::int64_t> paused_at;
    std::string paused_by, pause_reason;
    // What the last look at the gate waits for, while it is undecided or queued behind something: "check_analysis_approved",
    // "merge_lease", "staging_target", "deploy_target"; empty when nothing.
    std::string waiting_for, waiting_reason;
    std::optional<std::int64_t> waiting_since;
    std::string again_reason;  // why the present stage is worked again, for its next run's prompt; empty the first time
    std::string head;          // commit of the task's branch as last pushed by us; empty before the first
    std::string merged;        // commit that the target branch got by this task's merge; empty before
    int priority = 5;          // 0 … 9, higher first: of every job of it
    std::int64_t created_at = 0, updated_at = 0;
};

struct Job {
    std::int64_t id = 0;
    std::int64_t task_id = 0, project_id = 0;
    std::int64_t stage_seq = 0;  // of the task when it was queued
    JobKind kind = JobKind::agent;
    Role role = Role::developer;
    JobStatus status = JobStatus::queued;
    int priority = 5;  // its task's: 0 … 9, higher first
    std::int64_t available_at = 0;
    int attempts = 0, max_attempts = 5;
    std::optional<std::int64_t> run_id;
    std::optional<std::int64_t> started_at, finished_at;
    std::string commit;  // what the run is to work on: the exact commit of a check, build or deploy; empty: the branch's head
    std::string error;
    bool blocked = false;  // its task is paused, held or waits for another, or an advance of it runs; kept by triggers
    std::int64_t created_at = 0;
    std::int64_t available_boot = 0;  // as available_at, on the boot's clock: what a claim goes by
    int deferrals = 0;                // how often its runs asked to come later, since `deferred_since`
    std::optional<std::int64_t> deferred_since;
    // Stopping: the time that its run asked for. Queued: it waits as its last run asked, until then.
    std::optional<std::int64_t> retry_at;
    // What counts against max_attempts: asking to come later does not.
    [[nodiscard]] int deaths() const { return attempts - deferrals; }
};

struct Run {
    std::int64_t id = 0;  // never reused
    std::int64_t job_id = 0, task_id = 0;
    std::string unit, boot_id, invocation_id;  // invocation empty while not known
    std::int64_t started_at = 0, started_boot = 0;
    std::optional<std::int64_t> prepared_at;  // prepare found the run to be the job's and laid its spec
    std::optional<Exit> exit;                 // recorded at most once
    std::optional<std::int64_t> exited_at, finished_at;
    int dead_ticks = 0;
    std::string usage;  // JSON the run left, as it is
    std::string head_before, head_after;
};

struct VerdictRow {
    std::int64_t task_id = 0, stage_seq = 0;
    Gate gate = Gate::artifacts_present;
    Colour colour = Colour::undecided;
    std::string reason = {}, commit = {}, patch_id = {}, by = {};  // by: "run:17", "uid:1000 alice", "tracker:ada"
    bool unusable = false;
    std::int64_t at = 0;
};

struct LeaseOwner {
    std::string unit = {}, invocation_id = {}, boot_id = {};
    std::int64_t pid = 0;
};
struct TransitionLease {
    std::int64_t task_id = 0;
    std::optional<LeaseOwner> owner;  // none: free
    std::optional<std::int64_t> run_id;
    std::string from_stage;
    std::int64_t fence = 0;  // only grows
    std::int64_t acquired_at = 0;
};
// A merge lease (key: the forge's repository) or a target lease (key: "staging:PROJECT", "production:PROJECT"). Live while the
// job that holds it is.
struct HeldLease {
    std::string key;
    std::int64_t task_id = 0, job_id = 0;
    std::int64_t acquired_at = 0;
};

struct Effect {
    std::string key;  // "TASK-ID/stage_seq/attempt/kind"
    std::int64_t task_id = 0;
    EffectState state = EffectState::intended;
    std::int64_t fence = 0;
    std::string result;  // while intended: what is planned
    std::int64_t at = 0;
};

struct Event {
    std::int64_t id = 0, at = 0;
    std::string actor = {};  // "step", "worker", "finish", "uid:1000 alice", …
    std::optional<std::int64_t> task_id = {}, job_id = {};
    std::string kind = {};  // "stage_changed", "job_changed", "hold_changed", "gate_answered", "lease_reclaimed", "alert", …
    std::string data = {};  // JSON object
};

}  // namespace orchd::store
