// The gates by name (R02): read-only, may be asked at any time.
//
// They read files of the branch (10, 11), commit statuses (contexts "orchd/ci" and "orchd/retest"), and verdict rows of the
// present stage number, which finish records: the reviewer's and tester's from their artefact, those of checks and of the
// deploy hook (Gate::deploy_status) from the exit. A run that failed without a verdict leaves a row that is red and unusable
// for its stage's first gate with the reason ("the developer's run ended with exit status 3"): whatever the gate reads
// otherwise, such a row has the stage's work asked for again. A row's `commit` is what the run worked on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/pipeline.h"
#include "engine/code.h"
#include "engine/ports.h"
#include "store/facts.h"
#include "store/records.h"

namespace orchd::engine {

struct GateContext {
    World& world;
    const store::Task& task;
    const settings::Project& project;
    git::Mirror& mirror;  // fetched already
    std::string head;     // of the task's branch on the forge; empty: it has none yet
    Code code;            // of head
};
// An error means that it could not be asked now.
[[nodiscard]] Result<GateAnswer> ask(Gate gate, const GateContext& context);
// Asks the stage's gates in order, up to and including the first that is not green.
[[nodiscard]] Result<std::vector<GateAnswer>> ask_all(const GateContext& context);

// How the reason of an approval that does not count any more ends, by which engine/why knows it.
inline constexpr const char* waits_for_another = "; it waits for another";

// Contexts of commit statuses.
inline constexpr const char* ci_context = "orchd/ci";
inline constexpr const char* retest_context = "orchd/retest";
[[nodiscard]] Result<std::optional<store::CommitStatus>> status_of(store::Db& db, const std::string& project,
                                                                   const std::string& commit, const std::string& context);

}  // namespace orchd::engine
