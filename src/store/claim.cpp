// Claims: a plan carried out.
#include <utility>

#include "core/names.h"
#include "core/planted.h"
#include "store/claim_plan.h"
#include "store/job_rows.h"
#include "store/stalls.h"

namespace orchd::store {
namespace {

std::string_view unit_stem(JobKind kind) {
    switch (kind) {
        case JobKind::advance:
            return names::step;
        case JobKind::deploy:
            return names::deploy;
        case JobKind::agent:
        case JobKind::check:
            break;
    }
    return names::agent;
}

Result<std::int64_t> new_run(Db& db, std::int64_t job_id, Role role, const Now& now) {
    auto work_item = find_row(
        db, "SELECT work_item FROM tasks WHERE id = (SELECT task_id FROM jobs WHERE id = ?)",
        [](const Row& row) { return row.text(0); }, job_id);
    if (!work_item) return fail(work_item.error());
    auto run_id = find_row(db,
                           "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot)"
                           " SELECT id, task_id, ?2, ?3, ?4, ?5 FROM jobs WHERE id = ?1 RETURNING id",
                           first_integer, job_id, names::unit(unit_stem(kind_of(role)), work_item->value_or("")), now.boot_id,
                           now.utc_ms, now.boot_ms);
    return run_id.map([](const auto& id) { return id.value_or(0); });
}

// The job's last run, where it came to its exit and its end was given up: what it did is not done again, only its end.
Result<std::optional<std::int64_t>> taken_again(Tx& tx, std::int64_t job_id, const Now& now) {
    auto run_id = run_without_end(tx.db(), job_id);
    if (!run_id || !*run_id) return run_id;
    if (planted("end_forgotten")) return std::nullopt;
    auto stall = find_stall(tx.db(), **run_id, StallPart::end);
    if (!stall) return fail(stall.error());
    (*stall)->state = StallState::failed;
    (*stall)->tries = 0;
    (*stall)->due = due_now(now);
    if (auto put = put_stall(tx, **stall); !put) return fail(put.error());
    auto opened = write_rows(tx.db(), "UPDATE runs SET finished_at = NULL WHERE id = ?", **run_id);
    if (!opened) return fail(opened.error());
    return run_id;
}

// Gives the job its run: from here on it is that run's.
Result<Claim> start(Tx& tx, std::int64_t job_id, Role role, const Now& now) {
    auto& db = tx.db();
    auto again = taken_again(tx, job_id, now);
    if (!again) return fail(again.error());
    auto run_id = *again ? Result<std::int64_t>(**again) : new_run(db, job_id, role, now);
    if (!run_id) return fail(run_id.error());
    auto taken = change_one(db,
                            planted("attempts_not_counted")
                                ? "UPDATE jobs SET status = 'running', run_id = ?1, started_at = ?2"
                                  " WHERE id = ?3 AND status = 'queued'"
                                : "UPDATE jobs SET status = 'running', run_id = ?1, started_at = ?2, attempts = attempts + 1"
                                  " WHERE id = ?3 AND status = 'queued'",
                            *run_id, now.utc_ms, job_id);
    if (!taken) return fail(taken.error());
    static const std::string sql = claim_query("r.id = j.run_id") + "WHERE j.id = ?";
    auto claim = find_row(db, sql, read_claim, job_id);
    if (!claim) return fail(claim.error());
    if (!*taken || !*claim) return fail(Errc::corrupt, "job " + std::to_string(job_id) + " is in the queue's index alone");
    return std::move(**claim);
}

Status serve(Db& db, std::int64_t project_id, bool steps) {
    return write_rows(db,
                      steps ? "UPDATE projects SET served_steps = (SELECT max(served_steps) FROM projects) + 1 WHERE id = ?"
                            : "UPDATE projects SET served = (SELECT max(served) FROM projects) + 1 WHERE id = ?",
                      project_id);
}

}  // namespace

Result<std::vector<Claim>> claim(Tx& tx, const Limits& limits, int at_most, const Now& now) {
    auto plan = ClaimPlan::make(tx.db(), limits, now, at_most);
    if (!plan) return fail(plan.error());
    std::vector<Claim> claims;
    for (const auto& pick : plan->picks()) {
        auto claim = start(tx, pick.job_id, pick.role, now);
        if (!claim) return fail(claim.error());
        if (auto served = serve(tx.db(), pick.project_id, pick.role == Role::step); !served) return fail(served.error());
        claims.push_back(std::move(*claim));
    }
    return claims;
}

Result<std::optional<std::int64_t>> next_due_boot(Db& db, const Now& now) {
    // Seeks from lane to lane: the first row after (project, role, priority), and in each lane the first that is not yet due.
    static constexpr std::string_view next_lane =
        "SELECT * FROM (SELECT project_id, role, priority FROM jobs WHERE project_id = ?1 AND role = ?2 AND priority < ?3"
        " AND status = 'queued' AND blocked = 0 ORDER BY priority DESC LIMIT 1) UNION ALL "
        "SELECT * FROM (SELECT project_id, role, priority FROM jobs WHERE project_id = ?1 AND role > ?2"
        " AND status = 'queued' AND blocked = 0 ORDER BY role, priority DESC LIMIT 1) UNION ALL "
        "SELECT * FROM (SELECT project_id, role, priority FROM jobs WHERE project_id > ?1"
        " AND status = 'queued' AND blocked = 0 ORDER BY project_id, role, priority DESC LIMIT 1) LIMIT 1";
    struct Lane {
        std::int64_t project_id = 0;
        std::string role;
        std::int64_t priority = 0;
    } lane;
    std::optional<std::int64_t> soonest;
    for (;;) {
        auto next = find_row(
            db, next_lane,
            [](const Row& row) {
                return Lane{row.integer(0), row.text(1), row.integer(2)};
            },
            lane.project_id, lane.role, lane.priority);
        if (!next) return fail(next.error());
        if (!*next) return soonest;
        lane = std::move(**next);
        auto due = find_row(db,
                            "SELECT available_boot FROM jobs WHERE project_id = ? AND role = ? AND priority = ?"
                            " AND available_boot > ? AND status = 'queued' AND blocked = 0 ORDER BY available_boot LIMIT 1",
                            first_integer, lane.project_id, lane.role, lane.priority, now.boot_ms);
        if (!due) return fail(due.error());
        if (*due && (!soonest || **due < *soonest)) soonest = **due;
    }
}

Result<int> rebase_due_times(Tx& tx, std::int64_t longest_ms, std::int64_t longest_as_asked_ms, const Now& now) {
    return change(tx.db(),
                  "UPDATE jobs SET available_boot = iif(available_at <= ?1, 0, ?2 + min(available_at - ?1,"
                  " iif(retry_at IS NULL, ?4, ?5))),"
                  " available_boot_id = iif(available_at <= ?1, '', ?3)"
                  " WHERE status IN ('queued', 'running', 'stopping') AND status = 'queued' AND available_boot > 0"
                  " AND available_boot_id <> ?3",
                  now.utc_ms, now.boot_ms, now.boot_id, longest_ms, longest_as_asked_ms);
}

}  // namespace orchd::store
