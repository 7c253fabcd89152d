// Operations on single jobs, dependencies and pauses.
#include <variant>

#include "engine/advance.h"
#include "engine/disabled.h"
#include "engine/leases.h"
#include "engine/notes.h"
#include "engine/operate.h"
#include "engine/operation.h"
#include "store/deliveries.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

struct JobOfTask {
    store::Job job;
    store::Task task;
};

Result<JobOfTask> known_job(store::Db& db, std::int64_t job_id) {
    auto job = store::find_job(db, job_id);
    if (!job) return fail(job.error());
    if (!*job) return fail(Errc::no_such, "there is no job " + std::to_string(job_id));
    auto task = store::find_task(db, (*job)->task_id);
    if (!task) return fail(task.error());
    if (!*task) return fail(Errc::corrupt, "job " + std::to_string(job_id) + " belongs to no task");
    return JobOfTask{**job, **task};
}

Status refuse_retry(const JobOfTask& found) {
    const auto& [job, task] = found;
    if (job.status != JobStatus::failed && job.status != JobStatus::cancelled)
        return fail(Errc::conflict, job_named(job) + " is " + std::string(to_text(job.status)) +
                                        ": only a failed or cancelled one is queued again");
    if (terminal(task.stage) || job.stage_seq != task.stage_seq)
        return fail(Errc::conflict, task.work_item + " has moved on since " + job_named(job) + ": it stands at " +
                                        std::string(to_text(task.stage)));
    if (task.hold != Hold::none && task.hold != Hold::human && task.hold != Hold::infra)
        return fail(Errc::conflict, task.work_item + " is held (" + std::string(to_text(task.hold)) +
                                        "): use `orchctl task retry " + task.work_item + "`");
    return {};
}

// What a scope names: everything, a project or a task.
struct Everything {};
using Scope = std::variant<Everything, store::Project, store::Task>;

Result<Scope> parse_scope(World& world, store::Tx& tx, const std::string& scope) {
    if (scope.empty()) return Everything{};
    constexpr std::string_view project = "project:", task = "task:";
    if (scope.starts_with(project)) {
        const auto name = scope.substr(project.size());
        auto row = store::find_project(tx.db(), name);
        if (!row) return fail(row.error());
        if (*row) return **row;
        if (auto valid = valid_project(world, name); !valid) return fail(valid.error());
        auto made = store::ensure_project(tx, name);
        if (!made) return fail(made.error());
        return *made;
    }
    if (scope.starts_with(task)) {
        auto row = known_task(tx.db(), scope.substr(task.size()));
        if (!row) return fail(row.error());
        return *row;
    }
    return fail(Errc::invalid_argument, "a scope is \"\", project:NAME or task:WORK-ITEM, not \"" + scope + "\"");
}

template <class... F>
struct Overload : F... {
    using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;  // clang before 17 does not deduce it

std::optional<std::int64_t> task_of(const Scope& scope) {
    const auto* task = std::get_if<store::Task>(&scope);
    return task == nullptr ? std::nullopt : std::optional(task->id);
}

Status pause_everything(const Acting& who, const std::string& reason) {
    auto paused = store::find_state(who.tx.db(), "paused");
    if (!paused) return fail(paused.error());
    if (*paused) return fail(Errc::conflict, "everything is paused already, by " + (*paused)->by + ": " + (*paused)->reason);
    return store::put_state(who.tx, {"paused", "1", who.actor, reason, who.now.utc_ms});
}

Status resume_everything(const Acting& who) {
    auto paused = store::find_state(who.tx.db(), "paused");
    if (!paused) return fail(paused.error());
    if (!*paused) return fail(Errc::conflict, "nothing is paused as a whole");
    return store::clear_state(who.tx, "paused");
}

// What its file disables, the next pass would pause again.
Status resume_project(World& world, const Acting& who, const store::Project& row) {
    const auto* project = settings::find(world.projects, row.name);
    if (row.paused_by == disabled_by && project != nullptr && !project->disabled.empty())
        return fail(Errc::conflict,
                    row.name + " is disabled in " + project->file + ": use `orchctl project enable " + row.name + "`");
    return store::resume_project(who.tx, row.id);
}

// The job's role once more; what works under a lease is queued by the advance, which takes the lease first.
Status queue_anew(World& world, const Acting& who, const store::Job& job, const store::Task& task) {
    if (needs_lease(job.role)) return ask_advance(world, who.tx, task);
    auto queued = queue_job(who, {.task_id = task.id,
                                  .role = job.role,
                                  .due = due_now(who.now),
                                  .max_attempts = job.max_attempts,
                                  .commit = job.commit});
    if (!queued) return fail(queued.error());
    if (!*queued) return fail(Errc::conflict, "another run of " + task.work_item + " is queued or at work");
    return {};
}

}  // namespace

Status cancel_job(World& world, std::int64_t job_id, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto found = known_job(who.tx.db(), job_id);
        if (!found) return fail(found.error());
        const auto& [job, task] = *found;
        if (!live(job.status))
            return fail(Errc::conflict, job_named(job) + " is " + std::string(to_text(job.status)) + " already");
        if (job.kind == JobKind::advance && job.status != JobStatus::queued)
            return fail(Errc::conflict, task.work_item + " is in a transition just now: try again in a moment");
        const auto why = job_named(job) + " was cancelled by " + by;
        if (auto ended = end_job(who, job, why); !ended) return ended;
        if (terminal(task.stage)) return {};
        if (auto held = change_hold(who, task, Hold::human, why); !held) return held;
        return ask_those_behind(world, who.tx, task.id);
    });
}

Status retry_job(World& world, std::int64_t job_id, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto found = known_job(who.tx.db(), job_id);
        if (!found) return fail(found.error());
        if (auto refused = refuse_retry(*found); !refused) return refused;
        const auto& [job, task] = *found;
        if (auto refused = refuse_waiting_in_vain(who.tx.db(), task); !refused) return refused;
        if (auto queued = queue_anew(world, who, job, task); !queued) return queued;
        if (task.hold == Hold::none) return {};
        return change_hold(who, task, Hold::none, job_named(job) + " was queued again by " + by);
    });
}

Status add_dependency(World& world, const std::string& work_item, const std::string& needs, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        const auto task = open_task(who.tx.db(), work_item);
        if (!task) return fail(task.error());
        const auto needed = known_task(who.tx.db(), needs);
        if (!needed) return fail(needed.error());
        if (needed->stage == Stage::cancelled)
            return fail(Errc::conflict, needed->work_item + " was cancelled: it will never be done");
        const auto added = store::add_dependency(who.tx, task->id, needed->id, "operator");
        if (!added) return fail(added.error());
        return *added ? add_event(who, "dependency_added", task->id, std::nullopt, {{"needs", needed->work_item}}) : Status();
    });
}

Status remove_dependency(World& world, const std::string& work_item, const std::string& needs, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        const auto task = known_task(who.tx.db(), work_item);
        if (!task) return fail(task.error());
        const auto needed = known_task(who.tx.db(), needs);
        if (!needed) return fail(needed.error());
        const auto removed = store::remove_dependency(who.tx, task->id, needed->id);
        if (!removed) return fail(removed.error());
        if (!*removed) return fail(Errc::no_such, task->work_item + " does not wait for " + needed->work_item);
        return add_event(who, "dependency_removed", task->id, std::nullopt, {{"needs", needed->work_item}});
    });
}

Status replay_delivery(World& world, std::int64_t delivery_id, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        if (auto replayed = store::replay_delivery(who.tx, delivery_id); !replayed) return replayed;
        return add_event(who, "delivery_replayed", std::nullopt, std::nullopt, {{"delivery", delivery_id}});
    });
}

Status pause(World& world, const std::string& scope, const std::string& reason, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto what = parse_scope(world, who.tx, scope);
        if (!what) return fail(what.error());
        auto paused = std::visit(
            Overload{[&](Everything) { return pause_everything(who, reason); },
                     [&](const store::Project& p) { return store::pause_project(who.tx, p.id, by, reason, who.now); },
                     [&](const store::Task& t) { return store::pause_task(who.tx, t.id, by, reason, who.now); }},
            *what);
        if (!paused) return paused;
        if (const auto task = task_of(*what))
            if (auto asked = ask_those_behind(world, who.tx, *task); !asked) return asked;
        if (const auto* project = std::get_if<store::Project>(&*what))
            if (auto asked = ask_those_behind_project(world, who.tx, project->id); !asked) return asked;
        return add_event(who, "paused", task_of(*what), std::nullopt, {{"scope", scope}, {"reason", reason}});
    });
}

Status resume(World& world, const std::string& scope, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto what = parse_scope(world, who.tx, scope);
        if (!what) return fail(what.error());
        auto resumed = std::visit(Overload{[&](Everything) { return resume_everything(who); },
                                           [&](const store::Project& p) { return resume_project(world, who, p); },
                                           [&](const store::Task& t) { return store::resume_task(who.tx, t.id, who.now); }},
                                  *what);
        if (!resumed) return resumed;
        return add_event(who, "resumed", task_of(*what), std::nullopt, {{"scope", scope}});
    });
}

}  // namespace orchd::engine
