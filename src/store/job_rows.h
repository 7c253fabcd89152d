// Columns of jobs and runs as they are read everywhere; private to the store.
#pragma once

#include <string>
#include <string_view>

#include "store/jobs.h"
#include "store/query.h"

namespace orchd::store {

inline constexpr std::string_view job_columns =
    "j.id, j.task_id, j.project_id, j.stage_seq, j.kind, j.role, j.status, j.priority, j.available_at, j.attempts,"
    " j.max_attempts, j.run_id, j.started_at, j.finished_at, j.\"commit\", j.error, j.blocked, j.created_at, j.available_boot,"
    " j.deferrals, j.deferred_since, j.retry_at";
inline constexpr int job_column_count = 22;
inline constexpr std::string_view run_columns =
    "r.id, r.job_id, r.task_id, r.unit, r.boot_id, r.invocation_id, r.started_at, r.started_boot, r.prepared_at, r.exit_kind,"
    " r.exit_status, r.exited_at, r.finished_at, r.dead_ticks, r.usage, r.head_before, r.head_after";
inline constexpr int run_column_count = 17;

// Due "at once" is written as the present time of this boot, so that within a lane the jobs stand in the order in which they
// became due, and one that waited for its time is not overtaken for ever.
[[nodiscard]] inline Due settled(const Due& due, const Now& now) {
    return due.boot_ms == 0 ? Due{now.utc_ms, now.boot_ms, now.boot_id} : due;
}
[[nodiscard]] Job read_job(const Row& row);
// From column `first` on; all zero where the columns are NULL (an outer join without a run).
[[nodiscard]] Run read_run(const Row& row, int first = 0);
// Job, run, work item and project's name, in the order of claim_query().
[[nodiscard]] Claim read_claim(const Row& row);
// "SELECT … FROM jobs AS j … " with the runs joined `on` the condition given, up to the WHERE. `hint`: an INDEXED BY where the
// planner, which does not know how few live rows there are, would walk the table in the order asked for.
[[nodiscard]] std::string claim_query(std::string_view on, std::string_view hint = {});

}  // namespace orchd::store
