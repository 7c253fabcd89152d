// Why a task stands where it stands, said to people.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "store/db.h"
#include "store/records.h"

namespace orchd::engine {

struct Why {
    std::string text;        // one sentence
    std::string command;     // what a person types to move it; empty where nobody need do anything
    bool needs_you = false;  // a person must act: it is held, or its human gate is open
};

// What to type to let go of a hold. Work that failed is tried anew, with fresh counters; a hold that the host or somebody else
// is to blame for is only let go.
[[nodiscard]] std::string command_against(Hold hold, const std::string& work_item);

// What is known around a task.
struct Surroundings {
    std::optional<std::string> host_paused, project_paused;  // the reasons, where paused
    std::vector<std::string> needs;                          // work items that it waits for
    std::vector<store::Job> live;                            // its live jobs
};
[[nodiscard]] Result<Surroundings> look_around(store::Db& db, const store::Task& task);

// Decides from what is given; the first that holds of: ended, held, human gate open, work running, paused, waiting for others,
// waiting for something, queued, nothing at all.
[[nodiscard]] Why why(const store::Task& task, const Surroundings& around);

}  // namespace orchd::engine
