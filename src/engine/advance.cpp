#include "engine/advance.h"

#include "core/planted.h"
#include "core/unjudged.h"
#include "engine/early.h"
#include "engine/judged.h"
#include "engine/leases.h"
#include "engine/merge.h"
#include "engine/notes.h"
#include "engine/stage_work.h"
#include "engine/turn.h"
#include "store/jobs.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

// The task left the place that the turn looked at: an operator was faster.
constexpr const char* moved_on = "the task moved on meanwhile";

Caps caps(const settings::Settings& settings) {
    return {.developer = static_cast<int>(settings.retry_cap),
            .again = static_cast<int>(settings.again_cap),
            .conflict = static_cast<int>(settings.conflict_cap)};
}

Status note_answers(const Acting& who, Turn& turn, const std::vector<GateAnswer>& answers) {
    for (const auto& answer : answers) {
        auto noted = add_event(who, "gate_answered", turn.task().id, turn.job().id,
                               {{"gate", std::string(to_text(answer.gate))},
                                {"colour", std::string(to_text(answer.colour))},
                                {"reason", answer.reason}});
        if (!noted) return noted;
    }
    return {};
}

Status ask_later(const Acting& who, Turn& turn, std::int64_t ms) {
    auto asked = queue_job(who, {.task_id = turn.task().id,
                                 .role = Role::step,
                                 .due = due_in(who.now, ms),
                                 .max_attempts = turn.job().max_attempts,
                                 .commit = {}});
    if (!asked) return fail(asked.error());
    return {};
}

Status set_waiting(const Acting& who, Turn& turn, const std::string& what, const std::string& reason) {
    if (turn.task().waiting_for == what && turn.task().waiting_reason == reason) return {};
    if (auto set = store::set_waiting(who.tx, turn.task().id, what, reason, who.now); !set) return set;
    if (what.empty()) return {};
    return add_event(who, "waiting", turn.task().id, turn.job().id, {{"for", what}, {"reason", reason}});
}

// Whoever gives the lease up asks for this task; looking again by itself from time to time covers one that died with it.
Status wait_for_lease(const Acting& who, Turn& turn, const char* what, const std::string& reason) {
    if (auto waits = set_waiting(who, turn, what, reason); !waits) return waits;
    return ask_later(who, turn, turn.world().settings.backoff_cap_s * 1000);
}

// The task as it is now if it may still move; nothing if somebody moved, held or paused it since the turn looked.
Result<std::optional<store::Task>> unmoved(const Acting& who, Turn& turn) {
    auto task = store::find_task(who.tx.db(), turn.task().id);
    if (!task) return fail(task.error());
    const auto& seen = turn.task();
    const bool same = *task && (*task)->stage == seen.stage && (*task)->stage_seq == seen.stage_seq &&
                      (((*task)->hold == Hold::none && !(*task)->paused_at) || planted("hold_not_looked_at"));
    return same ? *task : std::nullopt;
}

// The transaction in which a turn moves, holds or starts something: only while the task is as the turn saw it. Otherwise
// nothing of it is written, and the task is looked at again.
Status end_unmoved(Turn& turn, std::string_view name, const Turn::Work& work) {
    bool moved = false;
    auto ended = turn.end(name, [&](const Acting& who) -> Status {
        auto task = unmoved(who, turn);
        if (!task) return fail(task.error());
        moved = !*task;
        return moved ? Status(fail(Errc::conflict, moved_on)) : work(who);
    });
    if (!moved) return ended;
    return turn.end("advance.moved_on", [&](const Acting& who) { return ask_advance(turn.world(), who.tx, turn.task()); });
}

// What the merge said of a patch that goes back to development is on record as the other verdicts are: the same patch on the
// same base is no answer to it.
Status record_merge_answer(const Acting& who, Turn& turn, const Decision& decision) {
    const auto& task = turn.task();
    if (task.stage != Stage::deploy_staging || decision.to != Stage::development || !decision.gate) return {};
    if (decision.gate != Gate::branch_mergeable && decision.gate != Gate::tests_passed) return {};
    return record_verdict(who, {.task_id = task.id,
                                .stage_seq = task.stage_seq,
                                .gate = Gate::branch_mergeable,
                                .colour = Colour::red,
                                .reason = decision.reason,
                                .commit = turn.head(),
                                .patch_id = turn.code().patch_id,
                                .by = who.actor,
                                .at = who.now.utc_ms});
}

// The one place where a stage is written on behalf of a gate: compare-and-swap, leases given up, next job, history.
Status write_stage(const Acting& who, Turn& turn, const Decision& decision) {
    const auto& task = turn.task();
    const bool forward = decision.to == row(task.stage).next;
    const std::string again_reason = forward ? "" : decision.reason;
    auto written = store::write_stage(who.tx, task.id, task.stage, task.stage_seq, decision.to, decision.retries, again_reason,
                                      turn.fence(), who.now);
    if (!written) return fail(written.error());
    if (!*written) return fail(Errc::conflict, moved_on);
    if (auto noted = stage_changed(who, task, decision.to, decision.reason); !noted) return noted;
    if (auto kept = record_merge_answer(who, turn, decision); !kept) return kept;
    if (!planted("told_later"))
        if (auto posted = post_stage(who.tx, task, decision.to, decision.reason, who.now); !posted) return posted;
    if (auto released = release_leases(turn.world(), who.tx, task); !released) return released;
    if (terminal(decision.to)) return {};
    auto now_there = store::find_task(who.tx.db(), task.id);
    if (!now_there) return fail(now_there.error());
    return start_stage(turn.world(), who.tx, **now_there, turn.project());
}

// A deploy is written down when its run is queued; its launcher asks the hook first whether it happened already.
std::string deploy_key(const store::Task& task) { return store::effect_key(task.id, task.stage_seq, 1, "deploy"); }

Status settle_deploy(const Acting& who, Turn& turn, EffectState state, const std::string& result) {
    auto deploy = store::find_effect(who.tx.db(), deploy_key(turn.task()));
    if (!deploy) return fail(deploy.error());
    if (!*deploy || (*deploy)->state != EffectState::intended) return {};
    return store::settle(who.tx, deploy_key(turn.task()), state, result, turn.fence(), who.now);
}

Status move(Turn& turn, const Decision& decision, const std::vector<GateAnswer>& answers, const std::string& merged = {}) {
    return end_unmoved(turn, "advance.move", [&](const Acting& who) -> Status {
        if (auto noted = note_answers(who, turn, answers); !noted) return noted;
        if (!merged.empty()) {
            if (auto set = store::set_merged(who.tx, turn.task().id, merged, who.now); !set) return set;
        }
        if (turn.task().stage == Stage::deploy) {
            auto settled = settle_deploy(who, turn, EffectState::done, answers.back().reason);
            if (!settled) return settled;
        }
        return write_stage(who, turn, decision);
    });
}

Status hold(Turn& turn, Hold hold, const std::string& reason, const std::vector<GateAnswer>& answers = {}) {
    return end_unmoved(turn, "advance.hold", [&](const Acting& who) -> Status {
        if (auto noted = note_answers(who, turn, answers); !noted) return noted;
        if (!answers.empty() && answers.back().gate == Gate::deploy_status && answers.back().colour == Colour::red) {
            if (auto settled = settle_deploy(who, turn, EffectState::abandoned, reason); !settled) return settled;
        }
        if (auto released = release_leases(turn.world(), who.tx, turn.task()); !released) return released;
        return change_hold(who, turn.task(), hold, reason);
    });
}

Status wait(Turn& turn, const Decision& decision, const std::vector<GateAnswer>& answers) {
    return end_unmoved(turn, "advance.wait", [&](const Acting& who) -> Status {
        const std::string gate(to_text(*decision.gate));
        if (turn.task().waiting_for != gate) {
            if (auto noted = note_answers(who, turn, answers); !noted) return noted;
        }
        if (auto released = release_leases(turn.world(), who.tx, turn.task()); !released) return released;
        auto reason = decision.reason;
        if (decision.gate == Gate::analysis_approved) {
            const auto& item = turn.task().work_item;
            const auto early = early_word_text(who.tx.db(), item);
            if (!early) return fail(early.error());
            if (!early->empty()) reason += "; " + *early;
            auto posted = post_needs_you(who.tx, turn.task(), gate + '/' + turn.head(),
                                         item + " waits for your approval of its analysis" +
                                             (early->empty() ? "" : " (" + *early + ")") + ": orchctl task approve " + item +
                                             ", or orchctl task reject " + item + " --reason 'what is wrong'",
                                         who.now);
            if (!posted) return posted;
            // What the person will judge is what was looked at, also where somebody else pushed it.
            if (auto seen = store::set_head(who.tx, turn.task().id, turn.head(), who.now); !seen) return seen;
        }
        return set_waiting(who, turn, gate, reason);
    });
}

// Whether another task's deploy ended since the turn looked at what is live: it may have brought this task's work along, or
// what replaces it.
Result<bool> overtaken(const Acting& who, Turn& turn, const DueWork& work) {
    const bool deploys = work.role == Role::deploy || work.role == Role::build;
    if (!deploys) return false;
    auto live = live_commit(who.tx.db(), turn.project().name);
    if (!live) return fail(live.error());
    return *live != work.live;
}

// Queues a run; under the lease of `kind` that it needs, if any, which the run's job then holds. Staging ends where merging
// begins.
Status start_work(Turn& turn, const DueWork& work, store::LeaseKind kind) {
    return end_unmoved(turn, "advance.work", [&](const Acting& who) -> Status {
        const auto& task = turn.task();
        if (kind == store::LeaseKind::merge) {
            auto released = release_leases(turn.world(), who.tx, task, store::LeaseKind::target);
            if (!released) return released;
        }
        auto late = overtaken(who, turn, work);
        if (!late) return fail(late.error());
        if (*late) return ask_advance(turn.world(), who.tx, task);
        if (!work.target.empty()) {
            auto acquired = take_lease(turn.world(), who, kind, work.target, task.id, turn.job().id);
            if (!acquired) return fail(acquired.error());
            if (!*acquired) return wait_for_lease(who, turn, work.waits_for, "another task is using " + work.target);
        }
        auto queued = queue_job(who, {.task_id = task.id,
                                      .role = work.role,
                                      .due = due_now(who.now),
                                      .max_attempts = static_cast<int>(turn.world().settings.job_max_attempts),
                                      .commit = work.commit});
        if (!queued) return fail(queued.error());
        if (!*queued) return {};  // a run of the task is live already; its finish asks again
        if (!work.target.empty()) {
            auto handed = take_lease(turn.world(), who, kind, work.target, task.id, **queued);
            if (!handed) return fail(handed.error());
        }
        if (work.role == Role::deploy) {
            auto intended = store::intend(who.tx, deploy_key(task), task.id, work.commit, turn.fence(), who.now);
            if (!intended) return fail(intended.error());
        }
        return set_waiting(who, turn, "", "");
    });
}

// After so many rounds in vain others go first, and after so many times of that a person decides.
Status give_way(Turn& turn, const MergeResult& result) {
    const auto& settings = turn.world().settings;
    const auto in_vain =
        std::to_string(result.rounds) + " rounds of rebase and re-test came to nothing, the last since " + result.answer.reason;
    if (result.rounds > settings.give_way_cap * settings.merge_tries) return hold(turn, Hold::escalated, in_vain);
    return end_unmoved(turn, "advance.give_way", [&](const Acting& who) -> Status {
        if (auto released = release_leases(turn.world(), who.tx, turn.task()); !released) return released;
        return wait_for_lease(who, turn, wait_merge_lease, in_vain + ": others go first");
    });
}

// Back to the earliest stage whose verdict does not hold for what is there.
Status judge_anew(Turn& turn, Stage stage, const GateAnswer& answer) {
    const std::vector answers{answer};
    const auto decision = unjudged(turn.task().stage, stage, answer, turn.task().retries, caps(turn.world().settings).conflict);
    return decision.kind == Decision::Kind::move ? move(turn, decision, answers)
                                                 : hold(turn, decision.hold, decision.reason, answers);
}

// Where the table says that a red answer leads.
Status go_back(Turn& turn, const GateAnswer& answer) {
    const std::vector red{answer};
    const auto decision = decide(turn.task().stage, red, turn.task().retries, caps(turn.world().settings));
    return decision.kind == Decision::Kind::move ? move(turn, decision, red) : hold(turn, decision.hold, decision.reason, red);
}

// What follows from how far the merge came; `forward` where it is merged.
Status after_merge(Turn& turn, const MergeResult& result, const Decision& forward, const std::vector<GateAnswer>& answers) {
    switch (result.kind) {
        case MergeResult::Kind::merged:
            return move(turn, forward, answers, result.commit);
        case MergeResult::Kind::test:
            return start_work(turn, {Role::retest, result.commit, forge::repository_of(turn.project()), wait_merge_lease},
                              store::LeaseKind::merge);
        case MergeResult::Kind::lease_held:
            return end_unmoved(turn, "advance.wait", [&](const Acting& who) -> Status {
                auto released = release_leases(turn.world(), who.tx, turn.task(), store::LeaseKind::target);
                if (!released) return released;
                return wait_for_lease(who, turn, wait_merge_lease, "another task is merging");
            });
        case MergeResult::Kind::give_way:
            return give_way(turn, result);
        case MergeResult::Kind::cannot_tell:
            return hold(turn, Hold::human,
                        "the forge does not say whether it has merged " + result.commit + " into " + turn.project().target);
        case MergeResult::Kind::unjudged:
            return judge_anew(turn, result.stage, result.answer);
        case MergeResult::Kind::refused:
            return hold(turn, Hold::human, result.answer.reason, {result.answer});
        case MergeResult::Kind::red:
            break;
    }
    return go_back(turn, result.answer);
}

// Done is what the forge confirms.
Status confirm_and_move(Turn& turn, const Decision& decision, const std::vector<GateAnswer>& answers) {
    const auto& commit = turn.task().merged;
    auto there = turn.forge().contains(turn.mirror(), turn.project().target, commit);
    if (!there) return fail(there.error());
    if (*there) return move(turn, decision, answers);
    return hold(turn, Hold::human, turn.project().target + " no longer contains the merged commit " + commit, answers);
}

// As if every gate had just answered green.
Decision moved_forward(const store::Task& task) {
    Decision decision;
    decision.kind = Decision::Kind::move;
    decision.to = row(task.stage).next;
    decision.retries = task.retries;
    decision.retries.again = 0;
    return decision;
}

Status perform(Turn& turn) {
    if (auto looked = turn.look(); !looked) return looked;
    const auto& task = turn.task();
    if (task.stage == Stage::deploy_staging) {
        auto merged = left_over_merge(turn);
        if (!merged) return fail(merged.error());
        if (*merged) return after_merge(turn, **merged, moved_forward(task), {});
    }
    auto merging = task.stage == Stage::deploy_staging ? merge_under_way(turn) : Result<bool>(false);
    if (!merging) return fail(merging.error());
    if (!*merging && task.stage <= Stage::deploy_staging) {  // otherwise the merge asks
        auto unjudged = first_unjudged(turn.gate_context());
        if (!unjudged) return fail(unjudged.error());
        if (*unjudged) return judge_anew(turn, (*unjudged)->stage, (*unjudged)->answer);
        if (task.stage == Stage::testing || task.stage == Stage::deploy_staging) {
            auto ci = ci_of_the_code(turn.gate_context());
            if (!ci) return fail(ci.error());
            if (*ci && (*ci)->colour == Colour::undecided)
                return start_work(turn, {.role = Role::ci, .commit = turn.head()}, store::LeaseKind::target);
            if (*ci && (*ci)->colour == Colour::red) return go_back(turn, **ci);
        }
    }
    auto work = due_work(turn);
    if (!work) return fail(work.error());
    if (*work) return start_work(turn, **work, store::LeaseKind::target);

    std::vector<GateAnswer> answers;
    Decision decision;
    if (*merging) {
        decision = moved_forward(task);
    } else {
        auto asked = ask_all(turn.gate_context());
        if (!asked) return fail(asked.error());
        answers = std::move(*asked);
        decision = decide(task.stage, answers, task.retries, caps(turn.world().settings));
    }
    if (decision.kind == Decision::Kind::hold) return hold(turn, decision.hold, decision.reason, answers);
    if (decision.kind == Decision::Kind::wait) return wait(turn, decision, answers);
    if (task.stage == Stage::deploy_staging && decision.to == Stage::deploy) {
        auto result = merge(turn);
        return result ? after_merge(turn, *result, decision, answers) : fail(result.error());
    }
    if (task.stage == Stage::deploy) return confirm_and_move(turn, decision, answers);
    return move(turn, decision, answers);
}

// Whether there is nothing to do now: somebody else will ask again.
Result<bool> idle(Turn& turn) {
    if (terminal(turn.task().stage) || turn.task().hold != Hold::none) return true;
    auto run = store::live_run_job(turn.world().db, turn.task().id);
    if (!run) return fail(run.error());
    return run->has_value();
}

Status take_turn(Turn& turn, const store::LeaseOwner& owner) {
    const auto nothing = [](const Acting&) { return Status{}; };
    auto idles = idle(turn);
    if (!idles) return fail(idles.error());
    if (*idles) return turn.end("advance.idle", nothing);
    if (turn.task().paused_at) {  // what is asked while it is paused is kept, and claimed when it is resumed
        return turn.end("advance.paused", [&](const Acting& who) { return ask_advance(turn.world(), who.tx, turn.task()); });
    }
    auto acquired = turn.acquire(owner);
    if (!acquired) return fail(acquired.error());
    if (!*acquired) return fail(Errc::unavailable, "another process is in a transition of " + turn.task().work_item);
    return perform(turn);
}

}  // namespace

Status advance(World& world, const std::string& work_item, const store::LeaseOwner& owner) {
    auto task = store::find_task(world.db, work_item);
    if (!task) return fail(task.error());
    if (!*task) return fail(Errc::no_such, "there is no task " + work_item);
    auto job = store::running_advance(world.db, (*task)->id);
    if (!job) return fail(job.error());
    if (!*job) return {};
    const auto* project = settings::find(world.projects, (*task)->project);
    if (project == nullptr) return fail(Errc::no_such, "project " + (*task)->project + " has no valid file");

    Turn turn(world, **task, *project, **job);
    auto taken = take_turn(turn, owner);
    if (taken || turn.lost()) return taken;
    return turn.put_back(taken.error());
}

}  // namespace orchd::engine
