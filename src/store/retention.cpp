#include "store/retention.h"

#include "store/facts.h"
#include "store/query.h"

namespace orchd::store {
namespace {

// `last_seen` finds the last of `rows` rows behind an id; `remove` takes the rows between both that are old enough.
Result<Pruned> prune(Db& db, std::string_view last_seen, std::string_view remove, std::int64_t kept_from, std::int64_t after_id,
                     int rows) {
    auto seen = find_row(
        db, last_seen, [](const Row& row) { return std::pair(row.maybe_integer(0), row.integer(1)); }, after_id, rows);
    if (!seen) return fail(seen.error());
    if (!*seen || !(*seen)->first) return Pruned{0, after_id, false};
    const auto [last, count] = **seen;
    auto removed = change(db, remove, after_id, *last, kept_from);
    if (!removed) return fail(removed.error());
    return Pruned{*removed, *last, count == rows};
}

}  // namespace

Result<Pruned> prune_events(Tx& tx, std::int64_t kept_from, std::int64_t after_id, int rows, const Now& now) {
    auto told = put_state(
        tx,
        {.key = "events_kept_from", .value = std::to_string(kept_from), .by = "maintenance", .reason = "", .at = now.utc_ms});
    if (!told) return fail(told.error());
    return prune(tx.db(), "SELECT max(id), count(*) FROM (SELECT id FROM events WHERE id > ? ORDER BY id LIMIT ?)",
                 "DELETE FROM events WHERE id > ? AND id <= ? AND at < ? AND NOT EXISTS (SELECT 1 FROM tasks"
                 " WHERE tasks.id = events.task_id AND tasks.stage NOT IN ('done', 'cancelled'))",
                 kept_from, after_id, rows);
}

Result<Pruned> prune_posts(Tx& tx, std::int64_t kept_from, std::int64_t after_id, int rows) {
    return prune(
        tx.db(), "SELECT max(id), count(*) FROM (SELECT id FROM outbox WHERE id > ? ORDER BY id LIMIT ?)",
        "DELETE FROM outbox WHERE id > ? AND id <= ? AND state = 'done' AND done_at < ? AND NOT EXISTS (SELECT 1 FROM"
        " tasks WHERE tasks.work_item = json_extract(outbox.body, '$.task') AND tasks.stage NOT IN ('done', 'cancelled'))",
        kept_from, after_id, rows);
}

Result<Pruned> prune_deliveries(Tx& tx, std::int64_t kept_from, int rows) {
    Pruned pruned;
    for (const auto* state : {"done", "ignored", "refused"}) {
        auto removed = change(tx.db(),
                              "DELETE FROM deliveries WHERE id IN (SELECT id FROM (SELECT id, received_at FROM deliveries"
                              " WHERE state = ? ORDER BY id LIMIT ?) WHERE received_at < ?)",
                              state, rows, kept_from);
        if (!removed) return fail(removed.error());
        pruned.removed += *removed;
        pruned.more = pruned.more || *removed == rows;
    }
    return pruned;
}

Result<std::vector<std::string>> stale_releases(Db& db, const std::string& project, int keep) {
    return list_rows(
        db,
        "SELECT \"commit\" FROM releases WHERE project = ?1 AND state IN ('replaced', 'failed', 'rolled_back')"
        " AND \"commit\" NOT IN (SELECT previous FROM releases WHERE project = ?1 AND state = 'live')"
        " ORDER BY at DESC, \"commit\" LIMIT -1 OFFSET ?2",
        [](const Row& row) { return row.text(0); }, project, keep);
}

Result<std::vector<std::string>> release_commits(Db& db, const std::string& project) {
    return list_rows(
        db, "SELECT \"commit\" FROM releases WHERE project = ?", [](const Row& row) { return row.text(0); }, project);
}

}  // namespace orchd::store
