#include <boost/json.hpp>

#include "engine/astray.h"
#include "engine/disk.h"
#include "engine/why.h"
#include "store/facts.h"
#include "store/stalls.h"
#include "store/tasks.h"
#include "views/stories.h"
#include "views/views.h"

namespace orchd::views {
namespace {

namespace json = boost::json;

constexpr int needing_told = 20;

// One as it is told to people: of a gate that waits, the sentence, since its name says nothing to them.
Result<json::object> needing(const WorldView& view, const engine::HostView& host, const store::Task& task) {
    const auto around = engine::look_around(view, task);
    if (!around) return fail(around.error());
    const auto why = engine::why(task, *around, host);
    return json::object{{"work_item", task.work_item},
                        {"project", task.project},
                        {"stage", to_text(task.stage)},
                        {"hold", to_text(task.hold)},
                        {"reason", task.hold == Hold::none ? why.text : task.hold_reason},
                        {"why", why.text},
                        {"command", why.command}};
}

Result<json::array> needing_you(const WorldView& view) {
    const auto tasks = store::list_tasks(view.db, {.only_open = true, .needs_human = true, .limit = needing_told});
    if (!tasks) return fail(tasks.error());
    json::array array;
    if (!tasks->empty()) {
        const auto host = engine::look_at_host(view);
        if (!host) return fail(host.error());
        for (const auto& task : *tasks) {
            auto one = needing(view, *host, task);
            if (!one) return fail(one.error());
            array.push_back(std::move(*one));
        }
    }
    // Of no task, but of a project.
    const auto stories = engine::astray_stories(view.db, view.projects);
    if (!stories) return fail(stories.error());
    for (const auto& story : *stories)
        if (!story.project.empty() && array.size() < needing_told)
            array.push_back({{"work_item", ""},
                             {"project", story.project},
                             {"stage", ""},
                             {"hold", ""},
                             {"reason", story.text},
                             {"why", story.text},
                             {"command", ""}});
    return array;
}

// What is wrong with the house, beyond single tasks, in sentences; what a person must do for a task is in needs_you.
Result<json::array> problems(const WorldView& view) {
    json::array array;
    if (auto nobody = engine::no_worker(view.worker_lives); !nobody.empty()) array.push_back(json::value(nobody));
    if (const auto low = engine::low_disk(view.settings, view.free_bytes, view.inodes))
        array.push_back(json::value("Nothing is started, since " + low->text));
    const auto stalled = store::count_stalled(view.db);
    if (!stalled) return fail(stalled.error());
    if (stalled->beginnings > 0)
        array.push_back(json::value("Runs that cannot begin: " + std::to_string(stalled->beginnings) + "."));
    if (stalled->ends > 0)
        array.push_back(json::value("Runs whose end cannot be recorded: " + std::to_string(stalled->ends) + "."));
    return array;
}

}  // namespace

Result<std::string> status_json(const WorldView& view) {
    return view.db.read([&](store::Db& db) -> Result<std::string> {
        const auto counts = store::queue_counts(db);
        if (!counts) return fail(counts.error());
        const auto paused = store::find_state(db, "paused");
        if (!paused) return fail(paused.error());
        const auto projects = project_views(db, view.projects);
        if (!projects) return fail(projects.error());
        auto needing = needing_you(view);
        if (!needing) return fail(needing.error());
        auto wrong = problems(view);
        if (!wrong) return fail(wrong.error());
        json::array told;
        std::int64_t open = 0;
        for (const auto& project : *projects) {
            open += project.counts.open_tasks;
            told.push_back({{"name", project.name},
                            {"paused", project.paused},
                            {"disabled", project.disabled},
                            {"problem", project.problem}});
        }
        const json::object object{
            {"status", "ok"},
            {"version", ORCHD_VERSION},
            {"schema_version", store::schema_version()},
            {"boot_id", view.now.boot_id},
            {"at", view.now.utc_ms},
            {"paused", *paused ? json::value(pause_story((*paused)->at, (*paused)->by, (*paused)->reason)) : nullptr},
            {"settings", settings_story(view.condition)},
            {"open_tasks", open},
            {"running", counts->running},
            {"queued", counts->queued},
            {"worker_alive", view.worker_lives ? json::value(*view.worker_lives) : nullptr},
            {"problems", std::move(*wrong)},
            {"needs_you", std::move(*needing)},
            {"projects", std::move(told)}};
        return json::serialize(object);
    });
}

Result<std::string> health_json(const WorldView& view) {
    if (auto made = status_json(view); !made) return made;
    if (auto made = queue_json(view); !made) return made;
    if (auto made = metrics_text(view, {}, MetricsFormat::prometheus); !made) return made;
    if (const auto newest = store::list_events(view.db, {.limit = 1}); !newest) return fail(newest.error());
    return R"({"status":"ok"})";
}

}  // namespace orchd::views
