#include "store/leases.h"

#include <array>

#include "core/planted.h"
#include "store/query.h"

namespace orchd::store {
namespace {

TransitionLease read_transition(const Row& row) {
    std::optional<LeaseOwner> owner;
    if (!row.null(2))
        owner = LeaseOwner{.unit = row.text(2), .invocation_id = row.text(3), .boot_id = row.text(5), .pid = row.integer(4)};
    return {.task_id = row.integer(0),
            .owner = std::move(owner),
            .run_id = row.maybe_integer(1),
            .from_stage = row.text(6),
            .fence = row.integer(7),
            .acquired_at = row.integer(8)};
}

constexpr std::string_view transition_columns =
    "SELECT task_id, run_id, unit, invocation_id, pid, boot_id, from_stage, fence, acquired_at FROM transition_leases WHERE ";

HeldLease read_held(const Row& row) {
    return {.key = row.text(0), .task_id = row.integer(1), .job_id = row.integer(2), .acquired_at = row.integer(3)};
}

// By the unique keys of what is live, so that no finished job is read.
constexpr const char* dead_owner =
    "NOT EXISTS (SELECT 1 FROM jobs WHERE id = held.job_id AND status IN ('queued', 'running', 'stopping'))"
    " AND NOT EXISTS (SELECT 1 FROM jobs WHERE unique_key IN ('advance:' || held.task_id, 'advancing:' || held.task_id)"
    " AND status IN ('queued', 'running', 'stopping'))";

// The statements of a merge or target lease: the two tables differ in names alone.
struct HeldTexts {
    std::string acquire, release, find, list, release_all, stale, release_stale;

    HeldTexts(const std::string& table, const std::string& key)
        : acquire("INSERT INTO " + table + " AS held (" + key +
                  ", task_id, job_id, acquired_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                  " acquired_at = iif(task_id = excluded.task_id, acquired_at, excluded.acquired_at),"
                  " task_id = excluded.task_id, job_id = excluded.job_id"
                  " WHERE task_id = excluded.task_id OR NOT EXISTS (SELECT 1 FROM jobs WHERE"
                  " id IN (held.job_id, (SELECT id FROM jobs WHERE unique_key = 'advance:' || held.task_id"
                  " AND status IN ('queued', 'running', 'stopping')), (SELECT id FROM jobs WHERE"
                  " unique_key = 'advancing:' || held.task_id AND status IN ('queued', 'running', 'stopping')))"
                  " AND (status IN ('running', 'stopping') OR (status = 'queued' AND blocked = 0"
                  " AND (retry_at IS NULL OR retry_at <= excluded.acquired_at)"
                  " AND project_id NOT IN (SELECT id FROM projects WHERE paused_at IS NOT NULL))))"),
          release("DELETE FROM " + table + " WHERE " + key + " = ? AND task_id = ?"),
          find("SELECT " + key + ", task_id, job_id, acquired_at FROM " + table + " WHERE " + key + " = ?"),
          list("SELECT " + key + ", task_id, job_id, acquired_at FROM " + table + " ORDER BY 1"),
          release_all("DELETE FROM " + table + " WHERE task_id = ?"),
          stale("SELECT " + key + ", task_id, job_id, acquired_at FROM " + table + " AS held WHERE " + dead_owner +
                " ORDER BY 1"),
          release_stale("DELETE FROM " + table + " AS held WHERE " + key + " = ? AND " + dead_owner) {}
};

const HeldTexts& texts(LeaseKind kind) {
    static const std::array both{HeldTexts("merge_leases", "repo"), HeldTexts("target_leases", "target")};
    return both[static_cast<std::size_t>(kind)];
}

Effect read_effect(const Row& row) {
    return {.key = row.text(0),
            .task_id = row.integer(1),
            .state = word<EffectState>(row, 2),
            .fence = row.integer(3),
            .result = row.text(4),
            .at = row.integer(5)};
}

Status require_newest(Db& db, std::int64_t task_id, std::int64_t fence) {
    auto newest = fence_is_newest(db, task_id, fence);
    if (!newest) return fail(newest.error());
    if (!*newest) return fail(Errc::conflict, "the transition lease has a newer fence than " + std::to_string(fence));
    return {};
}

}  // namespace

Result<std::optional<std::int64_t>> acquire_transition(Tx& tx, std::int64_t task_id, const LeaseOwner& owner,
                                                       std::int64_t run_id, Stage from,
                                                       const std::optional<LeaseOwner>& dead_owner, const Now& now) {
    const auto run = run_id == 0 ? std::nullopt : std::optional(run_id);
    const auto dead = dead_owner.value_or(LeaseOwner{});
    return find_row(tx.db(),
                    "INSERT INTO transition_leases AS held (task_id, run_id, unit, invocation_id, pid, boot_id, from_stage,"
                    " fence, acquired_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8) ON CONFLICT DO UPDATE SET"
                    " run_id = excluded.run_id, unit = excluded.unit, invocation_id = excluded.invocation_id,"
                    " pid = excluded.pid, boot_id = excluded.boot_id, from_stage = excluded.from_stage,"
                    " fence = held.fence + 1, acquired_at = excluded.acquired_at"
                    " WHERE held.unit IS NULL OR (?9 AND held.unit = ?10 AND held.invocation_id = ?11 AND held.boot_id = ?12"
                    " AND held.pid = ?13) RETURNING fence",
                    first_integer, task_id, run, owner.unit, owner.invocation_id, owner.pid, owner.boot_id, to_text(from),
                    now.utc_ms, dead_owner.has_value(), dead.unit, dead.invocation_id, dead.boot_id, dead.pid);
}

Result<bool> release_transition(Tx& tx, std::int64_t task_id, std::int64_t fence) {
    return change_one(tx.db(),
                      "UPDATE transition_leases SET run_id = NULL, unit = NULL, invocation_id = NULL, pid = NULL,"
                      " boot_id = NULL WHERE task_id = ? AND fence = ?",
                      task_id, fence);
}

Result<std::optional<TransitionLease>> find_transition(Db& db, std::int64_t task_id) {
    static const std::string sql = std::string(transition_columns) + "task_id = ?";
    return find_row(db, sql, read_transition, task_id);
}

Result<std::vector<TransitionLease>> held_transitions(Db& db) {
    static const std::string sql = std::string(transition_columns) + "unit IS NOT NULL ORDER BY task_id";
    return list_rows(db, sql, read_transition);
}

Result<bool> fence_is_newest(Db& db, std::int64_t task_id, std::int64_t fence) {
    return find_row(db, "SELECT fence FROM transition_leases WHERE task_id = ?", first_integer, task_id)
        .map([fence](const auto& newest) { return newest.value_or(0) == fence; });
}

Result<bool> acquire_held(Tx& tx, LeaseKind kind, const std::string& key, std::int64_t task_id, std::int64_t job_id,
                          const Now& now) {
    if (planted("lease_shared"))
        if (auto freed = tx.db().execute("DELETE FROM merge_leases; DELETE FROM target_leases"); !freed)
            return fail(freed.error());
    return change_one(tx.db(), texts(kind).acquire, key, task_id, job_id, now.utc_ms);
}

Status release_held(Tx& tx, LeaseKind kind, const std::string& key, std::int64_t task_id) {
    return write_rows(tx.db(), texts(kind).release, key, task_id);
}

Result<std::optional<HeldLease>> find_held(Db& db, LeaseKind kind, const std::string& key) {
    return find_row(db, texts(kind).find, read_held, key);
}

Result<std::vector<HeldLease>> all_held(Db& db, LeaseKind kind) { return list_rows(db, texts(kind).list, read_held); }

Result<std::vector<HeldLease>> stale_held(Db& db, LeaseKind kind) { return list_rows(db, texts(kind).stale, read_held); }

Result<bool> release_stale(Tx& tx, LeaseKind kind, const std::string& key) {
    return change_one(tx.db(), texts(kind).release_stale, key);
}

Status release_all_held(Tx& tx, std::int64_t task_id) {
    auto released = write_rows(tx.db(), texts(LeaseKind::merge).release_all, task_id);
    return released ? write_rows(tx.db(), texts(LeaseKind::target).release_all, task_id) : released;
}

std::string effect_key(std::int64_t task_id, std::int64_t stage_seq, int attempt, std::string_view kind) {
    return std::to_string(task_id) + '/' + std::to_string(stage_seq) + '/' + std::to_string(attempt) + '/' + std::string(kind);
}

Result<Effect> intend(Tx& tx, const std::string& key, std::int64_t task_id, const std::string& plan, std::int64_t fence,
                      const Now& now) {
    if (auto mine = require_newest(tx.db(), task_id, fence); !mine) return fail(mine.error());
    auto made = write_rows(tx.db(),
                           "INSERT INTO effects (key, task_id, state, fence, result, at) VALUES (?, ?, 'intended', ?, ?, ?)"
                           " ON CONFLICT DO NOTHING",
                           key, task_id, fence, plan, now.utc_ms);
    if (!made) return fail(made.error());
    auto effect = find_effect(tx.db(), key);
    if (!effect) return fail(effect.error());
    return std::move(**effect);
}

Status settle(Tx& tx, const std::string& key, EffectState state, const std::string& result, std::int64_t fence,
              const Now& now) {
    auto effect = find_effect(tx.db(), key);
    if (!effect) return fail(effect.error());
    if (!*effect) return fail(Errc::no_such, "no effect " + key + " was intended");
    if ((*effect)->state == state && state != EffectState::intended) return {};
    if ((*effect)->state != EffectState::intended || state == EffectState::intended)
        return fail(Errc::conflict, "effect " + key + " is " + std::string(to_text((*effect)->state)) + " already");
    if (auto mine = require_newest(tx.db(), (*effect)->task_id, fence); !mine) return mine;
    return write_rows(tx.db(), "UPDATE effects SET state = ?, result = ?, fence = ?, at = ? WHERE key = ?", to_text(state),
                      result, fence, now.utc_ms, key);
}

Result<std::optional<Effect>> find_effect(Db& db, const std::string& key) {
    return find_row(db, "SELECT key, task_id, state, fence, result, at FROM effects WHERE key = ?", read_effect, key);
}

Result<std::optional<Effect>> newest_merge(Db& db, std::int64_t task_id) {
    // All keys of the task and no other's: '0' is the character after '/'.
    return find_row(db,
                    "SELECT key, task_id, state, fence, result, at FROM effects WHERE key > ?1 || '/' AND key < ?1 || '0'"
                    " AND key GLOB '*/merge' AND state <> 'abandoned' ORDER BY fence DESC, at DESC LIMIT 1",
                    read_effect, task_id);
}

}  // namespace orchd::store
