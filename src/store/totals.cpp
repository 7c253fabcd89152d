#include "store/totals.h"

#include "store/query.h"

namespace orchd::store {
namespace {

Result<std::vector<Count>> counts(Db& db, std::string_view sql) {
    return list_rows(db, sql, [](const Row& row) { return Count{row.text(0), row.integer(1)}; });
}

}  // namespace

Result<std::vector<Total>> totals(Db& db) {
    return list_rows(db, "SELECT what, word, ended, n FROM totals ORDER BY what, word, ended", [](const Row& row) {
        return Total{.what = row.text(0), .word = row.text(1), .ended = row.text(2), .n = row.integer(3)};
    });
}

Result<std::vector<Count>> held_tasks(Db& db) {
    return counts(db, "SELECT hold, count(*) FROM tasks WHERE hold <> 'none' GROUP BY hold");
}

Result<std::vector<Count>> waiting_counts(Db& db) {
    return counts(db, "SELECT waiting_for, count(*) FROM tasks WHERE waiting_for <> '' GROUP BY waiting_for");
}

Result<std::vector<Count>> pending_posts(Db& db) {
    return counts(db, "SELECT channel, count(*) FROM outbox WHERE state = 'pending' GROUP BY channel");
}

Result<std::optional<std::int64_t>> oldest_pending_delivery(Db& db) {
    return find_row(db, "SELECT received_at FROM deliveries WHERE state = 'pending' ORDER BY id LIMIT 1", first_integer);
}

Result<std::int64_t> events_appended(Db& db) {
    const auto n =
        find_row(db,
                 "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"
                 " - coalesce((SELECT CAST(value AS INTEGER) FROM settings_state WHERE key = 'event_ids_skipped'), 0)",
                 first_integer);
    if (!n) return fail(n.error());
    return **n;
}

Result<std::int64_t> data_version(Db& db) {
    auto version = find_row(db, "PRAGMA data_version", first_integer);
    if (!version) return fail(version.error());
    return **version;
}

}  // namespace orchd::store
