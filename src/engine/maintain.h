// The maintenance pass: a backup, the WAL emptied, what is past its retention forgotten, and what runs and builds left behind
// removed, never what is live. Each part by itself: one that fails is told and the others are done.
#pragma once

#include <string>
#include <vector>

#include "engine/ports.h"

namespace orchd::engine {

struct Maintained {
    std::string backup;  // its path; empty where none was made
    int backups_pruned = 0;
    std::int64_t events = 0, deliveries = 0, posts = 0;  // forgotten
    int releases = 0, run_folders = 0, branches = 0;     // removed
    int states = 0;                                      // state directories of runs that are over, removed
    int mirrors = 0;                                     // packed
    int failures = 0;                                    // parts that failed, told by World::warn
};
// Whether `maintenance_interval_s` has passed since the last pass began, by the wall clock; the first time it is due.
[[nodiscard]] Result<bool> maintenance_due(World& world);
// Writes settings_state "maintenance": {"backup", "events", …} of the last pass.
[[nodiscard]] Result<Maintained> maintain(World& world);
// The units whose state directory is left though their task is over or unknown.
[[nodiscard]] Result<std::vector<std::string>> left_states(store::Db& db, const Paths& paths);

}  // namespace orchd::engine
