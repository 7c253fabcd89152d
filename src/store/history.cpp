// The outbox and the event history.
#include "store/facts.h"
#include "store/query.h"

namespace orchd::store {
namespace {

Event read_event(const Row& row) {
    return {.id = row.integer(0),
            .at = row.integer(1),
            .actor = row.text(2),
            .task_id = row.maybe_integer(3),
            .job_id = row.maybe_integer(4),
            .kind = row.text(5),
            .data = row.text(6)};
}

}  // namespace

Result<bool> post(Tx& tx, const std::string& channel, const std::string& dedup_key, const std::string& body, const Now& now) {
    return change_one(tx.db(),
                      "INSERT INTO outbox (channel, dedup_key, body, available_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                      channel, dedup_key, body, now.utc_ms);
}

Result<std::vector<OutboxRow>> due_posts(Db& db, const std::string& channel, int at_most, const Now& now) {
    return list_rows(
        db,
        "SELECT id, channel, dedup_key, body, attempts FROM outbox WHERE channel = ?1 AND state = 'pending'"
        " AND (available_boot = 0 OR iif(available_boot_id = ?2, available_boot <= ?3, available_at <= ?4))"
        " ORDER BY id LIMIT ?5",
        [](const Row& row) {
            return OutboxRow{.id = row.integer(0),
                             .channel = row.text(1),
                             .dedup_key = row.text(2),
                             .body = row.text(3),
                             .attempts = static_cast<int>(row.integer(4))};
        },
        channel, now.boot_id, now.boot_ms, now.utc_ms, at_most);
}

Status mark_posted(Tx& tx, std::int64_t id, const Now& now) {
    return write_rows(tx.db(), "UPDATE outbox SET state = 'done', done_at = ? WHERE id = ? AND state = 'pending'", now.utc_ms,
                      id);
}

Status put_off_post(Tx& tx, std::int64_t id, const Due& due) {
    return write_rows(tx.db(),
                      "UPDATE outbox SET attempts = attempts + 1, available_at = ?, available_boot = ?, available_boot_id = ?"
                      " WHERE id = ? AND state = 'pending'",
                      due.utc_ms, due.boot_ms, due.boot_id, id);
}

Result<std::int64_t> append_event(Tx& tx, const Event& event) {
    auto made = write_rows(tx.db(), "INSERT INTO events (at, actor, task_id, job_id, kind, data) VALUES (?, ?, ?, ?, ?, ?)",
                           event.at, event.actor, event.task_id, event.job_id, event.kind, event.data);
    if (!made) return fail(made.error());
    return tx.db().last_insert_rowid();
}

Result<std::vector<Event>> list_events(Db& db, const EventFilter& filter) {
    std::string sql = "SELECT id, at, actor, task_id, job_id, kind, data FROM events WHERE id > ?1";
    sql += filter.task_id ? " AND task_id = ?2" : " AND ?2 IS NULL";
    // Of the whole history the newest; after an id the next ones.
    sql += filter.after_id == 0 ? " ORDER BY id DESC LIMIT ?3" : " ORDER BY id LIMIT ?3";
    if (filter.after_id == 0) sql = "SELECT * FROM (" + sql + ") ORDER BY id";
    return list_rows(db, sql, read_event, filter.after_id, filter.task_id, filter.limit);
}

Result<std::vector<Event>> next_events(Db& db, std::int64_t after_id, int at_most) {
    return list_rows(db, "SELECT id, at, actor, task_id, job_id, kind, data FROM events WHERE id > ? ORDER BY id LIMIT ?",
                     read_event, after_id, at_most);
}

Result<std::int64_t> newest_event_id(Db& db) {
    auto id = find_row(db, "SELECT coalesce(max(id), 0) FROM events", first_integer);
    if (!id) return fail(id.error());
    return **id;
}

}  // namespace orchd::store
