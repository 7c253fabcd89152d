// Claims: from the lanes of the queue, one job at a time, the projects in turn.
//
// A lane is (project, role, priority). The index jobs_claimable keeps each lane in the order of its due times, so that its
// first entry says whether anything of it is due: a claim seeks to the head of each lane it looks at and reads nothing behind
// it.
#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "core/names.h"
#include "store/facts.h"
#include "store/job_rows.h"

namespace orchd::store {
namespace {

struct Head {
    std::int64_t id = 0;
    int priority = 0;
    std::int64_t available_boot = 0;
};

constexpr int above_all_priorities = 10;

// The first entry of the project's and role's highest lane below `priority`.
Result<std::optional<Head>> head_below(Db& db, std::int64_t project_id, Role role, int priority) {
    return find_row(
        db,
        "SELECT id, priority, available_boot FROM jobs WHERE project_id = ? AND role = ? AND priority < ?"
        " AND status = 'queued' AND blocked = 0 ORDER BY priority DESC, available_boot, id LIMIT 1",
        [](const Row& row) {
            return Head{row.integer(0), static_cast<int>(row.integer(1)), row.integer(2)};
        },
        project_id, to_text(role), priority);
}

// The next due job of the role: of the highest lane whose head is due.
Result<std::optional<Head>> first_due(Db& db, std::int64_t project_id, Role role, const Now& now) {
    for (int below = above_all_priorities;;) {
        auto head = head_below(db, project_id, role, below);
        if (!head || !*head || (*head)->available_boot <= now.boot_ms) return head;
        below = (*head)->priority;
    }
}

// The roles that have claimable jobs in the project: skips from one to the next.
Result<std::vector<Role>> roles_queued(Db& db, std::int64_t project_id) {
    std::vector<Role> roles;
    for (std::string after;;) {
        auto next = find_row(
            db,
            "SELECT role FROM jobs WHERE project_id = ? AND role > ? AND status = 'queued' AND blocked = 0 ORDER BY role LIMIT "
            "1",
            [](const Row& row) { return row.text(0); }, project_id, after);
        if (!next) return fail(next.error());
        if (!*next) return roles;
        after = **next;
        roles.push_back(from_text<Role>(after).value_or(Role::step));
    }
}

// What runs now, against what may.
class Slots {
public:
    Slots(const Limits& limits, bool steps) : limits_(limits), steps_(steps) {}

    Status count(Db& db) {
        auto statement =
            db.prepare("SELECT project_id, role, count(*) FROM jobs WHERE status IN ('running', 'stopping') GROUP BY 1, 2");
        if (!statement) return fail(statement.error());
        return statement->each(
            [this](const Row& row) { take(row.integer(0), word<Role>(row, 1), static_cast<int>(row.integer(2))); });
    }
    void take(std::int64_t project_id, Role role, int jobs = 1) {
        if ((role == Role::step) != steps_) return;
        total_ += jobs;
        of_project_[project_id] += jobs;
        of_role_[{project_id, role}] += jobs;
    }
    [[nodiscard]] bool host_is_full() const { return total_ >= (steps_ ? limits_.max_steps : limits_.max_concurrency); }
    [[nodiscard]] bool project_is_full(const Limits::Project& project) {
        return !steps_ && project.max_concurrency > 0 && of_project_[project.project_id] >= project.max_concurrency;
    }
    [[nodiscard]] bool admits(const Limits::Project& project, Role role) {
        if ((role == Role::step) != steps_) return false;
        const int running = of_role_[{project.project_id, role}];
        return std::none_of(project.roles.begin(), project.roles.end(),
                            [&](const auto& limit) { return limit.role == role && running >= limit.max; });
    }

private:
    const Limits& limits_;
    bool steps_;
    int total_ = 0;
    std::map<std::int64_t, int> of_project_;
    std::map<std::pair<std::int64_t, Role>, int> of_role_;
};

// The project's best job for a free slot: by priority, due time, id.
Result<std::optional<std::pair<std::int64_t, Role>>> best_job(Db& db, const Limits::Project& project, Slots& slots,
                                                              const Now& now) {
    if (slots.project_is_full(project)) return std::nullopt;
    auto roles = roles_queued(db, project.project_id);
    if (!roles) return fail(roles.error());
    std::optional<std::pair<Head, Role>> best;
    const auto rank = [](const Head& head) { return std::tuple(-head.priority, head.available_boot, head.id); };
    for (const Role role : *roles) {
        if (!slots.admits(project, role)) continue;
        auto head = first_due(db, project.project_id, role, now);
        if (!head) return fail(head.error());
        if (*head && (!best || rank(**head) < rank(best->first))) best.emplace(**head, role);
    }
    if (!best) return std::nullopt;
    return std::pair(best->first.id, best->second);
}

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

// Gives the job its run: from here on it is that run's.
Result<Claim> start(Db& db, std::int64_t job_id, Role role, const Now& now) {
    auto work_item = find_row(
        db, "SELECT work_item FROM tasks WHERE id = (SELECT task_id FROM jobs WHERE id = ?)",
        [](const Row& row) { return row.text(0); }, job_id);
    if (!work_item) return fail(work_item.error());
    auto run_id = find_row(db,
                           "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot)"
                           " SELECT id, task_id, ?2, ?3, ?4, ?5 FROM jobs WHERE id = ?1 RETURNING id",
                           first_integer, job_id, names::unit(unit_stem(kind_of(role)), work_item->value_or("")), now.boot_id,
                           now.utc_ms, now.boot_ms);
    if (!run_id) return fail(run_id.error());
    auto taken = change_one(db,
                            "UPDATE jobs SET status = 'running', run_id = ?1, started_at = ?2, attempts = attempts + 1"
                            " WHERE id = ?3 AND status = 'queued'",
                            run_id->value_or(0), now.utc_ms, job_id);
    if (!taken) return fail(taken.error());
    static const std::string sql = claim_query("r.id = j.run_id") + "WHERE j.id = ?";
    auto claim = find_row(db, sql, read_claim, job_id);
    if (!claim) return fail(claim.error());
    if (!*taken || !*claim) return fail(Errc::corrupt, "job " + std::to_string(job_id) + " is in the queue's index alone");
    return std::move(**claim);
}

// The listed projects that are not paused, the least recently served first.
Result<std::deque<const Limits::Project*>> turns(Db& db, const Limits& limits, bool steps) {
    auto in_order = list_rows(db,
                              steps ? "SELECT id FROM projects WHERE paused_at IS NULL ORDER BY served_steps, id"
                                    : "SELECT id FROM projects WHERE paused_at IS NULL ORDER BY served, id",
                              first_integer);
    if (!in_order) return fail(in_order.error());
    std::map<std::int64_t, const Limits::Project*> listed;
    for (const auto& project : limits.projects) listed.emplace(project.project_id, &project);
    std::deque<const Limits::Project*> queue;
    for (const auto id : *in_order) {
        if (auto found = listed.find(id); found != listed.end()) queue.push_back(found->second);
    }
    return queue;
}

Status serve(Db& db, std::int64_t project_id, bool steps) {
    return write_rows(db,
                      steps ? "UPDATE projects SET served_steps = (SELECT max(served_steps) FROM projects) + 1 WHERE id = ?"
                            : "UPDATE projects SET served = (SELECT max(served) FROM projects) + 1 WHERE id = ?",
                      project_id);
}

// Fills the free slots of one sort: steps, or runs of all other roles.
Status fill(Db& db, const Limits& limits, bool steps, int at_most, const Now& now, std::vector<Claim>& claims) {
    Slots slots(limits, steps);
    if (auto counted = slots.count(db); !counted) return counted;
    if (slots.host_is_full()) return {};
    auto queue = turns(db, limits, steps);
    if (!queue) return fail(queue.error());
    while (!queue->empty() && !slots.host_is_full() && std::cmp_less(claims.size(), at_most)) {
        const auto* project = queue->front();
        queue->pop_front();
        auto job = best_job(db, *project, slots, now);
        if (!job) return fail(job.error());
        if (!*job) continue;
        const auto [id, role] = **job;
        auto claim = start(db, id, role, now);
        if (!claim) return fail(claim.error());
        if (auto served = serve(db, project->project_id, steps); !served) return served;
        claims.push_back(std::move(*claim));
        slots.take(project->project_id, role);
        queue->push_back(project);
    }
    return {};
}

}  // namespace

Result<std::vector<Claim>> claim(Tx& tx, const Limits& limits, int at_most, const Now& now) {
    std::vector<Claim> claims;
    auto paused = find_state(tx.db(), "paused");
    if (!paused) return fail(paused.error());
    if (*paused) return claims;
    for (const bool steps : {true, false}) {
        if (auto filled = fill(tx.db(), limits, steps, at_most, now, claims); !filled) return fail(filled.error());
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

Result<int> rebase_due_times(Tx& tx, const Now& now) {
    return change(tx.db(),
                  "UPDATE jobs SET available_boot = iif(available_at <= ?1, 0, ?2 + available_at - ?1),"
                  " available_boot_id = iif(available_at <= ?1, '', ?3)"
                  " WHERE status IN ('queued', 'running', 'stopping') AND status = 'queued' AND available_boot > 0"
                  " AND available_boot_id <> ?3",
                  now.utc_ms, now.boot_ms, now.boot_id);
}

}  // namespace orchd::store
