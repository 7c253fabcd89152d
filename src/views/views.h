// The two whole stories that org.orchd1 tells as JSON (docs/dbus.md), and the views they share with the lists.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "engine/ports.h"
#include "store/jobs.h"
#include "store/records.h"

namespace orchd::views {

// Errc::no_such for a work item without a task.
[[nodiscard]] Result<std::string> task_json(engine::World& world, const std::string& work_item);
[[nodiscard]] Result<std::string> queue_json(engine::World& world);

// A project as its file and the database know it; `problem` is why a file is not accepted.
struct ProjectView {
    std::string name, prefix, target, forge;
    bool paused = false;
    std::string pause_reason;
    store::ProjectCounts counts;
    std::string problem;
};
// By name: those with a good file, those with a bad one, and those that only the database remembers.
[[nodiscard]] Result<std::vector<ProjectView>> project_views(engine::World& world);

}  // namespace orchd::views
