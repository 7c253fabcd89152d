#include "engine/claim_limits.h"

#include "engine/disk.h"
#include "store/tasks.h"

namespace orchd::engine {

WorldView view_of(const World& world) {
    return {.db = world.db,
            .settings = world.settings,
            .projects = world.projects,
            .now = world.now(),
            .free_bytes = world.free_bytes(),
            .see = world.units == nullptr ? std::function<UnitSeen(const std::string&)>()
                                          : [units = world.units](const std::string& unit) { return units->see(unit); },
            .condition = world.condition,
            .inodes = world.inodes(),
            .worker_lives = world.worker_lives()};
}

Result<store::Limits> limits_of(const WorldView& view) {
    store::Limits limits{.max_concurrency = static_cast<int>(view.settings.max_concurrency),
                         .max_steps = static_cast<int>(view.settings.max_steps),
                         .disk_low = low_disk(view.settings, view.free_bytes, view.inodes).has_value(),
                         .projects = {}};
    auto rows = store::all_projects(view.db);
    if (!rows) return fail(rows.error());
    for (const auto& row : *rows) {
        const auto* project = settings::find(view.projects, row.name);
        if (project == nullptr) continue;
        store::Limits::Project limit{.project_id = row.id, .max_concurrency = project->max_concurrency, .roles = {}};
        for (const auto& [role, worker] : project->workers)
            if (worker.max_concurrency > 0) limit.roles.push_back({role, worker.max_concurrency});
        limits.projects.push_back(std::move(limit));
    }
    return limits;
}

}  // namespace orchd::engine
