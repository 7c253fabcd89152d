// From the lanes of the queue, one job at a time, the projects in turn.
//
// A lane is (project, role, priority). The index jobs_claimable keeps each lane in the order of its due times, so that its
// first entry says whether anything of it is due: a plan seeks to the head of each lane it looks at and reads nothing behind
// what it takes.
#include "store/claim_plan.h"

#include "core/planted.h"

#include <algorithm>
#include <deque>
#include <iterator>

#include "store/facts.h"
#include "store/job_rows.h"

namespace orchd::store {
namespace {

struct Head {
    std::int64_t id = 0;
    int priority = 0;
    std::int64_t available_boot = 0;
};
Head read_queue_head(const Row& row) { return {row.integer(0), static_cast<int>(row.integer(1)), row.integer(2)}; }

constexpr int above_all_priorities = 10;

// The first entry of the project's and role's highest lane below `priority`.
Result<std::optional<Head>> head_below(Db& db, std::int64_t project_id, Role role, int priority) {
    return find_row(db,
                    "SELECT id, priority, available_boot FROM jobs WHERE project_id = ? AND role = ? AND priority < ?"
                    " AND status = 'queued' AND blocked = 0 ORDER BY priority DESC, available_boot, id LIMIT 1",
                    read_queue_head, project_id, to_text(role), priority);
}

// The entry behind another of its lane.
Result<std::optional<Head>> head_behind(Db& db, std::int64_t project_id, Role role, const Head& taken) {
    return find_row(db,
                    "SELECT id, priority, available_boot FROM jobs WHERE project_id = ? AND role = ? AND priority = ?"
                    " AND (available_boot, id) > (?, ?) AND status = 'queued' AND blocked = 0"
                    " ORDER BY available_boot, id LIMIT 1",
                    read_queue_head, project_id, to_text(role), taken.priority, taken.available_boot, taken.id);
}

// The next due job of the role, of the highest lane whose head is due; behind `taken`, if one was taken.
Result<std::optional<Head>> next_due(Db& db, std::int64_t project_id, Role role, const Now& now,
                                     const std::optional<Head>& taken) {
    auto head = taken ? head_behind(db, project_id, role, *taken) : head_below(db, project_id, role, above_all_priorities);
    if (head && !*head && taken) head = head_below(db, project_id, role, taken->priority);
    while (head && *head && (*head)->available_boot > now.boot_ms) head = head_below(db, project_id, role, (*head)->priority);
    return head;
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

// What is left of one project's queue of one sort.
class Queue {
public:
    Queue(std::int64_t project_id, bool steps) : project_id_(project_id), steps_(steps) {}

    // Takes the best job that finds a slot: by priority, due time, id.
    Result<std::optional<ClaimPlan::Pick>> take(Db& db, const Slots& slots, const Now& now) {
        if (slots.project_is_full(project_id_)) return std::nullopt;
        if (auto looked = look(db, now); !looked) return fail(looked.error());
        const auto rank = [](const Head& head) { return std::tuple(-head.priority, head.available_boot, head.id); };
        auto best = heads_.end();
        for (auto each = heads_.begin(); each != heads_.end(); ++each) {
            if (slots.role_is_full(project_id_, each->first)) continue;
            if (best == heads_.end() || rank(each->second) < rank(best->second)) best = each;
        }
        if (best == heads_.end()) return std::nullopt;
        const ClaimPlan::Pick pick{best->second.id, project_id_, best->first};
        auto behind = next_due(db, project_id_, pick.role, now, best->second);
        if (!behind) return fail(behind.error());
        if (*behind)
            best->second = **behind;
        else
            heads_.erase(best);
        return pick;
    }

private:
    // At the heads of its roles, the first time.
    Status look(Db& db, const Now& now) {
        if (looked_) return {};
        looked_ = true;
        auto roles = roles_queued(db, project_id_);
        if (!roles) return fail(roles.error());
        for (const Role role : *roles) {
            if ((role == Role::step) != steps_) continue;
            auto head = next_due(db, project_id_, role, now, std::nullopt);
            if (!head) return fail(head.error());
            if (*head) heads_.emplace(role, **head);
        }
        return {};
    }

    std::int64_t project_id_;
    bool steps_, looked_ = false;
    std::map<Role, Head> heads_;
};

// The queues of the listed projects that are not paused, the least recently served first.
Result<std::deque<Queue>> turns(Db& db, const std::set<std::int64_t>& listed, bool steps) {
    auto in_order = list_rows(db,
                              planted("paused_is_claimed") ? "SELECT id FROM projects ORDER BY id"
                              : steps ? "SELECT id FROM projects WHERE paused_at IS NULL ORDER BY served_steps, id"
                                      : "SELECT id FROM projects WHERE paused_at IS NULL ORDER BY served, id",
                              first_integer);
    if (!in_order) return fail(in_order.error());
    std::deque<Queue> queues;
    for (const auto id : *in_order)
        if (listed.contains(id)) queues.emplace_back(id, steps);
    return queues;
}

}  // namespace

Slots::Slots(const Limits& limits, bool steps) : steps_(steps), host_(steps ? limits.max_steps : limits.max_concurrency) {
    for (const auto& project : limits.projects) {
        if (!steps && project.max_concurrency > 0) project_limit_.emplace(project.project_id, project.max_concurrency);
        for (const auto& role : project.roles) role_limit_.emplace(std::pair(project.project_id, role.role), role.max);
    }
}

Status Slots::count(Db& db) {
    auto statement =
        db.prepare("SELECT project_id, role, count(*) FROM jobs WHERE status IN ('running', 'stopping') GROUP BY 1, 2");
    if (!statement) return fail(statement.error());
    return statement->each(
        [this](const Row& row) { take(row.integer(0), word<Role>(row, 1), static_cast<int>(row.integer(2))); });
}

void Slots::take(std::int64_t project_id, Role role, int jobs) {
    if ((role == Role::step) != steps_) return;
    total_ += jobs;
    of_project_[project_id] += jobs;
    of_role_[{project_id, role}] += jobs;
}

bool Slots::project_is_full(std::int64_t project_id) const {
    const auto limit = project_limit_.find(project_id);
    const auto taken = of_project_.find(project_id);
    return limit != project_limit_.end() && taken != of_project_.end() && taken->second >= limit->second;
}

bool Slots::role_is_full(std::int64_t project_id, Role role) const {
    const auto limit = role_limit_.find({project_id, role});
    const auto taken = of_role_.find({project_id, role});
    return limit != role_limit_.end() && taken != of_role_.end() && taken->second >= limit->second;
}

Result<ClaimPlan> ClaimPlan::make(Db& db, const Limits& limits, const Now& now, int at_most) {
    ClaimPlan plan;
    plan.boot_ms_ = now.boot_ms;
    plan.disk_low_ = limits.disk_low;
    plan.steps_ = Slots(limits, true);
    plan.runs_ = Slots(limits, false);
    for (const auto& project : limits.projects) plan.listed_.insert(project.project_id);
    auto host = find_state(db, "paused");
    if (!host) return fail(host.error());
    plan.host_paused_ = host->has_value();
    auto paused = list_rows(db, "SELECT id FROM projects WHERE paused_at IS NOT NULL", first_integer);
    if (!paused) return fail(paused.error());
    plan.paused_.insert(paused->begin(), paused->end());
    if (plan.host_paused_ || plan.disk_low_) return plan;
    for (const bool steps : {true, false}) {
        if (auto filled = plan.fill(db, now, at_most, steps); !filled) return fail(filled.error());
    }
    return plan;
}

// Fills the free slots of one sort: steps, or runs of all other roles.
Status ClaimPlan::fill(Db& db, const Now& now, int at_most, bool steps) {
    Slots& slots = steps ? steps_ : runs_;
    if (auto counted = slots.count(db); !counted) return counted;
    if (slots.host_is_full()) return {};
    auto queues = turns(db, listed_, steps);
    if (!queues) return fail(queues.error());
    while (!queues->empty() && !slots.host_is_full() && std::cmp_less(picks_.size(), at_most)) {
        auto pick = queues->front().take(db, slots, now);
        if (!pick) return fail(pick.error());
        if (*pick) {
            picks_.push_back(**pick);
            slots.take((*pick)->project_id, (*pick)->role);
            queues->push_back(std::move(queues->front()));
        }
        queues->pop_front();
    }
    return {};
}

Obstacle ClaimPlan::obstacle(const Job& job) const {
    if (host_paused_) return Obstacle::host_paused;
    if (disk_low_) return Obstacle::disk;
    if (!listed_.contains(job.project_id)) return Obstacle::no_file;
    if (paused_.contains(job.project_id)) return Obstacle::project_paused;
    if (job.blocked) return Obstacle::blocked;
    if (job.available_boot > boot_ms_) return Obstacle::not_due;
    const auto picked = [&](const Pick& pick) { return pick.job_id == job.id; };
    if (std::any_of(picks_.begin(), picks_.end(), picked)) return Obstacle::none;
    const Slots& slots = job.role == Role::step ? steps_ : runs_;
    if (slots.project_is_full(job.project_id)) return Obstacle::project_slots;
    if (slots.role_is_full(job.project_id, job.role)) return Obstacle::role_slots;
    return Obstacle::host_slots;
}

}  // namespace orchd::store
