#include "engine/disabled.h"

#include "engine/events.h"
#include "engine/leases.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

Status set_paused(World& world, const Acting& who, const store::Project& row, const std::string& reason) {
    if (row.paused_at)
        if (auto resumed = store::resume_project(who.tx, row.id); !resumed) return resumed;
    const auto scope = "project:" + row.name;
    if (reason.empty()) return add_event(who, "resumed", std::nullopt, std::nullopt, {{"scope", scope}});
    auto paused = store::pause_project(who.tx, row.id, std::string(disabled_by), reason, who.now);
    if (!paused) return paused;
    if (auto asked = ask_those_behind_project(world, who.tx, row.id); !asked) return asked;
    return add_event(who, "paused", std::nullopt, std::nullopt, {{"scope", scope}, {"reason", reason}});
}

// What a project without an accepted file was stays: it starts nothing anyway.
bool differs(const World& world, const store::Project& row) {
    const auto* project = settings::find(world.projects, row.name);
    if (project == nullptr) return false;
    const bool by_file = row.paused_at && row.paused_by == disabled_by;
    if (project->disabled.empty()) return by_file;
    return !row.paused_at || (by_file && row.pause_reason != project->disabled);
}

}  // namespace

Status heed_disabled(World& world) {
    auto rows = store::all_projects(world.db);
    if (!rows) return fail(rows.error());
    for (const auto& seen : *rows) {
        if (!differs(world, seen)) continue;
        auto heeded = world.db.write([&](store::Tx& tx) -> Status {
            auto row = store::find_project(tx.db(), seen.name);
            if (!row) return fail(row.error());
            if (!*row || !differs(world, **row)) return {};
            const Acting who{tx, std::string(disabled_by), world.now()};
            return set_paused(world, who, **row, settings::find(world.projects, seen.name)->disabled);
        });
        if (!heeded) return heeded;
        world.poke_events();
    }
    return {};
}

}  // namespace orchd::engine
