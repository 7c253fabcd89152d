#include <boost/json.hpp>
#include <map>

#include "engine/why.h"
#include "store/facts.h"
#include "store/tasks.h"
#include "views/stories.h"
#include "views/views.h"

namespace orchd::views {
namespace {

namespace json = boost::json;

constexpr int events_told = 50;
constexpr int jobs_told = 200;

json::object verdict_story(const store::VerdictRow& verdict) {
    return {{"stage_seq", verdict.stage_seq},
            {"gate", to_text(verdict.gate)},
            {"colour", to_text(verdict.colour)},
            {"reason", verdict.reason},
            {"commit", verdict.commit},
            {"patch_id", verdict.patch_id},
            {"by", verdict.by},
            {"unusable", verdict.unusable},
            {"at", verdict.at}};
}

json::object columns(const store::Task& task) {
    return {{"work_item", task.work_item},
            {"project", task.project},
            {"title", task.title},
            {"body", task.body},
            {"branch", task.branch},
            {"stage", to_text(task.stage)},
            {"stage_seq", task.stage_seq},
            {"priority", task.priority},
            {"retries",
             {{"developer", task.retries.developer},
              {"again", task.retries.again},
              {"infrastructure", task.retries.infrastructure},
              {"conflict", task.retries.conflict}}},
            {"hold", to_text(task.hold)},
            {"hold_reason", task.hold_reason},
            {"paused", task.paused_at ? json::value(pause_story(*task.paused_at, task.paused_by, task.pause_reason)) : nullptr},
            {"waiting_for", task.waiting_for},
            {"waiting_reason", task.waiting_reason},
            {"waiting_since", or_null(task.waiting_since)},
            {"again_reason", task.again_reason},
            {"head", task.head},
            {"merged", task.merged},
            {"created_at", task.created_at},
            {"updated_at", task.updated_at}};
}

json::value ahead_story(const std::optional<engine::LeaseAhead>& ahead) {
    if (!ahead) return nullptr;
    json::object object{{"key", ahead->lease.key},
                        {"work_item", ahead->work_item},
                        {"acquired_at", ahead->lease.acquired_at},
                        {"job", ahead->work ? json::value(story(*ahead->work)) : nullptr},
                        {"alive", nullptr}};
    if (ahead->owner) object["alive"] = *ahead->owner == Liveness::alive || *ahead->owner == Liveness::unknown;
    return object;
}

Status add_why(const WorldView& view, const store::Task& task, json::object& object) {
    const auto host = engine::look_at_host(view);
    if (!host) return fail(host.error());
    const auto around = engine::look_around(view, task);
    if (!around) return fail(around.error());
    const auto why = engine::why(task, *around, *host);
    object["needs_you"] = why.needs_you;
    object["why"] = why.text;
    object["command"] = why.command;
    object["claimable"] = why.claimable;
    object["since"] = or_null(why.since);
    object["until"] = or_null(why.until);
    object["settings"] = view.condition == nullptr ? std::string() : settings::said_of(*view.condition);
    object["needs"] = json::value_from(around->needs);
    object["lease"] = around->lease ? json::value(story(*around->lease)) : nullptr;
    object["ahead"] = ahead_story(around->ahead);
    object["stall"] = around->stalls.empty() ? json::value(nullptr) : json::value(story(around->stalls.begin()->second));
    return {};
}

Status add_jobs(store::Db& db, const store::Task& task, json::object& object) {
    store::JobFilter filter;
    filter.work_item = task.work_item;
    filter.limit = jobs_told;
    const auto jobs = store::list_jobs(db, filter);
    if (!jobs) return fail(jobs.error());
    const auto runs = store::list_runs(db, task.id);
    if (!runs) return fail(runs.error());
    std::map<std::int64_t, json::array> of_job;
    for (const auto& run : *runs) of_job[run.job_id].push_back(story(run));
    json::array array;
    for (const auto& claim : *jobs) {
        auto job = story(claim.job);
        job["runs"] = std::move(of_job[claim.job.id]);
        array.push_back(std::move(job));
    }
    object["jobs"] = std::move(array);
    return {};
}

Status add_history(store::Db& db, const store::Task& task, json::object& object) {
    const auto verdicts = store::list_verdicts(db, task.id);
    if (!verdicts) return fail(verdicts.error());
    const auto events = store::list_events(db, {.task_id = task.id, .limit = events_told});
    if (!events) return fail(events.error());
    json::array told_verdicts, told_events;
    for (const auto& verdict : *verdicts) told_verdicts.push_back(verdict_story(verdict));
    for (const auto& event : *events) told_events.push_back(story(event));
    object["verdicts"] = std::move(told_verdicts);
    object["events"] = std::move(told_events);
    return {};
}

}  // namespace

Result<std::string> task_json(const WorldView& view, const std::string& work_item) {
    return view.db.read([&](store::Db& db) -> Result<std::string> {
        const auto found = store::find_task_meant(db, work_item);
        if (!found) return fail(found.error());
        if (!*found) return fail(Errc::no_such, "there is no task " + work_item);
        const auto& task = **found;
        auto object = columns(task);
        if (auto added = add_why(view, task, object); !added) return fail(added.error());
        for (const auto part : {add_jobs, add_history})
            if (auto added = part(db, task, object); !added) return fail(added.error());
        return json::serialize(object);
    });
}

}  // namespace orchd::views
