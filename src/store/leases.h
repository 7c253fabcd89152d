// Transition, merge and target leases, and the effect ledger.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"
#include "store/records.h"

namespace orchd::store {

// Takes the task's transition lease if it is free, or if the present owner equals `dead_owner` (whom the caller has judged dead
// and stopped). Returns the new fence, or nothing if somebody else holds it.
[[nodiscard]] Result<std::optional<std::int64_t>> acquire_transition(Tx& tx, std::int64_t task_id, const LeaseOwner& owner,
                                                                     std::int64_t run_id, Stage from,
                                                                     const std::optional<LeaseOwner>& dead_owner,
                                                                     const Now& now);
// Clears the owner and keeps the row and its fence. False if `fence` is not the newest.
[[nodiscard]] Result<bool> release_transition(Tx& tx, std::int64_t task_id, std::int64_t fence);
[[nodiscard]] Result<std::optional<TransitionLease>> find_transition(Db& db, std::int64_t task_id);
[[nodiscard]] Result<std::vector<TransitionLease>> held_transitions(Db& db);
// Whether `fence` is the newest of the task: asked inside every transaction that writes on behalf of a transition.
[[nodiscard]] Result<bool> fence_is_newest(Db& db, std::int64_t task_id, std::int64_t fence);

enum class LeaseKind { merge, target };
// Takes the lease `key` for (task, job): if it is free, the task's own already (the job is then replaced), or its holder is no
// longer live: neither that job nor an advance of its task is running, stopping, or queued, not blocked, of a project that is
// not paused, and not put off by a run that asked to come later (so what stands still keeps nobody waiting). False if another
// holds it.
[[nodiscard]] Result<bool> acquire_held(Tx& tx, LeaseKind kind, const std::string& key, std::int64_t task_id,
                                        std::int64_t job_id, const Now& now);
[[nodiscard]] Status release_held(Tx& tx, LeaseKind kind, const std::string& key, std::int64_t task_id);
[[nodiscard]] Result<std::optional<HeldLease>> find_held(Db& db, LeaseKind kind, const std::string& key);
[[nodiscard]] Result<std::vector<HeldLease>> all_held(Db& db, LeaseKind kind);
// Those whose owner is dead: neither the job that holds it nor an advance of its task is live. Of a paused or held task it
// still is, though acquire_held() lets others go first.
[[nodiscard]] Result<std::vector<HeldLease>> stale_held(Db& db, LeaseKind kind);
// Deletes the row if it is stale still. False if it is not.
[[nodiscard]] Result<bool> release_stale(Tx& tx, LeaseKind kind, const std::string& key);
// Every merge or target lease of the task.
[[nodiscard]] Status release_all_held(Tx& tx, std::int64_t task_id);

[[nodiscard]] std::string effect_key(std::int64_t task_id, std::int64_t stage_seq, int attempt, std::string_view kind);
// Writes the intention with what is planned as its `result` (the commit to push, say), or returns the row that is there
// already.
[[nodiscard]] Result<Effect> intend(Tx& tx, const std::string& key, std::int64_t task_id, const std::string& plan,
                                    std::int64_t fence, const Now& now);
// intended -> done | abandoned, never back. Errc::conflict where it is settled otherwise already or the fence is old.
[[nodiscard]] Status settle(Tx& tx, const std::string& key, EffectState state, const std::string& result, std::int64_t fence,
                            const Now& now);
[[nodiscard]] Result<std::optional<Effect>> find_effect(Db& db, const std::string& key);
// The task's newest merge that was not abandoned, of whatever stage number.
[[nodiscard]] Result<std::optional<Effect>> newest_merge(Db& db, std::int64_t task_id);

}  // namespace orchd::store
