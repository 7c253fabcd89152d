#include "engine/merge.h"

#include "core/boundary.h"
#include "core/front_matter.h"
#include "core/planted.h"
#include "engine/judged.h"
#include "engine/leases.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

using Kind = MergeResult::Kind;

// One round as the ledger has it. A merge that was abandoned ends its round.
struct Round {
    int number = 1;
    std::optional<store::Effect> rebase, merge;
};

std::string key_of(const Turn& turn, int round, std::string_view effect) {
    return store::effect_key(turn.task().id, turn.task().stage_seq, round, effect);
}

bool abandoned(const std::optional<store::Effect>& effect) { return effect && effect->state == EffectState::abandoned; }
bool done(const std::optional<store::Effect>& effect) { return effect && effect->state == EffectState::done; }

Result<Round> present_round(Turn& turn) {
    for (Round round;; ++round.number) {
        auto rebase = store::find_effect(turn.world().db, key_of(turn, round.number, "rebase"));
        if (!rebase) return fail(rebase.error());
        auto merge = store::find_effect(turn.world().db, key_of(turn, round.number, "merge"));
        if (!merge) return fail(merge.error());
        if (abandoned(*rebase) || abandoned(*merge)) continue;
        round.rebase = std::move(*rebase);
        round.merge = std::move(*merge);
        return round;
    }
}

// One merge, carried on by this turn.
class Merge {
public:
    explicit Merge(Turn& turn) : turn_(turn), expected_head_(turn.head()) {}

    Result<MergeResult> carry_on() {
        auto leased = take_lease();
        if (!leased) return fail(leased.error());
        if (!*leased) return MergeResult{Kind::lease_held};
        for (;;) {
            if (auto looked = turn_.look(); !looked) return fail(looked.error());
            if (turn_.head() != expected_head_) return fail(Errc::unavailable, "the branch got commits meanwhile");
            auto round = present_round(turn_);
            if (!round) return fail(round.error());
            auto result = work(*round);
            if (!result || *result) return result ? Result<MergeResult>(**result) : fail(result.error());
            if (is_last(round->number))
                return MergeResult{.kind = Kind::give_way,
                                   .answer = {Gate::branch_mergeable, Colour::undecided, came_to_nothing_},
                                   .rounds = round->number};
        }
    }

private:
    using Step = Result<std::optional<MergeResult>>;  // nothing: the round is abandoned, on with the next

    // Of those after which others go first; of a task that did so too often already, each.
    [[nodiscard]] bool is_last(std::int64_t round) const {
        const auto& settings = turn_.world().settings;
        return round % settings.merge_tries == 0 || round > settings.give_way_cap * settings.merge_tries;
    }

    Result<bool> take_lease() {
        bool taken = false;
        auto written = turn_.write("merge.lease", [&](const Acting& who) -> Status {
            auto acquired = engine::take_lease(turn_.world(), who, store::LeaseKind::merge,
                                               forge::repository_of(turn_.project()), turn_.task().id, turn_.job().id);
            if (!acquired) return fail(acquired.error());
            taken = *acquired;
            return {};
        });
        if (!written) return fail(written.error());
        return taken;
    }

    Step work(const Round& round) {
        if (done(round.merge)) return MergeResult{Kind::merged, round.merge->result};
        if (round.merge) return apply_merge(round.number, round.merge->result, true);
        auto contained = turn_.mirror().is_ancestor(turn_.head(), turn_.code().target_head);
        if (!contained) return fail(contained.error());
        if (*contained) return MergeResult{Kind::merged, turn_.head()};
        if (turn_.code().base == turn_.head()) return dropped();
        auto unjudged = first_unjudged(turn_.gate_context());
        if (!unjudged) return fail(unjudged.error());
        if (*unjudged)
            return MergeResult{
                .kind = Kind::unjudged, .commit = turn_.head(), .answer = (*unjudged)->answer, .stage = (*unjudged)->stage};
        if (!done(round.rebase)) return rebase(round);

        const std::string& commit = round.rebase->result;
        if (commit != turn_.head()) return abandon(round.number, "merge", commit, "the branch got other commits");
        if (!on_target(turn_.code().base)) return abandon(round.number, "merge", commit, turn_.project().target + " moved");
        return tested(round.number, commit);
    }

    // Whether what leaves the target at `base` stands on the target as it is: not on what it was, before it moved on or was set
    // back.
    [[nodiscard]] bool on_target(const std::string& base) const { return base == turn_.code().target_head; }

    // The target had all of the branch once, and somebody took it out: that is not undone here.
    Step dropped() {
        const auto& target = turn_.project().target;
        return MergeResult{Kind::refused,
                           turn_.head(),
                           {Gate::branch_mergeable, Colour::red,
                            target + " had " + turn_.head() + " already and was set back from it: to bring it in again, give " +
                                turn_.task().branch + " another commit (git commit --amend), then release the task"}};
    }

    // The target has all of the branch's code: by an earlier merge of it that arrived later than it was waited for, or by
    // others.
    Step nothing_to_bring() {
        auto there = turn_.mirror().is_ancestor(turn_.code().base, turn_.code().target_head);
        if (!there) return fail(there.error());
        if (!*there) return dropped();
        return MergeResult{Kind::merged, turn_.code().target_head};
    }

    Step rebase(const Round& round) {
        if (round.rebase && round.rebase->result != turn_.head())
            return abandon(round.number, "rebase", round.rebase->result, "it was not pushed");
        if (round.rebase) return rebased(round.number, turn_.head());

        auto rebased_head = turn_.mirror().rebase(turn_.head(), turn_.code().target_head, turn_.code().base);
        if (!rebased_head) return fail(rebased_head.error());
        if (!rebased_head->conflicts.empty()) return conflict();
        const std::string& commit = rebased_head->commit;
        auto left = turn_.mirror().patch_id(turn_.code().target_head, commit, artefact_folder(turn_.task().work_item));
        if (!left) return fail(left.error());
        if (*left == "empty") return nothing_to_bring();
        if (auto intended = intend(round.number, "rebase", commit); !intended) return fail(intended.error());
        if (commit != turn_.head()) {
            boundary("merge.push.before");
            auto pushed = turn_.forge().push(turn_.mirror(), turn_.task().branch, commit, turn_.head());
            boundary("merge.push.after");
            if (!pushed && pushed.error().code == Errc::conflict)
                return abandon(round.number, "rebase", commit, pushed.error().text);
            if (!pushed) return fail(pushed.error());
            if (auto followed = follow(commit); !followed) return fail(followed.error());
            expected_head_ = commit;
        }
        return rebased(round.number, commit);
    }

    // The forge has the rebased branch.
    Step rebased(int round, const std::string& commit) {
        auto written = turn_.write("merge.rebased", [&](const Acting& who) -> Status {
            if (auto settled = settle(who, round, "rebase", EffectState::done, commit); !settled) return settled;
            if (auto set = store::set_head(who.tx, turn_.task().id, commit, who.now); !set) return set;
            return add_event(who, "rebased", turn_.task().id, turn_.job().id,
                             {{"commit", commit}, {"onto", turn_.code().target_head}, {"round", std::int64_t{round}}});
        });
        if (!written) return fail(written.error());
        return tested(round, commit);
    }

    Step conflict() {
        auto answer = ask(Gate::branch_mergeable, turn_.gate_context());
        if (!answer) return fail(answer.error());
        return MergeResult{Kind::red, turn_.head(), *answer};
    }

    // Our own branch of the mirror is what the forge's is put back from where somebody deletes it.
    Status follow(const std::string& commit) {
        auto ours = turn_.mirror().head(turn_.task().branch);
        if (!ours) return fail(ours.error());
        return *ours == commit ? Status{} : turn_.mirror().set_head(turn_.task().branch, commit, ours->value_or(""));
    }

    // The re-test of exactly this commit decides.
    Step tested(int round, const std::string& commit) {
        if (!turn_.works(Role::retest) || (planted("retest_of_another_tree") && round > 1)) return begin_merge(round, commit);
        auto status = status_of(turn_.world().db, turn_.project().name, commit, retest_context);
        if (!status) return fail(status.error());
        if (!*status || (*status)->state == Colour::undecided) return MergeResult{Kind::test, commit};
        if ((*status)->state == Colour::green) return begin_merge(round, commit);
        return MergeResult{Kind::red,
                           commit,
                           {Gate::tests_passed, Colour::red,
                            "the re-test on top of " + turn_.project().target + ": " + (*status)->description}};
    }

    Step begin_merge(int round, const std::string& commit) {
        if (planted("effect_without_intent")) return apply_merge(round, commit, false);
        if (auto intended = intend(round, "merge", commit); !intended) return fail(intended.error());
        return apply_merge(round, commit, false);
    }

    // The merge is intended. `again`: by an earlier turn, so the forge is asked first whether it happened.
    Step apply_merge(int round, const std::string& commit, bool again) {
        if (again) {
            auto happened = turn_.forge().contains(turn_.mirror(), turn_.project().target, commit);
            if (!happened) return MergeResult{Kind::cannot_tell, commit};
            if (*happened) return merged(round, commit);
        }
        // The round's commit stands on the target's head: of now, or the compare-and-swap fails.
        auto base = turn_.mirror().fork_point(turn_.project().target, commit);
        if (!base) return fail(base.error());
        if (!on_target(*base)) return abandon(round, "merge", commit, turn_.project().target + " moved");
        auto expected = turn_.code().target_head;
        if (planted("merge_onto_anything"))
            if (auto there = turn_.forge().head(turn_.project().target); there && *there) expected = **there;
        boundary("merge.apply.before");
        auto applied = turn_.forge().merge(turn_.mirror(), turn_.project().target, commit, expected);
        boundary("merge.apply.after");
        // Whatever was answered: merged is what stands in the target's history.
        auto happened = turn_.forge().contains(turn_.mirror(), turn_.project().target, commit);
        if (!happened || (applied && !*happened)) return MergeResult{Kind::cannot_tell, commit};
        if (*happened) return merged(round, commit);
        if (applied.error().code != Errc::conflict) return fail(applied.error());
        return abandon(round, "merge", commit, applied.error().text);
    }

    Step merged(int round, const std::string& commit) {
        auto written = turn_.write("merge.merged", [&](const Acting& who) -> Status {
            if (auto settled = settle(who, round, "merge", EffectState::done, commit); !settled) return settled;
            return add_event(who, "merged", turn_.task().id, turn_.job().id,
                             {{"commit", commit}, {"target", turn_.project().target}, {"round", std::int64_t{round}}});
        });
        if (!written) return fail(written.error());
        return MergeResult{Kind::merged, commit};
    }

    Status intend(int round, std::string_view effect, const std::string& commit) {
        return turn_.write("merge.intend", [&](const Acting& who) -> Status {
            auto intended =
                store::intend(who.tx, key_of(turn_, round, effect), turn_.task().id, commit, turn_.fence(), who.now);
            if (!intended) return fail(intended.error());
            return {};
        });
    }

    Status settle(const Acting& who, int round, std::string_view effect, EffectState state, const std::string& result) {
        return store::settle(who.tx, key_of(turn_, round, effect), state, result, turn_.fence(), who.now);
    }

    // Ends the round by abandoning one of its effects, which is written down first where it was not yet.
    Step abandon(int round, std::string_view effect, const std::string& commit, const std::string& why) {
        auto written = turn_.write("merge.abandon", [&](const Acting& who) -> Status {
            auto intended =
                store::intend(who.tx, key_of(turn_, round, effect), turn_.task().id, commit, turn_.fence(), who.now);
            if (!intended) return fail(intended.error());
            if (auto settled = settle(who, round, effect, EffectState::abandoned, why); !settled) return settled;
            return add_event(who, "merge_abandoned", turn_.task().id, turn_.job().id,
                             {{"commit", commit}, {"round", std::int64_t{round}}, {"reason", why}});
        });
        if (!written) return fail(written.error());
        came_to_nothing_ = why;
        return std::nullopt;
    }

    Turn& turn_;
    std::string expected_head_;    // what the gates were green for, or what was pushed here since
    std::string came_to_nothing_;  // why the last round did
};

// Settles a merge that is intended since an earlier stage number, by what the forge has.
Status settle_left_over(Turn& turn, const store::Effect& merge, bool happened) {
    const std::string never = "the stage was begun anew before it happened";
    return turn.write(happened ? "merge.merged" : "merge.abandon", [&](const Acting& who) -> Status {
        auto settled = store::settle(who.tx, merge.key, happened ? EffectState::done : EffectState::abandoned,
                                     happened ? merge.result : never, turn.fence(), who.now);
        if (!settled) return settled;
        if (!happened)
            return add_event(who, "merge_abandoned", turn.task().id, turn.job().id,
                             {{"commit", merge.result}, {"reason", never}});
        return add_event(who, "merged", turn.task().id, turn.job().id,
                         {{"commit", merge.result}, {"target", turn.project().target}});
    });
}

}  // namespace

Result<std::optional<MergeResult>> left_over_merge(Turn& turn) {
    auto merge = store::newest_merge(turn.world().db, turn.task().id);
    if (!merge) return fail(merge.error());
    const auto present = std::to_string(turn.task().id) + '/' + std::to_string(turn.task().stage_seq) + '/';
    if (!*merge || (*merge)->key.starts_with(present) || (*merge)->result == turn.task().merged) return std::nullopt;
    const auto& commit = (*merge)->result;
    if ((*merge)->state == EffectState::done) return MergeResult{Kind::merged, commit};
    auto happened = turn.forge().contains(turn.mirror(), turn.project().target, commit);
    if (!happened) return MergeResult{Kind::cannot_tell, commit};
    if (auto settled = settle_left_over(turn, **merge, *happened); !settled) return fail(settled.error());
    return *happened ? std::make_optional(MergeResult{Kind::merged, commit}) : std::nullopt;
}

Result<bool> merge_under_way(Turn& turn) {
    auto round = present_round(turn);
    if (!round) return fail(round.error());
    if (round->merge) return true;
    if (round->rebase) return round->rebase->result == turn.head();
    // Or one that came to nothing since the target moved has left the branch so.
    auto before = store::find_effect(turn.world().db, key_of(turn, round->number - 1, "rebase"));
    if (!before) return fail(before.error());
    return done(*before) && (*before)->result == turn.head();
}

Result<MergeResult> merge(Turn& turn) { return Merge(turn).carry_on(); }

}  // namespace orchd::engine
