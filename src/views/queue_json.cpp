#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>

#include "core/names.h"
#include "engine/disabled.h"
#include "store/facts.h"
#include "store/leases.h"
#include "store/tasks.h"
#include "views/stories.h"
#include "views/systems.h"
#include "views/views.h"

namespace orchd::views {
namespace {

namespace json = boost::json;

constexpr int queued_told = 50;
constexpr int ended_told = 20;

json::object project_story(const ProjectView& project) {
    return {{"name", project.name},
            {"paused", project.paused},
            {"disabled", project.disabled},
            {"pause_reason", project.pause_reason},
            {"open_tasks", project.counts.open_tasks},
            {"running", project.counts.running},
            {"queued", project.counts.queued},
            {"problem", project.problem}};
}

json::array stories(const std::vector<store::Claim>& jobs) {
    json::array array;
    for (const auto& job : jobs) array.push_back(story(job));
    return array;
}

// With what keeps a run from its end.
Result<json::array> running_stories(store::Db& db, const std::vector<store::Claim>& jobs) {
    json::array array;
    for (const auto& job : jobs) {
        const auto stall = store::last_stall(db, job.run.id);
        if (!stall) return fail(stall.error());
        auto told = story(job);
        told["stall"] = *stall ? json::value(story(**stall)) : nullptr;
        array.push_back(std::move(told));
    }
    return array;
}

Status add_queue_jobs(store::Db& db, json::object& object) {
    store::JobFilter waiting;
    waiting.status = JobStatus::queued;
    waiting.oldest_first = true;
    waiting.limit = queued_told;
    store::JobFilter ended;
    ended.only_ended = true;
    ended.limit = ended_told;
    const auto running = store::live_jobs(db);
    if (!running) return fail(running.error());
    const auto queued = store::list_jobs(db, waiting);
    if (!queued) return fail(queued.error());
    const auto recent = store::list_jobs(db, ended);
    if (!recent) return fail(recent.error());
    auto told = running_stories(db, *running);
    if (!told) return fail(told.error());
    object["running"] = std::move(*told);
    object["queued"] = stories(*queued);
    object["recent"] = stories(*recent);
    return {};
}

Result<std::string> work_item_of(store::Db& db, std::int64_t task_id) {
    return store::find_task(db, task_id).map([](const std::optional<store::Task>& task) {
        return task ? task->work_item : std::string();
    });
}

Result<json::array> held(store::Db& db, store::LeaseKind kind) {
    const auto leases = store::all_held(db, kind);
    if (!leases) return fail(leases.error());
    json::array array;
    for (const auto& lease : *leases) {
        auto work_item = work_item_of(db, lease.task_id);
        if (!work_item) return fail(work_item.error());
        array.push_back(
            {{"key", lease.key}, {"work_item", *work_item}, {"job", lease.job_id}, {"acquired_at", lease.acquired_at}});
    }
    return array;
}

Status add_leases(store::Db& db, json::object& object) {
    const auto transitions = store::held_transitions(db);
    if (!transitions) return fail(transitions.error());
    json::array array;
    for (const auto& lease : *transitions) {
        auto work_item = work_item_of(db, lease.task_id);
        if (!work_item) return fail(work_item.error());
        auto entry = story(lease);
        entry["work_item"] = *work_item;
        array.push_back(std::move(entry));
    }
    auto merges = held(db, store::LeaseKind::merge);
    if (!merges) return fail(merges.error());
    auto targets = held(db, store::LeaseKind::target);
    if (!targets) return fail(targets.error());
    object["transition_lease"] = std::move(array);
    object["merge_lease"] = std::move(*merges);
    object["target_lease"] = std::move(*targets);
    return {};
}

Status add_counts(store::Db& db, json::object& object) {
    const auto counts = store::queue_counts(db);
    if (!counts) return fail(counts.error());
    const auto paused = store::find_state(db, "paused");
    if (!paused) return fail(paused.error());
    object["paused"] = *paused ? json::value(pause_story((*paused)->at, (*paused)->by, (*paused)->reason)) : nullptr;
    object["counts"] = {
        {"queued", counts->queued}, {"blocked", counts->blocked}, {"running", counts->running}, {"stopping", counts->stopping}};
    return {};
}

}  // namespace

Result<std::string> queue_json(const WorldView& view) {
    const auto projects = project_views(view.db, view.projects);
    if (!projects) return fail(projects.error());
    json::array told;
    for (const auto& project : *projects) told.push_back(project_story(project));
    return view.db.read([&](store::Db& db) -> Result<std::string> {
        json::object object{
            {"version", ORCHD_VERSION},
            {"boot_id", view.now.boot_id},
            {"schema_version", store::schema_version()},
            {"limits", {{"max_concurrency", view.settings.max_concurrency}, {"max_steps", view.settings.max_steps}}},
            {"projects", std::move(told)}};
        for (const auto part : {add_counts, add_queue_jobs, add_leases})
            if (auto added = part(db, object); !added) return fail(added.error());
        if (auto added = add_systems(view, object); !added) return fail(added.error());
        return json::serialize(object);
    });
}

Result<std::vector<ProjectView>> project_views(store::Db& db, const settings::Projects& projects) {
    std::map<std::string, ProjectView> views;
    for (const auto& project : projects.good) {
        auto& view = views[project.name];
        view.prefix = project.prefix;
        view.target = project.target;
        view.forge = project.forge_kind + ":" + project.forge_path;
    }
    for (const auto& problem : projects.problems) {
        auto& told = views[std::filesystem::path(problem.file).stem().string()].problem;
        told += (told.empty() ? "" : "\n") + problem.text;
    }
    const auto rows = store::all_projects(db);
    if (!rows) return fail(rows.error());
    const auto counts = store::project_counts(db);
    if (!counts) return fail(counts.error());
    for (const auto& row : *rows) {
        auto& view = views[row.name];
        view.paused = row.paused_at.has_value();
        view.disabled = row.paused_by == engine::disabled_by;
        view.pause_reason = row.pause_reason;
        const auto count = std::find_if(counts->begin(), counts->end(), [&](const auto& c) { return c.project_id == row.id; });
        if (count != counts->end()) view.counts = *count;
        if (view.prefix.empty() && view.problem.empty()) view.problem = "it has no file in " + std::string(names::projects_dir);
    }
    std::vector<ProjectView> sorted;
    for (auto& [name, view] : views) {
        view.name = name;
        sorted.push_back(std::move(view));
    }
    return sorted;
}

}  // namespace orchd::views
