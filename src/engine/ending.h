// What the end of a run comes to, by the kind of its job (finish.cpp and its ending_*.cpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/branch.h"
#include "engine/events.h"
#include "engine/left.h"
#include "engine/ports.h"
#include "store/facts.h"
#include "store/records.h"

namespace orchd::engine {

struct Ended {  // a run whose exit is on record, and its job, which is not finished yet
    store::Task task;
    store::Job job;
    store::Run run;
    std::string explained = {};  // of an end that its exit status alone does not tell (explain.h)
};

// Gathered outside any transaction, then written in one with the end of the job. Gathering it again after a crash gives the
// same and does nothing twice outside.
struct Ending {
    JobStatus status = JobStatus::done;
    std::string error = {};
    std::string head = {};  // of the task's branch now; empty where the run had nothing to do with it
    std::optional<store::VerdictRow> verdict = {};
    std::optional<store::CommitStatus> commit_status = {};
    std::optional<store::Release> release = {};
    std::vector<std::string> ignored_artefacts = {};  // changed by a run whose they are not
    std::vector<std::string> left_behind = {};        // work of the run that could not be brought in, and why
    std::vector<std::string> told = {};               // what else its launcher says
};

// For exits that mean "look" or "failed". Errors are for another try of the finish.
[[nodiscard]] Result<Ending> agent_ending(World& world, const Ended& ended, const settings::Project& project);
[[nodiscard]] Result<Ending> check_ending(World& world, const Ended& ended, const settings::Project& project);
[[nodiscard]] Result<Ending> deploy_ending(World& world, const Ended& ended, const settings::Project& project);

// What an agent's launcher says that the run left; of a word that cannot be read, that is the reason. Nothing where it did not
// come to it: that is no answer, and nobody knows what is missing.
[[nodiscard]] Result<std::optional<Left>> what_was_left(const World& world, const Ended& ended);

// A developer's commits of a run that failed or was cut short are work all the same: the next one goes on from them. The
// branch's head, or nothing where it stays as it is.
[[nodiscard]] Result<std::string> keep_commits(World& world, const Ended& ended, const settings::Project& project);

// A verdict of this run, for the commit it worked on.
[[nodiscard]] store::VerdictRow verdict_of(const World& world, const Ended& ended, Gate gate, Colour colour,
                                           const std::string& reason);
// Whether the run got as far as its spec. One that was killed before its launcher cleared the folder has left nothing: what
// lies there is an earlier run's.
[[nodiscard]] bool took_its_spec(const World& world, const Ended& ended);
[[nodiscard]] std::string describe_run(const Ended& ended);  // "the developer's run ended with exit status 3"

}  // namespace orchd::engine
