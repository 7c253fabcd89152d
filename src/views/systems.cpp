#include "views/systems.h"

#include <array>
#include <boost/json.hpp>

#include "engine/astray.h"
#include "engine/disk.h"
#include "engine/why.h"
#include "store/ballast.h"
#include "store/deliveries.h"
#include "store/facts.h"
#include "store/totals.h"
#include "views/stories.h"

namespace orchd::views {
namespace {

namespace json = boost::json;

constexpr int dependencies_told = 50;

Result<json::object> reaper(store::Db& db, const settings::Settings& settings) {
    const auto pass = store::find_state(db, "reaper_pass");
    if (!pass) return fail(pass.error());
    json::value last;
    if (*pass) last = {{"at", (*pass)->at}, {"by", (*pass)->by}, {"did", (*pass)->value}};
    return json::object{{"enabled", settings.reaper_enabled},
                        {"interval_s", settings.reaper_interval_s},
                        {"recovery_interval_s", settings.recovery_interval_s},
                        {"dead_ticks", settings.reaper_dead_ticks},
                        {"max_running_s", settings.reaper_max_running_s},
                        {"lease_reclaim_enabled", settings.lease_reclaim_enabled},
                        {"last_pass", std::move(last)}};
}

json::object worker(const WorldView& view) {
    return {{"alive", view.worker_lives ? json::value(*view.worker_lives) : nullptr},
            {"problem", engine::no_worker(view.worker_lives)}};
}

json::object disk(const WorldView& view) {
    const auto low = engine::low_disk(view.settings, view.free_bytes, view.inodes);
    return {{"free_bytes", view.free_bytes},
            {"floor_bytes", view.settings.disk_floor_bytes},
            {"free_inodes", view.inodes.free},
            {"floor_inodes", engine::inode_floor(view.settings, view.inodes)},
            {"ballast_bytes", store::ballast_size(store::ballast_beside(view.db.path()))},
            {"low", low.has_value()},
            {"text", low ? low->text : std::string()}};
}

// Systems that other versions have. Who asks for one is told that it is not there, and what is in its place.
struct Unbuilt {
    std::string_view name, text;
};
constexpr std::array unbuilt{
    Unbuilt{"reconcile", "This version does not compare with forge and tracker by itself: webhooks and the steps of tasks do."},
    Unbuilt{"serial_gate", "This version cannot freeze a project; a pause of it starts nothing new."},
    Unbuilt{"staging_runner", "Staging is a job of the queue, run as the project's file says."},
    Unbuilt{"test_runner", "Tests are jobs of the queue, run as the project's file says."},
    Unbuilt{"post_deploy",
            "This version does not watch a service after its deploy: the deploy hook looks whether it is healthy."},
};

Result<json::object> maintenance(const WorldView& view) {
    const auto last = store::find_state(view.db, "maintenance");
    if (!last) return fail(last.error());
    return json::object{{"enabled", view.settings.maintenance_enabled},
                        {"interval_s", view.settings.maintenance_interval_s},
                        {"last_at", *last ? json::value((*last)->at) : nullptr},
                        {"last", *last ? embedded((*last)->value) : nullptr}};
}

Result<json::array> task_deps(store::Db& db) {
    const auto unmet = store::list_dependencies(db, {.only_unmet = true, .limit = dependencies_told});
    if (!unmet) return fail(unmet.error());
    json::array array;
    for (const auto& edge : *unmet)
        array.push_back({{"work_item", edge.work_item}, {"needs", edge.needs}, {"needs_stage", to_text(edge.needs_stage)}});
    return array;
}

Result<json::object> deliveries(store::Db& db) {
    const auto counts = store::count_deliveries(db);
    if (!counts) return fail(counts.error());
    const auto oldest = store::oldest_pending_delivery(db);
    if (!oldest) return fail(oldest.error());
    return json::object{{"pending", counts->pending}, {"oldest_pending_at", or_null(*oldest)},
                        {"done", counts->done},       {"ignored", counts->ignored},
                        {"failed", counts->failed},   {"refused", counts->refused}};
}

Result<json::array> astray(const WorldView& view) {
    const auto stories = engine::astray_stories(view.db, view.projects);
    if (!stories) return fail(stories.error());
    json::array array;
    for (const auto& s : *stories)
        array.push_back({{"repository", s.repository},
                         {"project", s.project},
                         {"deliveries", s.n},
                         {"first_at", s.first_at},
                         {"last_at", s.last_at},
                         {"text", s.text}});
    return array;
}

Result<json::object> outbox(store::Db& db) {
    const auto pending = store::pending_posts(db);
    if (!pending) return fail(pending.error());
    json::object object;
    for (const auto& [channel, n] : *pending) object[channel] = n;
    return object;
}

Result<json::object> counters(store::Db& db) {
    const auto rows = store::all_state(db);
    if (!rows) return fail(rows.error());
    json::object object{{"impossible_queued_total", 0}, {store::refused_total, 0}};
    for (const auto& row : *rows) {
        if (row.key.ends_with("_total")) object[row.key] = store::number_of(row);
    }
    return object;
}

}  // namespace

Status add_systems(const WorldView& view, json::object& queue) {
    auto reaping = reaper(view.db, view.settings);
    if (!reaping) return fail(reaping.error());
    queue["settings"] = settings_story(view.condition);
    queue["reaper"] = std::move(*reaping);
    queue["worker"] = worker(view);
    queue["disk"] = disk(view);
    for (const auto& [name, text] : unbuilt) queue[name] = json::object{{"built", false}, {"text", text}};
    auto kept = maintenance(view);
    if (!kept) return fail(kept.error());
    queue["maintenance"] = std::move(*kept);
    auto waiting = task_deps(view.db);
    if (!waiting) return fail(waiting.error());
    queue["task_deps"] = std::move(*waiting);
    auto lost = astray(view);
    if (!lost) return fail(lost.error());
    queue["astray"] = std::move(*lost);
    using Block = Result<json::object> (*)(store::Db&);
    for (const auto& [name, block] : std::initializer_list<std::pair<const char*, Block>>{
             {"deliveries", deliveries}, {"outbox", outbox}, {"counters", counters}}) {
        auto told = block(view.db);
        if (!told) return fail(told.error());
        queue[name] = std::move(*told);
    }
    return {};
}

}  // namespace orchd::views
