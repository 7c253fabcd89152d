#include "store/astray.h"

#include "store/query.h"

namespace orchd::store {
namespace {

Astray read(const Row& row) {
    return {.source = row.text(0),
            .repository = row.integer(1),
            .name = row.text(2),
            .first_at = row.integer(3),
            .last_at = row.integer(4),
            .n = row.integer(5)};
}

}  // namespace

Result<Astray> note_astray(Tx& tx, const std::string& source, std::int64_t repository, const std::string& name,
                           std::int64_t at) {
    auto put =
        write_rows(tx.db(),
                   "INSERT INTO deliveries_astray (source, repository, name, first_at, last_at, n)"
                   " VALUES (?1, ?2, ?3, ?4, ?4, 1) ON CONFLICT DO UPDATE SET first_at = min(first_at, excluded.first_at),"
                   " last_at = max(last_at, excluded.last_at), n = n + 1",
                   source, repository, name, at);
    if (!put) return fail(put.error());
    auto row = find_row(tx.db(),
                        "SELECT source, repository, name, first_at, last_at, n FROM deliveries_astray"
                        " WHERE source = ? AND repository = ? AND name = ?",
                        read, source, repository, name);
    if (!row) return fail(row.error());
    return row->value_or(Astray{});
}

Result<std::vector<Astray>> list_astray(Db& db, int at_most) {
    return list_rows(db,
                     "SELECT source, repository, name, first_at, last_at, n FROM deliveries_astray"
                     " ORDER BY last_at DESC, name LIMIT ?",
                     read, at_most);
}

Result<int> forget_astray(Tx& tx, std::int64_t silent_since) {
    return change(tx.db(), "DELETE FROM deliveries_astray WHERE last_at < ?", silent_since);
}

}  // namespace orchd::store
