// State directories of runs: one a task, removed when it ends. Those of which that failed, and those of tasks that a database
// from a backup knows nothing of, are found here.
#include <algorithm>
#include <filesystem>

#include "core/boundary.h"
#include "core/names.h"
#include "core/work_item.h"
#include "engine/maintain_parts.h"
#include "engine/recover.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

namespace fs = std::filesystem;

// Of an open task the next run may still need it. One that is unknown has no run.
Result<bool> is_left(store::Db& db, const std::string& work_item) {
    auto task = store::find_task(db, work_item);
    if (!task) return fail(task.error());
    return *task ? is_over(db, **task) : true;
}

Status add_left(store::Db& db, std::string_view stem, const std::string& folder, std::vector<std::string>& units) {
    std::error_code error;
    if (folder.empty()) return {};
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const auto work_item = entry->path().filename().string();
        if (!WorkItem::parse(work_item)) continue;
        auto left = is_left(db, work_item);
        if (!left) return fail(left.error());
        if (*left) units.push_back(names::unit(stem, work_item));
    }
    if (error && error != std::errc::no_such_file_or_directory) return fail(Errc::io, folder + ": " + error.message());
    return {};
}

}  // namespace

Result<std::vector<std::string>> left_states(store::Db& db, const Paths& paths) {
    std::vector<std::string> units;
    for (const auto& [stem, folder] :
         {std::pair(names::agent, paths.agent_states_dir), std::pair(names::deploy, paths.deploy_states_dir)})
        if (auto added = add_left(db, stem, folder, units); !added) return fail(added.error());
    std::sort(units.begin(), units.end());
    return units;
}

// PID 1 removes it, and only of a unit that is inactive: nothing of what is in there is looked at by us.
Status remove_states(World& world, Maintained& done) {
    if (world.units == nullptr) return {};
    auto left = left_states(world.db, world.paths);
    if (!left) return fail(left.error());
    Status first_failed;
    for (const auto& unit : *left) {
        if (busy(world.units->see(unit))) continue;
        auto cleaned = bounded("maintain.state", [&] { return world.units->clean(unit); });
        if (!cleaned && first_failed) first_failed = fail(cleaned.error());
        done.states += cleaned ? 1 : 0;
    }
    return first_failed;
}

}  // namespace orchd::engine
