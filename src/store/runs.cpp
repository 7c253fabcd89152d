// Runs, and the moves of a job that has one.
#include <string>

#include "store/job_rows.h"

namespace orchd::store {
namespace {

std::string run_query(std::string_view where) {
    return "SELECT " + std::string(run_columns) + " FROM runs AS r WHERE " + std::string(where);
}

// The run of the task's live job that runs a unit.
constexpr std::string_view of_live_job =
    "r.id = (SELECT run_id FROM jobs WHERE unique_key = 'run:' || ? AND status IN ('queued', 'running', 'stopping'))";

Run whole_run(const Row& row) { return read_run(row); }

// Closes the run of a job that just left it.
Result<bool> and_close(Tx& tx, Result<bool> moved, std::int64_t run_id, const std::string& head_after, const Now& now) {
    if (!moved || !*moved) return moved;
    return change_one(tx.db(), "UPDATE runs SET finished_at = ?1, head_after = iif(?2 = '', head_after, ?2) WHERE id = ?3",
                      now.utc_ms, head_after, run_id);
}

}  // namespace

Result<std::optional<Run>> find_run(Db& db, std::int64_t id) {
    static const std::string sql = run_query("r.id = ?");
    return find_row(db, sql, whole_run, id);
}

Result<std::vector<Run>> list_runs(Db& db, std::int64_t task_id) {
    static const std::string sql = run_query("r.task_id = ? ORDER BY r.id");
    return list_rows(db, sql, whole_run, task_id);
}

Result<bool> mark_prepared(Tx& tx, std::int64_t run_id, const std::string& head_before, const Now& now) {
    return change_one(tx.db(),
                      "UPDATE runs SET prepared_at = ?, head_before = ? WHERE id = ? AND prepared_at IS NULL"
                      " AND EXISTS (SELECT 1 FROM jobs WHERE id = runs.job_id AND run_id = runs.id AND status = 'running')",
                      now.utc_ms, head_before, run_id);
}

Status set_job_error(Tx& tx, std::int64_t job_id, std::int64_t run_id, const std::string& error) {
    return write_rows(tx.db(), "UPDATE jobs SET error = ? WHERE id = ? AND run_id = ? AND status IN ('running', 'stopping')",
                      error, job_id, run_id);
}

Status set_invocation(Tx& tx, std::int64_t run_id, const std::string& invocation_id) {
    auto known = change_one(tx.db(), "UPDATE runs SET invocation_id = ?1 WHERE id = ?2 AND invocation_id IN ('', ?1)",
                            invocation_id, run_id);
    if (!known) return fail(known.error());
    if (!*known) return fail(Errc::conflict, "run " + std::to_string(run_id) + " has another invocation, or is unknown");
    return {};
}

Result<std::optional<Run>> run_for_exit(Db& db, std::int64_t task_id, const std::string& unit,
                                        const std::string& invocation_id) {
    static const std::string by_invocation =
        run_query("r.task_id = ? AND r.invocation_id <> '' AND r.invocation_id = ? ORDER BY r.id DESC LIMIT 1");
    static const std::string not_known_yet =
        run_query(std::string(of_live_job) +
                  " AND r.prepared_at IS NOT NULL AND r.invocation_id = '' AND r.exit_kind IS NULL AND ? IN ('', r.unit)");
    auto found = find_row(db, by_invocation, whole_run, task_id, invocation_id);
    if (!found || *found) return found;
    return find_row(db, not_known_yet, whole_run, task_id, unit);
}

Result<bool> record_exit(Tx& tx, std::int64_t run_id, Exit exit, const std::string& invocation_id, const Now& now) {
    return change_one(tx.db(),
                      "UPDATE runs SET exit_kind = ?1, exit_status = ?2, exited_at = ?3,"
                      " invocation_id = iif(invocation_id = '', ?4, invocation_id) WHERE id = ?5 AND exit_kind IS NULL",
                      to_text(exit.kind), exit.status, now.utc_ms, invocation_id, run_id);
}

Result<std::optional<Run>> unfinished_exit(Db& db, std::int64_t task_id) {
    static const std::string sql = run_query(std::string(of_live_job) + " AND r.exit_kind IS NOT NULL");
    return find_row(db, sql, whole_run, task_id);
}

Result<bool> finish_job(Tx& tx, std::int64_t job_id, std::int64_t run_id, JobStatus to, const std::string& error,
                        const std::string& head_after, const Now& now) {
    if (live(to)) return fail(Errc::internal, "a job is not finished by making it " + std::string(to_text(to)));
    auto moved = change_one(tx.db(),
                            "UPDATE jobs SET status = ?, finished_at = ?, error = ? WHERE id = ? AND run_id = ?"
                            " AND status IN ('running', 'stopping')",
                            to_text(to), now.utc_ms, error, job_id, run_id);
    return and_close(tx, std::move(moved), run_id, head_after, now);
}

Result<bool> begin_stopping(Tx& tx, std::int64_t job_id, std::int64_t run_id, const std::string& why,
                            std::optional<std::int64_t> retry_at) {
    return change_one(tx.db(),
                      "UPDATE jobs SET status = 'stopping', error = ?, retry_at = ? WHERE id = ? AND run_id = ?"
                      " AND status = 'running'",
                      why, retry_at, job_id, run_id);
}

Result<bool> requeue(Tx& tx, std::int64_t job_id, std::int64_t run_id, const Due& due, const std::string& error, const Now& now,
                     Waits waits) {
    auto& db = tx.db();
    // Of an advance that was asked for again meanwhile one is enough: the newer one asks the same.
    auto asked_again = find_row(db,
                                "SELECT id FROM jobs WHERE unique_key = (SELECT 'advance:' || task_id FROM jobs WHERE id = ?"
                                " AND kind = 'advance') AND status IN ('queued', 'running', 'stopping')",
                                first_integer, job_id);
    if (!asked_again) return fail(asked_again.error());
    const auto when = settled(due, now);
    if (*asked_again) {
        auto taken_over = write_rows(
            db,
            "UPDATE jobs SET attempts = max(attempts, (SELECT attempts FROM jobs WHERE id = ?1)),"
            " available_boot = iif(available_at < ?3, ?4, available_boot),"
            " available_boot_id = iif(available_at < ?3, ?5, available_boot_id), available_at = max(available_at, ?3)"
            " WHERE id = ?2 AND EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND run_id = ?6 AND status = 'stopping')",
            job_id, **asked_again, when.utc_ms, when.boot_ms, when.boot_id, run_id);
        if (!taken_over) return fail(taken_over.error());
    }
    auto moved =
        *asked_again
            ? change_one(db,
                         "UPDATE jobs SET status = 'cancelled', finished_at = ?, error = ? WHERE id = ? AND run_id = ?"
                         " AND status = 'stopping'",
                         now.utc_ms, error + " (job " + std::to_string(**asked_again) + " asks again)", job_id, run_id)
            : change_one(db,
                         "UPDATE jobs SET status = 'queued', run_id = NULL, started_at = NULL, available_at = ?1,"
                         " available_boot = ?2, available_boot_id = ?3, error = ?4, retry_at = iif(?7, ?1, NULL),"
                         " deferrals = deferrals + ?7, deferred_since = iif(?7, coalesce(deferred_since, ?8),"
                         " deferred_since) WHERE id = ?5 AND run_id = ?6 AND status = 'stopping'",
                         when.utc_ms, when.boot_ms, when.boot_id, error, job_id, run_id, waits == Waits::as_asked, now.utc_ms);
    return and_close(tx, std::move(moved), run_id, "", now);
}

Result<bool> cancel_queued(Tx& tx, std::int64_t job_id, const std::string& why, const Now& now, Comes comes) {
    return change_one(tx.db(),
                      "UPDATE jobs SET status = 'cancelled', blocked = 0, finished_at = ?, error = ?, comes_again = ?"
                      " WHERE id = ? AND status = 'queued'",
                      now.utc_ms, why, comes == Comes::again, job_id);
}

Result<int> count_dead_tick(Tx& tx, std::int64_t run_id, bool seen_empty, std::int64_t apart_ms, const Now& now) {
    // A run that was and is seen alive writes nothing. A tick later than now is one of an earlier boot.
    auto count = find_row(tx.db(),
                          "UPDATE runs SET dead_ticks = iif(?1, dead_ticks + 1, 0), ticked_boot = iif(?1, ?3, NULL)"
                          " WHERE id = ?2 AND (?1 OR dead_ticks > 0)"
                          " AND (NOT ?1 OR ticked_boot IS NULL OR ticked_boot + ?4 <= ?3 OR ticked_boot > ?3)"
                          " RETURNING dead_ticks",
                          first_integer, seen_empty, run_id, now.boot_ms, apart_ms);
    return count.map([](const auto& row) { return static_cast<int>(row.value_or(0)); });
}

Status set_usage(Tx& tx, std::int64_t run_id, const std::string& json) {
    return write_rows(tx.db(), "UPDATE runs SET usage = ? WHERE id = ?", json, run_id);
}

}  // namespace orchd::store
