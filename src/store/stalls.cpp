#include "store/stalls.h"

#include "store/query.h"

namespace orchd::store {
namespace {

Stall read_stall(const Row& row) {
    return {.run_id = row.integer(0),
            .part = word<StallPart>(row, 1),
            .state = word<StallState>(row, 2),
            .tries = static_cast<int>(row.integer(3)),
            .lasting = row.integer(4) != 0,
            .words = row.text(5),
            .at = row.integer(6),
            .due = {row.integer(7), row.integer(8), row.text(9)}};
}

}  // namespace

Result<std::optional<Stall>> find_stall(Db& db, std::int64_t run_id, StallPart part) {
    return find_row(db,
                    "SELECT run_id, part, state, tries, lasting, words, at, due_at, due_boot, due_boot_id FROM stalls"
                    " WHERE run_id = ? AND part = ?",
                    read_stall, run_id, to_text(part));
}

Result<std::optional<Stall>> last_stall(Db& db, std::int64_t run_id) {
    auto end = find_stall(db, run_id, StallPart::end);
    return !end || *end ? end : find_stall(db, run_id, StallPart::beginning);
}

Status put_stall(Tx& tx, const Stall& stall) {
    return write_rows(tx.db(),
                      "INSERT INTO stalls (run_id, part, state, tries, lasting, words, at, due_at, due_boot, due_boot_id)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (run_id, part) DO UPDATE SET state = ?3,"
                      " tries = ?4, lasting = ?5, words = ?6, at = ?7, due_at = ?8, due_boot = ?9, due_boot_id = ?10",
                      stall.run_id, to_text(stall.part), to_text(stall.state), stall.tries, stall.lasting, stall.words,
                      stall.at, stall.due.utc_ms, stall.due.boot_ms, stall.due.boot_id);
}

Result<int> beginnings_failed_before(Db& db, std::int64_t job_id, std::int64_t run_id) {
    auto tries = find_row(db,
                          "SELECT tries FROM stalls WHERE part = 'beginning' AND run_id = (SELECT max(id) FROM runs"
                          " WHERE task_id = (SELECT task_id FROM jobs WHERE id = ?1) AND job_id = ?1 AND id < ?2)",
                          first_integer, job_id, run_id);
    return tries.map([](const auto& row) { return static_cast<int>(row.value_or(0)); });
}

Result<std::optional<std::int64_t>> run_without_end(Db& db, std::int64_t job_id) {
    return find_row(db,
                    "SELECT run_id FROM stalls WHERE part = 'end' AND state = 'given_up' AND run_id = (SELECT max(id) FROM runs"
                    " WHERE task_id = (SELECT task_id FROM jobs WHERE id = ?1) AND job_id = ?1)",
                    first_integer, job_id);
}

Result<StalledCounts> count_stalled(Db& db) {
    // From what is live, by the runs of its task: what has ended is not read.
    auto counts = find_row(db,
                           "SELECT count(iif(s.part = 'beginning', 1, NULL)),"
                           " count(iif(s.part = 'end' AND (j.status = 'running' OR s.state = 'given_up'), 1, NULL))"
                           " FROM jobs AS j INDEXED BY jobs_one_live CROSS JOIN stalls AS s ON s.run_id = coalesce(j.run_id,"
                           " (SELECT max(id) FROM runs WHERE task_id = j.task_id AND job_id = j.id))"
                           " WHERE j.status IN ('queued', 'running', 'stopping')",
                           [](const Row& row) {
                               return StalledCounts{row.integer(0), row.integer(1)};
                           });
    if (!counts) return fail(counts.error());
    return counts->value_or(StalledCounts{});
}

}  // namespace orchd::store
