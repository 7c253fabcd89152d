// Merge and target leases as the engine names them, and who is told when one comes free.
#pragma once

#include <string>

#include "engine/events.h"
#include "engine/ports.h"
#include "store/leases.h"
#include "store/records.h"

namespace orchd::engine {

[[nodiscard]] std::string staging_target(const std::string& project);     // "staging:hello"
[[nodiscard]] std::string production_target(const std::string& project);  // "production:hello"

// What a task waits for (Task::waiting_for) while another holds such a lease.
inline constexpr const char* wait_merge_lease = "merge_lease";
inline constexpr const char* wait_staging_target = "staging_target";
inline constexpr const char* wait_deploy_target = "deploy_target";
[[nodiscard]] inline bool waits_for_lease(const store::Task& task) {
    return task.waiting_for == wait_merge_lease || task.waiting_for == wait_staging_target ||
           task.waiting_for == wait_deploy_target;
}

// Whether a run of this role works under a lease of its task: only an advance queues it.
[[nodiscard]] bool needs_lease(Role role);

// Takes the lease `key` for the task's job, as store::acquire_held says: also from a paused or held task whose run is queued
// under it. That run, which must not start without the lease, is then cancelled, and its task's advance asked for, which queues
// it again once the task may move and the lease is free.
[[nodiscard]] Result<bool> take_lease(World& world, const Acting& who, store::LeaseKind kind, const std::string& key,
                                      std::int64_t task_id, std::int64_t job_id);

// Takes a transition lease from its owner, who is dead, with "lease_reclaimed" {kind, key, fence, forced}; `forced`: it lived
// until its unit was stopped for this, so an alert goes out. Nothing if its fence is no longer the newest.
struct Reclaim {
    bool forced = false;
    std::string reason = {};  // a person's
};
[[nodiscard]] Status release_reclaimed(const Acting& who, const store::Task& task, const store::TransitionLease& lease,
                                       const Reclaim& how);
// The merge or target lease `key` is free: asks for the advance of the oldest task that waits for it and can move. Of a merge
// lease that may be a task of any project with this repository. `by`: the task that gave it up, which looks again when its own
// time comes.
[[nodiscard]] Status lease_freed(World& world, store::Tx& tx, store::LeaseKind kind, const std::string& key,
                                 std::int64_t by = 0);

// The task stands still, held or paused, with leases that others may now take: asks for the oldest that waits for each.
[[nodiscard]] Status ask_those_behind(World& world, store::Tx& tx, std::int64_t task_id);
// The same of every task of a project that was paused.
[[nodiscard]] Status ask_those_behind_project(World& world, store::Tx& tx, std::int64_t project_id);

// Gives up the task's leases of a kind, with lease_freed() for each.
[[nodiscard]] Status release_leases(World& world, store::Tx& tx, const store::Task& task, store::LeaseKind kind);
// Of both kinds: for whoever ends, holds or cancels a task's work.
[[nodiscard]] Status release_leases(World& world, store::Tx& tx, const store::Task& task);

}  // namespace orchd::engine
