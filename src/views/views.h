// What org.orchd1 and HTTP tell, as JSON (docs/dbus.md, docs/http.md), and the views that they share with the lists.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "engine/claim_limits.h"
#include "store/jobs.h"
#include "store/records.h"
#include "views/exposition.h"

namespace orchd::views {

using engine::WorldView;

// Errc::no_such for a work item without a task.
[[nodiscard]] Result<std::string> task_json(const WorldView& view, const std::string& work_item);
[[nodiscard]] Result<std::string> queue_json(const WorldView& view);
// A webhook delivery with its body. Errc::no_such.
[[nodiscard]] Result<std::string> delivery_json(store::Db& db, std::int64_t id);
// The house in short: what runs, what needs a person, what is wrong.
[[nodiscard]] Result<std::string> status_json(const WorldView& view);
// Whether all that the pages are made of can be read: {"status":"ok"}, or why not.
[[nodiscard]] Result<std::string> health_json(const WorldView& view);
// Answers of an HTTP server by their status, since it started.
using HttpAnswers = std::map<int, std::int64_t>;
// The page of /metrics.
[[nodiscard]] Result<std::string> metrics_text(const WorldView& view, const HttpAnswers& answers, MetricsFormat format);

// A project as its file and the database know it; `problem` is why a file is not accepted.
struct ProjectView {
    std::string name, prefix, target, forge;
    bool paused = false, disabled = false;  // disabled: paused by its file
    std::string pause_reason;
    store::ProjectCounts counts;
    std::string problem;
};
// By name: those with a good file, those with a bad one, and those that only the database remembers.
[[nodiscard]] Result<std::vector<ProjectView>> project_views(store::Db& db, const settings::Projects& projects);

// A lease that is held, of any kind.
struct LeaseView {
    std::string_view kind;  // "transition", "merge", "target"
    std::string key = {};   // the work item, the repository, the target
    std::string work_item = {}, project = {};
    std::int64_t job = 0;                 // whose it is; 0 for a transition that no job began
    std::string unit = {}, boot_id = {};  // where that works; empty while the job is queued
    std::int64_t acquired_at = 0;
    std::string from_stage = {};  // of a transition
};
[[nodiscard]] Result<std::vector<LeaseView>> lease_views(store::Db& db);

}  // namespace orchd::views
