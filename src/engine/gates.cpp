#include "engine/gates.h"

#include <algorithm>
#include <array>

#include "core/front_matter.h"
#include "core/planted.h"
#include "core/text.h"
#include "engine/judged.h"
#include "store/jobs.h"

namespace orchd::engine {
namespace {

using Answer = Result<GateAnswer>;

GateAnswer green(Gate gate, std::string reason) { return {gate, Colour::green, std::move(reason)}; }
GateAnswer undecided(Gate gate, std::string reason) { return {gate, Colour::undecided, std::move(reason)}; }
GateAnswer unusable(Gate gate, std::string reason) { return {gate, Colour::red, std::move(reason), true}; }
GateAnswer not_configured(Gate gate) { return green(gate, "not configured"); }

Result<std::optional<store::VerdictRow>> row_of(Gate gate, const GateContext& c) {
    return store::find_verdict(c.world.db, c.task.id, c.task.stage_seq, gate);
}

// A verdict row of this very stage number decides, if it was given for the code that is there now.
Answer by_verdict(Gate gate, const GateContext& c) {
    auto row = row_of(gate, c);
    if (!row) return fail(row.error());
    if (!*row) return undecided(gate, "no verdict yet");
    auto same = given_for(**row, c);
    if (!same) return fail(same.error());
    if (!*same) return unusable(gate, "the code changed since the verdict was given");
    return GateAnswer{gate, (*row)->colour, (*row)->reason, (*row)->unusable};
}

Answer by_artefact(Gate gate, Artefact artefact, const GateContext& c) {
    if (c.head.empty()) return unusable(gate, "the task's branch is not on the forge");
    auto file = c.mirror.read_file(c.head, artefact_path(c.task.work_item, artefact));
    if (!file && file.error().code == Errc::invalid_argument) return unusable(gate, file.error().text);
    if (!file) return fail(file.error());
    const Verdict found = verdict(artefact, *file);
    return GateAnswer{gate, found.colour, found.reason, found.unusable};
}

// Whether the analysis is another than at a commit. An error means that the commit is not known any more, either.
Result<bool> analysis_changed_since(const std::string& commit, const GateContext& c) {
    auto changed = c.mirror.changed_paths(commit, c.head);
    if (!changed) return fail(changed.error());
    return std::ranges::find(*changed, artefact_path(c.task.work_item, Artefact::analysis)) != changed->end();
}

// An analysis that was rejected is no new one until it is changed, by whomever.
Answer artifacts_present(Gate gate, const GateContext& c) {
    auto answer = by_artefact(gate, Artefact::analysis, c);
    if (!answer || answer->colour != Colour::green) return answer;
    auto verdicts = store::list_verdicts(c.world.db, c.task.id);
    if (!verdicts) return fail(verdicts.error());
    const store::VerdictRow* last = nullptr;
    for (const auto& verdict : *verdicts)
        if (verdict.gate == Gate::analysis_approved && verdict.stage_seq < c.task.stage_seq) last = &verdict;
    if (last == nullptr || last->colour != Colour::red || last->commit.empty()) return answer;
    const auto changed = analysis_changed_since(last->commit, c);
    if (!changed || *changed) return answer;
    return unusable(
        gate, artefact_path(c.task.work_item, Artefact::analysis) + " is as it was when it was rejected: " + last->reason);
}
Answer architecture_done(Gate gate, const GateContext& c) { return by_artefact(gate, Artefact::architecture, c); }

// A person's verdict for other code, or another analysis, is none: the person is asked again, not the analyst.
Answer analysis_approved(Gate gate, const GateContext& c) {
    auto row = row_of(gate, c);
    if (!row) return fail(row.error());
    if (!*row) return undecided(gate, "waits for an approval");
    auto same = given_for(**row, c);
    if (!same) return fail(same.error());
    if (!*same) return undecided(gate, std::string("the code changed since the approval") + waits_for_another);
    const auto changed = analysis_changed_since((*row)->commit, c);
    if (!changed) return undecided(gate, "the approval was for " + (*row)->commit + ", which is not known any more");
    if (*changed)
        return undecided(
            gate, artefact_path(c.task.work_item, Artefact::analysis) + " changed since the approval" + waits_for_another);
    return GateAnswer{gate, (*row)->colour, (*row)->reason};
}

// The product of development is a patch: without a new one nothing is to be looked at.
Answer ci_green(Gate gate, const GateContext& c) {
    if (c.task.stage == Stage::development) {
        auto lacks = nothing_new(c);
        if (!lacks) return fail(lacks.error());
        if (!lacks->empty()) return unusable(gate, *lacks);
    }
    if (!c.project.workers.contains(Role::ci)) return not_configured(gate);
    auto status = status_of(c.world.db, c.project.name, c.head, ci_context);
    if (!status) return fail(status.error());
    if (!*status) return undecided(gate, "CI has not run on " + c.head);
    return GateAnswer{gate, (*status)->state, (*status)->description};
}

Answer review_approved(Gate gate, const GateContext& c) { return by_verdict(gate, c); }

Answer tests_passed(Gate gate, const GateContext& c) {
    if (!c.project.workers.contains(Role::test) && !c.project.workers.contains(Role::tester)) return not_configured(gate);
    return by_verdict(gate, c);
}

// What was staged is what is there now. A head that the merge itself rebased is not asked about: the re-test covers it.
Answer staging_image_fresh(Gate gate, const GateContext& c) {
    if (!c.project.workers.contains(Role::staging)) return not_configured(gate);
    auto row = row_of(Gate::staging_status, c);
    if (!row) return fail(row.error());
    if (!*row) return undecided(gate, "nothing was staged yet");
    auto fresh = only_artefacts_since((*row)->commit, c);
    if (!fresh) return fail(fresh.error());
    if (!*fresh) return unusable(gate, "staged was " + (*row)->commit + ", and the branch is at " + c.head);
    return green(gate, "staged was " + (*row)->commit);
}

Answer staging_status(Gate gate, const GateContext& c) {
    if (!c.project.workers.contains(Role::staging)) return not_configured(gate);
    return by_verdict(gate, c);
}

Answer branch_mergeable(Gate gate, const GateContext& c) {
    auto merged = c.mirror.is_ancestor(c.head, c.code.target_head);
    if (!merged) return fail(merged.error());
    if (*merged) return green(gate, c.project.target + " has it already");
    auto rebased = c.mirror.rebase(c.head, c.code.target_head, c.code.base);
    if (!rebased) return fail(rebased.error());
    if (rebased->conflicts.empty()) return green(gate, "can be rebased onto " + c.project.target);
    return GateAnswer{gate, Colour::red, "conflicts with " + c.project.target + " in " + joined(rebased->conflicts, ", ")};
}

// A live release that contains the commit settles it: this one's, or a later one's, which an older must never replace.
Answer deploy_status(Gate gate, const GateContext& c) {
    if (!c.project.workers.contains(Role::build) && !c.project.deploy) return not_configured(gate);
    auto live = store::live_release(c.world.db, c.project.name);
    if (!live) return fail(live.error());
    if (*live && !c.task.merged.empty() && !planted("older_deploy")) {
        auto contained = c.mirror.is_ancestor(c.task.merged, (*live)->commit);
        if (!contained) return fail(contained.error());
        if (*contained && (*live)->commit == c.task.merged) return green(gate, "live");
        if (*contained) return green(gate, "superseded: " + (*live)->commit + ", which contains it, is live");
    }
    auto row = row_of(gate, c);
    if (!row) return fail(row.error());
    if (*row) return GateAnswer{gate, (*row)->colour, (*row)->reason, (*row)->unusable};
    if (c.project.deploy) return undecided(gate, "not deployed yet");
    auto built = store::worked(c.world.db, c.task.id, c.task.stage_seq, Role::build);
    if (!built) return fail(built.error());
    return *built ? green(gate, "built; no deploy hook is configured") : undecided(gate, "not built yet");
}

constexpr std::array registry{
    artifacts_present,    // artifacts_present
    analysis_approved,    // analysis_approved
    architecture_done,    // architecture_done
    ci_green,             // ci_green
    review_approved,      // review_approved
    tests_passed,         // tests_passed
    staging_image_fresh,  // staging_image_fresh
    staging_status,       // staging_status
    branch_mergeable,     // branch_mergeable
    deploy_status,        // deploy_status
};
static_assert(registry.size() == enum_text<Gate>.size());

}  // namespace

Result<GateAnswer> ask(Gate gate, const GateContext& context) {
    auto row = row_of(gate, context);
    if (!row) return fail(row.error());
    if (*row && (*row)->colour == Colour::red && (*row)->unusable) return unusable(gate, (*row)->reason);
    return registry[static_cast<std::size_t>(gate)](gate, context);
}

Result<std::vector<GateAnswer>> ask_all(const GateContext& context) {
    std::vector<GateAnswer> answers;
    for (const Gate gate : row(context.task.stage).gates) {
        auto answer = ask(gate, context);
        if (!answer) return fail(answer.error());
        answers.push_back(std::move(*answer));
        if (answers.back().colour != Colour::green) break;
    }
    return answers;
}

Result<std::optional<store::CommitStatus>> status_of(store::Db& db, const std::string& project, const std::string& commit,
                                                     const std::string& context) {
    auto all = store::statuses_of(db, project, commit);
    if (!all) return fail(all.error());
    const auto found = std::ranges::find(*all, context, &store::CommitStatus::context);
    return found == all->end() ? std::nullopt : std::make_optional(*found);
}

}  // namespace orchd::engine
