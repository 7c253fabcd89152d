// Why a task stands where it stands, said to people. Whether work of it is started is read from the plan of the next claim, the
// same that the claim carries out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "engine/claim_limits.h"
#include "store/claim_plan.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/records.h"
#include "store/stalls.h"

namespace orchd::engine {

struct Why {
    std::string text;                                    // one sentence
    std::string command = {};                            // what a person types to move it; empty where nobody need do anything
    bool needs_you = false;                              // a person must act: it is held, or its human gate is open
    bool claimable = false;                              // the next claim takes a job of it
    std::optional<std::int64_t> since = {}, until = {};  // UTC ms: it stands so since; it is looked at again at
};

// What to type to let go of a hold. Work that failed is tried anew, with fresh counters; a hold that the host or somebody else
// is to blame for is only let go.
[[nodiscard]] std::string command_against(Hold hold, const std::string& work_item);
// And for one that waits for `need`, which will never be done.
[[nodiscard]] std::string command_against_waiting(const std::string& work_item, const std::string& need);
// Whether its analysis is for a person to approve: the human gate.
[[nodiscard]] bool waits_for_approval(const store::Task& task);

// What is the same for every task: ask once, in the same snapshot as the tasks.
struct HostView {
    Now now;
    store::Limits limits;
    store::ClaimPlan plan;
    std::optional<store::StateRow> paused;
    std::string low_disk;     // why the disk allows nothing; empty while it does
    std::string no_settings;  // why nothing is begun: they are wrong, and there are no good ones; empty while there are
    std::map<std::string, std::string> bad_files;  // project -> what is wrong with its file, the first of it
    std::optional<bool> worker_lives;              // nothing where that is not known
};
[[nodiscard]] Result<HostView> look_at_host(const WorldView& view);

// Another task's merge or target lease that a task waits for.
struct LeaseAhead {
    store::HeldLease lease;
    std::string work_item;             // whose it is
    std::optional<store::Claim> work;  // its live job, with the run of that; nothing where the lease is stale
    std::optional<Liveness> owner;     // of that run, where that was looked at
};

// What is known around a task.
struct Surroundings {
    std::optional<store::Project> project;
    std::vector<std::string> needs;  // work items that it waits for
    std::string cancelled_need;      // one of them that was cancelled, and so will never be done
    std::string early;               // what a tracker said of its analysis before it was there to be judged
    bool answered = false;           // a person's word on its open gate is on record, and no step has heeded it yet
    std::vector<store::Job> live;    // its live jobs
    // What keeps the present or last run of such a job from beginning or ending, by job.
    std::map<std::int64_t, store::Stall> stalls;
    std::map<std::int64_t, std::int64_t>
        ended;  // since when the run of such a job is over, where its exit is on record, by job
    std::optional<store::TransitionLease> lease;  // while somebody holds it
    std::optional<Liveness> owner;                // of its unit, where that was looked at
    std::optional<LeaseAhead> ahead;
};
[[nodiscard]] Result<Surroundings> look_around(const WorldView& view, const store::Task& task);

// Who holds the merge or target lease that the task waits for, as far as this process sees which repository the projects' files
// lead to.
[[nodiscard]] Result<std::optional<LeaseAhead>> find_ahead(const WorldView& view, const store::Task& task);

// That no worker runs, as a sentence of why and of the host's state; empty while one does, or where that is not known.
[[nodiscard]] std::string no_worker(std::optional<bool> worker_lives);
inline constexpr const char* command_against_no_worker = "systemctl start orchd-worker.service";

// Decides from what is given; the first that holds of: ended, held, human gate open, work running, transition under way,
// paused, waiting for others, waiting for a lease or a gate, queued and why it is not started, nothing at all.
[[nodiscard]] Why why(const store::Task& task, const Surroundings& around, const HostView& host);

}  // namespace orchd::engine
