// The end of an agent's run: its commits, and the verdict in its artefact.
#include <algorithm>
#include <array>

#include "core/planted.h"
#include "engine/code.h"
#include "engine/ending.h"
#include "engine/report.h"

namespace orchd::engine {
namespace {

constexpr std::array verdict_artefacts{Artefact::review, Artefact::test_report, Artefact::deploy_log, Artefact::staging_log,
                                       Artefact::post_deploy_log};

struct Commits {
    std::string head;     // what the run's branch came to; head_before where it has nothing new
    std::string refused;  // instead: why they are not taken
};

// Takes the run's commits into the mirror; no branch moves.
Result<Commits> take_commits(const World& world, const Ended& ended, git::Mirror& mirror) {
    const auto& before = ended.run.head_before;
    if (!took_its_spec(world, ended)) return Commits{before, {}};
    auto head = mirror.import_bundle(world.paths.left_dir + "/bundle", ended.task.branch,
                                     static_cast<std::uint64_t>(world.settings.bundle_max_bytes));
    if (!head && head.error().code == Errc::no_such) return Commits{before, {}};
    if (!head && head.error().code == Errc::invalid_argument) return Commits{{}, head.error().text};
    if (!head) return fail(head.error());
    auto descends = mirror.is_ancestor(before, *head);
    if (!descends) return fail(descends.error());
    if (*descends) return Commits{*head, {}};
    auto nothing_new = mirror.is_ancestor(*head, before);
    if (!nothing_new) return fail(nothing_new.error());
    if (*nothing_new) return Commits{before, {}};
    return Commits{{}, "its branch does not build on the commit that it was given"};
}

// The stage is asked again: a red, unusable row of its first gate says so.
Ending failure(const World& world, const Ended& ended, const std::string& reason) {
    Ending ending{.status = JobStatus::failed, .error = reason, .head = ended.run.head_before};
    const auto gates = row(ended.task.stage).gates;
    if (gates.empty()) return ending;
    ending.verdict = verdict_of(world, ended, gates.front(), Colour::red, reason);
    ending.verdict->unusable = true;
    return ending;
}

std::optional<Gate> gate_of(Role role) {
    if (role == Role::reviewer) return Gate::review_approved;
    if (role == Role::tester) return Gate::tests_passed;
    return std::nullopt;
}

// The reviewer's or tester's word, if this very run said it. It counts for the code that the run was given: what it changed
// itself nobody has judged.
Status read_verdict(const World& world, const Ended& ended, const settings::Project& project, git::Mirror& mirror,
                    const std::string& head, Ending& ending) {
    auto changed = mirror.changed_paths(ended.run.head_before, head);
    if (!changed) return fail(changed.error());
    const auto touched = [&](Artefact a) {
        return std::find(changed->begin(), changed->end(), artefact_path(ended.task.work_item, a)) != changed->end();
    };
    const auto gate = gate_of(ended.job.role);
    const auto own = artefact_of(ended.job.role);
    for (const auto artefact : verdict_artefacts)
        if (!(own && *own == artefact) && touched(artefact)) ending.ignored_artefacts.emplace_back(to_text(artefact));
    if (!gate) return {};

    if (planted("exit_0_is_success")) {
        ending.verdict = verdict_of(world, ended, *gate, Colour::green, "it ended with 0");
        return {};
    }
    Verdict said{Colour::red, "the run left no " + std::string(to_text(*own)), true};
    if (touched(*own)) {
        auto file = mirror.read_file(head, artefact_path(ended.task.work_item, *own));
        if (!file && file.error().code != Errc::invalid_argument) return fail(file.error());
        if (!file)
            said = {Colour::red, file.error().text, true};  // unfit, and so it will be however often it is read
        else
            said = *file ? verdict(*own, **file) : verdict(*own, std::nullopt);
    }
    auto code = code_of(mirror, project, ended.task.work_item, ended.run.head_before);
    if (!code) return fail(code.error());
    ending.verdict = verdict_of(world, ended, *gate, said.colour, said.reason);
    ending.verdict->unusable = said.unusable;
    ending.verdict->patch_id = code->patch_id;
    return {};
}

}  // namespace

Result<Ending> agent_ending(World& world, const Ended& ended, const settings::Project& project) {
    const bool clean = outcome(*ended.run.exit) == Outcome::look;
    auto left = what_was_left(world, ended);
    if (!left) return fail(left.error());
    const auto lost = *left ? not_brought_in(**left) : std::string();
    const auto with_what_was_left = [&](Ending ending) {
        if (*left) ending.left_behind = (*left)->reasons;
        if (*left) ending.told = (*left)->told;
        return ending;
    };
    if (!clean) {
        auto head = keep_commits(world, ended, project);
        if (!head) return fail(head.error());
        auto ending = failure(world, ended, describe_run(ended) + (lost.empty() ? "" : "; " + lost));
        if (!head->empty()) ending.head = *head;
        return with_what_was_left(std::move(ending));
    }
    auto branch = TaskBranch::open(world, project, ended.task);
    if (!branch) return fail(branch.error());
    auto commits = take_commits(world, ended, branch->mirror());
    if (!commits) return fail(commits.error());
    if (!commits->refused.empty())
        return with_what_was_left(failure(world, ended, "the run's commits were refused: " + commits->refused));
    if (*left && commits->head == ended.run.head_before && !(*left)->head.empty() && (*left)->head != commits->head &&
        lost.empty())
        return with_what_was_left(failure(world, ended, "the run's commits up to " + (*left)->head + " did not arrive"));

    Ending ending{.head = ended.run.head_before};
    if (commits->head != ended.run.head_before) {
        auto landed = branch->land(commits->head, ended.run.head_before);
        if (!landed) return fail(landed.error());
        if (!landed->refused.empty()) return with_what_was_left(failure(world, ended, landed->refused));
        ending.head = landed->head;
    }
    if (!lost.empty() &&
        !planted("left_behind_ignored")) {  // what could be brought in is in the branch; the next run goes on from there
        auto incomplete = failure(world, ended, lost);
        incomplete.head = ending.head;
        return with_what_was_left(std::move(incomplete));
    }
    if (auto read = read_verdict(world, ended, project, branch->mirror(), commits->head, ending); !read)
        return fail(read.error());
    return with_what_was_left(std::move(ending));
}

Result<std::optional<Left>> what_was_left(const World& world, const Ended& ended) {
    if (ended.job.kind != JobKind::agent || !took_its_spec(world, ended)) return std::nullopt;
    auto left = read_left(world.paths.left_dir);
    if (!left && left.error().code == Errc::invalid_argument)
        return Left{.head = {}, .reasons = {left.error().text}, .told = {}};
    return left;
}

Result<std::string> keep_commits(World& world, const Ended& ended, const settings::Project& project) {
    if (ended.job.role != Role::developer || ended.run.head_before.empty()) return std::string();
    auto branch = TaskBranch::open(world, project, ended.task);
    if (!branch) return fail(branch.error());
    auto commits = take_commits(world, ended, branch->mirror());
    if (!commits) return fail(commits.error());
    if (!commits->refused.empty() || commits->head == ended.run.head_before) return std::string();
    auto landed = branch->land(commits->head, ended.run.head_before);
    if (!landed) return fail(landed.error());
    if (!landed->refused.empty()) world.warn(ended.task.work_item, "a run's commits are left behind: " + landed->refused);
    return landed->head;
}

}  // namespace orchd::engine
