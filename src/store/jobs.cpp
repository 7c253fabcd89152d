#include "store/jobs.h"

#include "store/facts.h"
#include "store/job_rows.h"

namespace orchd::store {
namespace {

// Times of one boot are compared on its clock, others by the wall clock.
constexpr std::string_view bring_forward =
    "UPDATE jobs SET available_at = ?1, available_boot = ?2, available_boot_id = ?3"
    " WHERE unique_key = 'advance:' || ?4 AND status IN ('queued', 'running', 'stopping')"
    " AND iif(available_boot = 0 OR available_boot_id = ?3, available_boot > ?2, available_at > ?1)";

std::string job_query(std::string_view where) {
    return "SELECT " + std::string(job_columns) + " FROM jobs AS j WHERE " + std::string(where);
}

}  // namespace

Job read_job(const Row& row) {
    return {.id = row.integer(0),
            .task_id = row.integer(1),
            .project_id = row.integer(2),
            .stage_seq = row.integer(3),
            .kind = word<JobKind>(row, 4),
            .role = word<Role>(row, 5),
            .status = word<JobStatus>(row, 6),
            .priority = static_cast<int>(row.integer(7)),
            .available_at = row.integer(8),
            .attempts = static_cast<int>(row.integer(9)),
            .max_attempts = static_cast<int>(row.integer(10)),
            .run_id = row.maybe_integer(11),
            .started_at = row.maybe_integer(12),
            .finished_at = row.maybe_integer(13),
            .commit = row.text(14),
            .error = row.text(15),
            .blocked = row.integer(16) != 0,
            .created_at = row.integer(17),
            .available_boot = row.integer(18),
            .deferrals = static_cast<int>(row.integer(19)),
            .deferred_since = row.maybe_integer(20),
            .retry_at = row.maybe_integer(21)};
}

Run read_run(const Row& row, int first) {
    std::optional<Exit> exit;
    if (!row.null(first + 9)) exit = Exit{word<ExitKind>(row, first + 9), static_cast<int>(row.integer(first + 10))};
    return {.id = row.integer(first),
            .job_id = row.integer(first + 1),
            .task_id = row.integer(first + 2),
            .unit = row.text(first + 3),
            .boot_id = row.text(first + 4),
            .invocation_id = row.text(first + 5),
            .started_at = row.integer(first + 6),
            .started_boot = row.integer(first + 7),
            .prepared_at = row.maybe_integer(first + 8),
            .exit = exit,
            .exited_at = row.maybe_integer(first + 11),
            .finished_at = row.maybe_integer(first + 12),
            .dead_ticks = static_cast<int>(row.integer(first + 13)),
            .usage = row.text(first + 14),
            .head_before = row.text(first + 15),
            .head_after = row.text(first + 16)};
}

Claim read_claim(const Row& row) {
    constexpr int after_run = job_column_count + run_column_count;
    return {.job = read_job(row),
            .run = read_run(row, job_column_count),
            .work_item = row.text(after_run),
            .project = row.text(after_run + 1)};
}

std::string claim_query(std::string_view on, std::string_view hint) {
    return "SELECT " + std::string(job_columns) + ", " + std::string(run_columns) + ", t.work_item, p.name FROM jobs AS j " +
           std::string(hint) + " LEFT JOIN runs AS r ON " + std::string(on) +
           " JOIN tasks AS t ON t.id = j.task_id JOIN projects AS p ON p.id = j.project_id ";
}

namespace {

// Of the predecessor that was cancelled to come again, where the task's newest job of this role and stage number is one. Its
// waiting time is kept only where a run asked for it.
Status go_on_from_predecessor(Db& db, std::int64_t job_id) {
    return write_rows(
        db,
        "UPDATE jobs SET attempts = before.attempts, deferrals = before.deferrals, deferred_since = before.deferred_since,"
        " retry_at = iif(before.retry_at > jobs.available_at, before.retry_at, NULL),"
        " available_at = iif(before.retry_at > jobs.available_at, before.available_at, jobs.available_at),"
        " available_boot = iif(before.retry_at > jobs.available_at, before.available_boot, jobs.available_boot),"
        " available_boot_id = iif(before.retry_at > jobs.available_at, before.available_boot_id, jobs.available_boot_id)"
        " FROM (SELECT * FROM jobs WHERE task_id = (SELECT task_id FROM jobs WHERE id = ?1) AND id < ?1"
        " AND role = (SELECT role FROM jobs WHERE id = ?1) ORDER BY id DESC LIMIT 1) AS before"
        " WHERE jobs.id = ?1 AND before.comes_again = 1 AND before.stage_seq = jobs.stage_seq",
        job_id);
}

}  // namespace

Result<std::optional<std::int64_t>> enqueue(Tx& tx, const NewJob& job, const Now& now) {
    auto& db = tx.db();
    const auto due = settled(job.due, now);
    auto made = find_row(db,
                         "INSERT INTO jobs (task_id, project_id, stage_seq, kind, role, status, priority, available_at,"
                         " available_boot, available_boot_id, max_attempts, \"commit\", created_at)"
                         " SELECT id, project_id, stage_seq, ?2, ?3, 'queued', priority, ?4, ?5, ?6, ?7, ?8, ?9 FROM tasks"
                         " WHERE id = ?1 ON CONFLICT DO NOTHING RETURNING id",
                         first_integer, job.task_id, to_text(kind_of(job.role)), to_text(job.role), due.utc_ms, due.boot_ms,
                         due.boot_id, job.max_attempts, job.commit, now.utc_ms);
    if (made && *made && kind_of(job.role) != JobKind::advance)
        if (auto gone_on = go_on_from_predecessor(db, **made); !gone_on) return fail(gone_on.error());
    if (!made || *made) return made;
    auto known = find_row(db, "SELECT 1 FROM tasks WHERE id = ?", first_integer, job.task_id);
    if (!known) return fail(known.error());
    if (!*known) return fail(Errc::no_such, "there is no task with number " + std::to_string(job.task_id));
    if (job.role == Role::step) {
        auto forward = write_rows(db, bring_forward, due.utc_ms, due.boot_ms, due.boot_id, job.task_id);
        if (!forward) return fail(forward.error());
    }
    return std::nullopt;
}

Result<std::optional<Job>> find_job(Db& db, std::int64_t id) {
    static const std::string sql = job_query("j.id = ?");
    return find_row(db, sql, read_job, id);
}

Result<std::optional<Job>> live_run_job(Db& db, std::int64_t task_id) {
    static const std::string sql = job_query("j.unique_key = 'run:' || ? AND j.status IN ('queued', 'running', 'stopping')");
    return find_row(db, sql, read_job, task_id);
}

Result<std::optional<Job>> queued_advance(Db& db, std::int64_t task_id) {
    static const std::string sql =
        job_query("j.unique_key = 'advance:' || ? AND j.status IN ('queued', 'running', 'stopping') AND j.status = 'queued'");
    return find_row(db, sql, read_job, task_id);
}

Result<std::optional<Job>> running_advance(Db& db, std::int64_t task_id) {
    static const std::string sql = job_query(
        "j.unique_key = 'advancing:' || ? AND j.status IN ('queued', 'running', 'stopping') AND j.status = 'running'");
    return find_row(db, sql, read_job, task_id);
}

Result<bool> worked(Db& db, std::int64_t task_id, std::int64_t stage_seq, Role role) {
    return find_row(db, "SELECT 1 FROM jobs WHERE task_id = ? AND stage_seq = ? AND role = ? AND status = 'done' LIMIT 1",
                    first_integer, task_id, stage_seq, to_text(role))
        .map([](const auto& found) { return found.has_value(); });
}

Result<std::vector<Claim>> live_jobs(Db& db) {
    static const std::string sql =
        claim_query("r.id = j.run_id", "INDEXED BY jobs_running") + "WHERE j.status IN ('running', 'stopping') ORDER BY j.id";
    return list_rows(db, sql, read_claim);
}

Result<std::vector<Claim>> list_jobs(Db& db, const JobFilter& filter) {
    std::string sql = claim_query(
        "r.id = coalesce(j.run_id, (SELECT max(id) FROM runs WHERE task_id = j.task_id"
        " AND job_id = j.id))");
    sql += "WHERE (?1 IS NULL OR j.status = ?1)";
    // Parameters keep their numbers; a condition that is not asked for must not stand in the way of an index.
    sql += filter.project.empty() ? " AND ?2 = ''" : " AND p.name = ?2";
    sql += filter.work_item.empty() ? " AND ?3 = ''" : " AND t.work_item = ?3";
    // By way of the index of what is live, in the order of ids: neither what is done nor more than the limit is read.
    if (filter.only_live || (filter.status && live(*filter.status)))
        sql += " AND j.id IN (SELECT id FROM jobs INDEXED BY jobs_one_live WHERE status IN ('queued', 'running', 'stopping'))";
    if (filter.only_ended) sql += " AND j.status IN ('done', 'failed', 'cancelled')";
    sql += filter.oldest_first ? " ORDER BY j.id LIMIT ?4" : " ORDER BY j.id DESC LIMIT ?4";
    const auto status = filter.status ? std::optional(to_text(*filter.status)) : std::nullopt;
    return list_rows(db, sql, read_claim, status, filter.project, filter.work_item, filter.limit);
}

Result<QueueCounts> queue_counts(Db& db) {
    // Each is counted in an index of live jobs alone.
    auto counts = find_row(db,
                           "SELECT (SELECT count(*) FROM jobs WHERE status = 'queued' AND blocked = 0),"
                           " (SELECT count(*) FROM jobs WHERE status = 'queued' AND blocked = 1),"
                           " (SELECT count(*) FROM jobs WHERE status IN ('running', 'stopping') AND status = 'running'),"
                           " (SELECT count(*) FROM jobs WHERE status IN ('running', 'stopping') AND status = 'stopping')",
                           [](const Row& row) {
                               return QueueCounts{.queued = row.integer(0) + row.integer(1),
                                                  .blocked = row.integer(1),
                                                  .running = row.integer(2),
                                                  .stopping = row.integer(3)};
                           });
    if (!counts) return fail(counts.error());
    return **counts;
}

Result<std::optional<std::int64_t>> oldest_start(Db& db) {
    auto oldest =
        find_row(db, "SELECT min(started_at) FROM jobs INDEXED BY jobs_running WHERE status IN ('running', 'stopping')",
                 [](const Row& row) { return row.maybe_integer(0); });
    if (!oldest) return fail(oldest.error());
    return oldest->value_or(std::nullopt);
}

Result<std::vector<ProjectCounts>> project_counts(Db& db) {
    return list_rows(db,
                     "SELECT id, (SELECT count(*) FROM tasks WHERE project_id = p.id AND stage NOT IN ('done', 'cancelled')),"
                     " (SELECT count(*) FROM jobs WHERE project_id = p.id AND status = 'queued' AND blocked = 0)"
                     " + (SELECT count(*) FROM jobs WHERE project_id = p.id AND status = 'queued' AND blocked = 1),"
                     " (SELECT count(*) FROM jobs WHERE project_id = p.id AND status IN ('running', 'stopping'))"
                     " FROM projects AS p ORDER BY id",
                     [](const Row& row) {
                         return ProjectCounts{.project_id = row.integer(0),
                                              .open_tasks = row.integer(1),
                                              .queued = row.integer(2),
                                              .running = row.integer(3)};
                     });
}

Result<bool> any_impossible_queued(Db& db) {
    return find_row(db,
                    "SELECT 1 FROM jobs WHERE status = 'queued'"
                    " AND (run_id IS NOT NULL OR started_at IS NOT NULL OR finished_at IS NOT NULL) LIMIT 1",
                    first_integer)
        .map([](const auto& found) { return found.has_value(); });
}

Result<int> heal_impossible_queued(Tx& tx, const Now& now) {
    auto healed = change(tx.db(),
                         "UPDATE jobs SET run_id = NULL, started_at = NULL, finished_at = NULL WHERE status = 'queued'"
                         " AND (run_id IS NOT NULL OR started_at IS NOT NULL OR finished_at IS NOT NULL)");
    if (!healed || *healed == 0) return healed;
    if (auto counted = add_to_counter(tx, "impossible_queued_total", *healed, now); !counted) return fail(counted.error());
    return healed;
}

}  // namespace orchd::store
