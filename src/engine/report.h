// The artefacts as engine words: which role writes which, and the text of those that orchd writes itself (13, 14, 15).
#pragma once

#include <optional>
#include <string>

#include "core/front_matter.h"
#include "store/records.h"

namespace orchd::engine {

// What a run of this role leaves in the branch: by itself, or written by orchd from its exit.
[[nodiscard]] std::optional<Artefact> artefact_of(Role role);

// What a report is made of. All of it is on record once the run's exit is, so the same run always gives the same text.
struct Report {
    const store::Task& task;
    const store::Job& job;
    const store::Run& run;  // with its exit
    bool good = false;
    std::string command;      // as the project's file says it
    std::string explanation;  // one clause: "the command ended with exit status 1"
};
// 13 of a test run, 15 of a staging run, 14 of a deploy.
[[nodiscard]] std::string report_text(const Report& report);

// "ended with exit status 1", "was killed by signal 9", "took too long", "never ran"
[[nodiscard]] std::string describe(Exit exit);

}  // namespace orchd::engine
