#include "engine/operation.h"

#include "engine/leases.h"
#include "engine/why.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

// What is said of one that waits for a cancelled task: "… which was cancelled: `orchctl dep remove …` first".
std::string text_of_vain_wait(const std::string& subject, const std::string& work_item, const std::string& need) {
    return subject + " waits for " + need + ", which was cancelled: `" + command_against_waiting(work_item, need) + "` first";
}

}  // namespace

Result<store::Task> known_task(store::Db& db, const std::string& work_item) {
    auto task = store::find_task_meant(db, work_item);
    if (!task) return fail(task.error());
    if (!*task) return fail(Errc::no_such, "there is no task " + work_item);
    return **task;
}

Result<store::Task> open_task(store::Db& db, const std::string& work_item) {
    auto task = known_task(db, work_item);
    if (task && terminal(task->stage))
        return fail(Errc::conflict, work_item + " is " + std::string(to_text(task->stage)) + " already");
    return task;
}

Result<const settings::Project*> valid_project(const World& world, const std::string& name) {
    const auto* project = settings::find(world.projects, name);
    if (project == nullptr)
        return fail(Errc::no_such,
                    "there is no project " + name + " with a valid file (see `orchctl project check " + name + "`)");
    return project;
}

Status refuse_waiting_in_vain(store::Db& db, const store::Task& task) {
    auto unmet = store::unmet_dependencies(db, task.id);
    if (!unmet) return fail(unmet.error());
    for (const auto id : *unmet) {
        auto needed = store::find_task(db, id);
        if (!needed) return fail(needed.error());
        if (*needed && (*needed)->stage == Stage::cancelled)
            return fail(Errc::conflict, text_of_vain_wait(task.work_item, task.work_item, (*needed)->work_item));
    }
    return {};
}

Status hold_those_waiting_for(World& world, const Acting& who, const store::Task& cancelled) {
    auto waiting = store::open_dependents(who.tx.db(), cancelled.id);
    if (!waiting) return fail(waiting.error());
    for (const auto id : *waiting) {
        auto task = store::find_task(who.tx.db(), id);
        if (!task) return fail(task.error());
        if ((*task)->hold != Hold::none) continue;  // that one is not let go of either, while it waits in vain
        const auto why = text_of_vain_wait("it", (*task)->work_item, cancelled.work_item);
        if (auto held = change_hold(who, **task, Hold::blocked, why); !held) return held;
        if (auto asked = ask_those_behind(world, who.tx, id); !asked) return asked;
    }
    return {};
}

Status cancel_queued(const Acting& who, const store::Job& job, const std::string& why, store::Comes comes) {
    auto cancelled = store::cancel_queued(who.tx, job.id, why, who.now, comes);
    if (!cancelled) return fail(cancelled.error());
    return job_changed(who, job, JobStatus::queued, JobStatus::cancelled, why);
}

Status end_job(const Acting& who, const store::Job& job, const std::string& why) {
    if (job.status == JobStatus::queued) return cancel_queued(who, job, why);
    if (job.status == JobStatus::stopping || job.kind == JobKind::advance) return {};
    if (job.kind == JobKind::deploy) return fail(Errc::conflict, "the deploy hook is at work: wait until it has settled");
    auto stopping = store::begin_stopping(who.tx, job.id, *job.run_id, why);
    if (!stopping) return fail(stopping.error());
    return job_changed(who, job, JobStatus::running, JobStatus::stopping, why);
}

}  // namespace orchd::engine
