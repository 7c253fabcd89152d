#include "engine/judged.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/front_matter.h"
#include "core/planted.h"
#include "store/facts.h"
#include "store/jobs.h"

namespace orchd::engine {
namespace {

// Whether two commits differ in nothing but this work item's artefacts (orchd's own log of the staging, say).
Result<bool> same_but_for_artefacts(const std::string& a, const std::string& b, const GateContext& c) {
    if (a == b) return true;
    auto paths = c.mirror.changed_paths(a, b);
    if (!paths) return fail(paths.error());
    const std::string folder = artefact_folder(c.task.work_item) + '/';
    return std::ranges::all_of(*paths, [&](const std::string& path) { return path.starts_with(folder); });
}

// Whether the target would come to the same by either of them.
Result<bool> lands_the_same(const std::string& judged, const GateContext& c) {
    if (judged.empty() || c.head.empty()) return false;
    auto base = c.mirror.fork_point(c.project.target, judged);
    if (!base) return fail(base.error());
    auto then = c.mirror.rebase(judged, c.code.target_head, *base);
    if (!then) return fail(then.error());
    if (!then->conflicts.empty()) return false;
    auto now = c.mirror.rebase(c.head, c.code.target_head, c.code.base);
    if (!now) return fail(now.error());
    if (!now->conflicts.empty()) return false;
    return same_but_for_artefacts(then->commit, now->commit, c);
}

// What of the task's code was judged last, or where nothing was yet, made last; empty where there is none.
Result<std::string> last_known_code(const std::vector<store::VerdictRow>& verdicts, const GateContext& c) {
    for (auto verdict = verdicts.rbegin(); verdict != verdicts.rend(); ++verdict)
        if (verdict->gate == Gate::review_approved && !verdict->patch_id.empty() && verdict->patch_id != "empty")
            return verdict->commit;
    auto jobs = store::list_jobs(c.world.db, {.work_item = c.task.work_item, .status = JobStatus::done});
    if (!jobs) return fail(jobs.error());
    std::pair<std::int64_t, std::string> last;
    for (const auto& claim : *jobs)
        if (claim.job.role == Role::developer && !claim.run.head_after.empty())
            last = std::max(last, {claim.run.id, claim.run.head_after});
    return last.second;
}

// Why no code is left to go on with: empty where there is some, or where the target has all that there was. What the target
// had and was set back from is told at the merge.
Result<std::string> lost_code(const std::vector<store::VerdictRow>& verdicts, const GateContext& c) {
    if (c.code.patch_id != "empty" || planted("empty_patch")) return std::string();
    auto on_target = c.mirror.is_ancestor(c.code.base, c.code.target_head);
    if (!on_target) return fail(on_target.error());
    if (!*on_target) return std::string();
    auto known = last_known_code(verdicts, c);
    if (!known) return known;
    if (known->empty()) return std::string();
    auto there = c.mirror.is_ancestor(*known, c.code.target_head);
    if (!there) return fail(there.error());
    if (*there) return std::string();
    auto base = c.mirror.fork_point(c.project.target, *known);
    if (!base) return fail(base.error());
    auto landed = c.mirror.rebase(*known, c.code.target_head, *base);
    if (!landed) return fail(landed.error());
    auto same = landed->conflicts.empty() ? same_but_for_artefacts(landed->commit, c.code.target_head, c) : Result<bool>(false);
    if (!same) return fail(same.error());
    return *same ? std::string()
                 : "the branch has no change of the code any more: it is at " + c.head + ", and what it was at, " + *known +
                       ", is not in " + c.project.target;
}

// Whether the project has anybody whose verdict this gate asks for.
bool asks_for_a_verdict(Gate gate, const settings::Project& project) {
    if (gate == Gate::review_approved) return true;
    return gate == Gate::tests_passed && (project.workers.contains(Role::test) || project.workers.contains(Role::tester));
}

// The newest word on it at any stage number: an earlier one was overtaken by it. A run that came to no verdict said none.
const store::VerdictRow* newest(const std::vector<store::VerdictRow>& verdicts, Gate gate) {
    const auto found = std::find_if(verdicts.rbegin(), verdicts.rend(),
                                    [&](const auto& verdict) { return verdict.gate == gate && !verdict.unusable; });
    return found == verdicts.rend() ? nullptr : &*found;
}

}  // namespace

Result<bool> only_artefacts_since(const std::string& earlier, const GateContext& c) {
    if (earlier == c.head) return true;
    if (earlier.empty() || c.head.empty()) return false;
    auto below = c.mirror.is_ancestor(earlier, c.head);
    if (!below || !*below) return below;
    return same_but_for_artefacts(earlier, c.head, c);
}

Result<bool> given_for(const store::VerdictRow& verdict, const GateContext& c) {
    if (verdict.patch_id == c.code.patch_id) return true;
    // Of a verdict from the tracker, which the worker records without a look into git, the patch is worked out here while its
    // commit is known.
    if (verdict.patch_id.empty() && !verdict.commit.empty())
        if (auto given = code_of(c.mirror, c.project, c.task.work_item, verdict.commit);
            given && given->patch_id == c.code.patch_id)
            return true;
    auto same = only_artefacts_since(verdict.commit, c);
    if (!same || *same) return same;
    return lands_the_same(verdict.commit, c);
}

Result<std::optional<Unjudged>> first_unjudged(const GateContext& c) {
    if (c.head.empty()) return std::nullopt;  // nothing can land
    auto verdicts = store::list_verdicts(c.world.db, c.task.id);
    if (!verdicts) return fail(verdicts.error());
    if (c.task.stage > Stage::development) {
        auto lost = lost_code(*verdicts, c);
        if (!lost) return fail(lost.error());
        if (!lost->empty()) return Unjudged{Stage::development, {Gate::ci_green, Colour::red, *lost, true}};
    }
    for (const Stage stage : {Stage::review, Stage::testing}) {
        if (stage >= c.task.stage) break;
        for (const Gate gate : row(stage).gates) {
            if (!asks_for_a_verdict(gate, c.project)) continue;
            const auto* verdict = newest(*verdicts, gate);
            const bool review = gate == Gate::review_approved;
            const auto not_held = [&](const std::string& why) { return Unjudged{stage, {gate, Colour::red, why, true}}; };
            if (verdict == nullptr) return not_held(review ? "it was never reviewed" : "it was never tested");
            const std::string said = review ? "its review was " : "its tests were ";
            if (verdict->colour != Colour::green) return not_held(said + "red in the end: " + verdict->reason);
            auto holds = planted("unreviewed_commits") ? Result<bool>(true) : given_for(*verdict, c);
            if (!holds) return fail(holds.error());
            if (!*holds)
                return not_held(said + "of " + verdict->commit + ", and the branch got other commits since: it is at " +
                                c.head);
        }
    }
    return std::nullopt;
}

Result<std::optional<GateAnswer>> ci_of_the_code(const GateContext& c) {
    if (!c.project.workers.contains(Role::ci) || c.head.empty()) return std::nullopt;
    auto jobs = store::list_jobs(c.world.db, {.work_item = c.task.work_item, .status = JobStatus::done});
    if (!jobs) return fail(jobs.error());
    std::vector<std::string> commits{c.head};
    for (const auto& claim : *jobs)
        if (claim.job.role == Role::ci) commits.push_back(claim.job.commit);
    auto verdicts = store::list_verdicts(c.world.db, c.task.id);
    if (!verdicts) return fail(verdicts.error());
    for (const auto& verdict : *verdicts)  // development was left with what they were given for
        if (!verdict.commit.empty() && std::ranges::find(commits, verdict.commit) == commits.end())
            commits.push_back(verdict.commit);
    for (const auto& commit : commits) {
        auto status = status_of(c.world.db, c.project.name, commit, ci_context);
        if (!status) return fail(status.error());
        if (!*status || (*status)->state == Colour::undecided) continue;
        auto same = given_for({.commit = commit}, c);
        if (!same) return fail(same.error());
        if (*same) return GateAnswer{Gate::ci_green, (*status)->state, (*status)->description};
    }
    return GateAnswer{Gate::ci_green, Colour::undecided, "CI has not run on " + c.head};
}

Result<std::string> nothing_new(const GateContext& c) {
    if (planted("empty_patch")) return std::string();
    if (c.head.empty() || c.code.patch_id == "empty") return "the branch has no change of the code";
    auto verdicts = store::list_verdicts(c.world.db, c.task.id);
    if (!verdicts) return fail(verdicts.error());
    // What was said of the code on its base, and of the code alone.
    for (const Gate gate : {Gate::review_approved, Gate::tests_passed, Gate::staging_status, Gate::branch_mergeable}) {
        const auto* verdict = newest(*verdicts, gate);
        if (verdict == nullptr || verdict->colour != Colour::red) continue;
        auto same = verdict->patch_id == c.code.patch_id ? Result<bool>(true) : only_artefacts_since(verdict->commit, c);
        if (!same) return fail(same.error());
        if (!*same) continue;
        if (gate != Gate::review_approved) {
            auto base = base_of(c.mirror, c.project, verdict->commit);
            if (!base) return fail(base.error());
            if (*base != c.code.base) continue;
        }
        return "the branch has no new change since " + verdict->commit + ", of which was said: " + verdict->reason;
    }
    return std::string();
}

}  // namespace orchd::engine
