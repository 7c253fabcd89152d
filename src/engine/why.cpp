#include "engine/why.h"

#include <algorithm>

#include "store/facts.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

std::string with_reason(const std::string& text, const std::string& reason) {
    return reason.empty() ? text + "." : text + ": " + reason;
}

Why held(const store::Task& task) {
    const std::string command = command_against(task.hold, task.work_item);
    switch (task.hold) {
        case Hold::escalated:
            return {with_reason("Escalated", task.hold_reason), command, true};
        case Hold::infra:
            return {with_reason("Held: the infrastructure failed", task.hold_reason), command, true};
        case Hold::blocked:
            return {with_reason("Held as blocked", task.hold_reason), command, true};
        case Hold::needs_input:
            return {with_reason("Held: it needs input", task.hold_reason), command, true};
        default:
            return {with_reason("Held for a person", task.hold_reason), command, true};
    }
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string job_named(const store::Job& job) {
    return "job " + std::to_string(job.id) + " (" + std::string(to_text(job.role)) + ")";
}

// Running work says more than queued work, and a run more than a step.
const store::Job* foremost(const std::vector<store::Job>& live) {
    const auto weight = [](const store::Job& job) {
        return (job.status == JobStatus::queued ? 0 : 2) + (job.kind == JobKind::advance ? 0 : 1);
    };
    const auto found = std::max_element(live.begin(), live.end(),
                                        [&](const store::Job& a, const store::Job& b) { return weight(a) < weight(b); });
    return found == live.end() ? nullptr : &*found;
}

std::optional<Why> paused(const store::Task& task, const Surroundings& around) {
    if (task.paused_at)
        return Why{with_reason("Paused by " + task.paused_by, task.pause_reason), "orchctl resume task:" + task.work_item};
    if (around.project_paused)
        return Why{with_reason("Its project is paused", *around.project_paused), "orchctl resume project:" + task.project};
    if (around.host_paused) return Why{with_reason("Everything is paused", *around.host_paused), "orchctl resume"};
    return std::nullopt;
}

Why under_way(const store::Job& job) {
    if (job.status == JobStatus::running) return {"Under way: " + job_named(job) + " runs.", "", false};
    if (job.status == JobStatus::stopping) return {"Under way: " + job_named(job) + " is being stopped.", "", false};
    if (!job.error.empty()) return {"Queued again: " + job_named(job) + " after: " + job.error, "", false};
    return {"Queued: " + job_named(job) + " waits for its turn.", "", false};
}

}  // namespace

std::string command_against(Hold hold, const std::string& work_item) {
    const bool anew = hold == Hold::escalated || hold == Hold::human;
    return std::string("orchctl task ") + (anew ? "retry " : "release ") + work_item;
}

Result<Surroundings> look_around(store::Db& db, const store::Task& task) {
    Surroundings around;
    auto host = store::find_state(db, "paused");
    if (!host) return fail(host.error());
    if (*host) around.host_paused = (*host)->reason;
    auto project = store::find_project(db, task.project);
    if (!project) return fail(project.error());
    if (*project && (*project)->paused_at) around.project_paused = (*project)->pause_reason;
    auto unmet = store::unmet_dependencies(db, task.id);
    if (!unmet) return fail(unmet.error());
    for (const auto id : *unmet) {
        auto needed = store::find_task(db, id);
        if (!needed) return fail(needed.error());
        if (*needed) around.needs.push_back((*needed)->work_item);
    }
    store::JobFilter live;
    live.work_item = task.work_item;
    live.only_live = true;
    auto jobs = store::list_jobs(db, live);
    if (!jobs) return fail(jobs.error());
    for (auto& claim : *jobs) around.live.push_back(std::move(claim.job));
    return around;
}

Why why(const store::Task& task, const Surroundings& around) {
    if (task.stage == Stage::cancelled) return {"Cancelled.", "", false};
    if (task.stage == Stage::done) return {task.merged.empty() ? "Done." : "Done: merged as " + task.merged + ".", "", false};
    if (task.hold != Hold::none) return held(task);
    if (task.stage == Stage::analysis && task.waiting_for == to_text(Gate::analysis_approved))
        return {"Its analysis waits for an approval.", "orchctl task approve " + task.work_item, true};
    const store::Job* job = foremost(around.live);
    if (job != nullptr && job->status != JobStatus::queued) return under_way(*job);
    if (auto pause = paused(task, around)) return *pause;
    if (!around.needs.empty()) return {"Waits for " + joined(around.needs) + ".", "", false};
    if (!task.waiting_for.empty()) return {with_reason("Waits for " + task.waiting_for, task.waiting_reason), "", false};
    if (job != nullptr) return under_way(*job);
    return {"Nothing is queued for it.", "orchctl task retry " + task.work_item, false};
}

}  // namespace orchd::engine
