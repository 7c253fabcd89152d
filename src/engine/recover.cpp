#include "engine/recover.h"

#include <array>
#include <utility>

#include "core/boundary.h"
#include "core/names.h"
#include "core/planted.h"
#include "engine/mended.h"
#include "engine/stall.h"
#include "store/facts.h"
#include "store/pass_lock.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

enum class Loses { nothing, its_exit };  // of a run that is taken down: whether its exit goes on record as lost

// running -> stopping -> its end. A run that ended by itself since it was read is left alone: by now its unit may be at work
// for the next one.
Status take_down(World& world, const store::Claim& claim, const std::string& why, Loses loses, Recovered& recovered) {
    boundary("recover.take_down.before");
    auto taken = world.db.write([&](store::Tx& tx) -> Result<bool> {
        const auto who = acting(world, tx);
        auto stopping = store::begin_stopping(tx, claim.job.id, claim.run.id, why);
        if (!stopping || !*stopping) return stopping;
        if (loses == Loses::its_exit && !is_step(claim))
            if (auto recorded = store::record_exit(tx, claim.run.id, {ExitKind::lost}, "", who.now); !recorded) return recorded;
        if (auto noted = job_changed(who, claim.job, JobStatus::running, JobStatus::stopping, why); !noted)
            return fail(noted.error());
        return true;
    });
    if (!taken) return fail(taken.error());
    boundary("recover.take_down.after");
    return *taken ? finish_stopping(world, claim, recovered) : Status{};
}

Status forget_ticks(World& world, const store::Claim& claim) {
    if (claim.run.dead_ticks == 0) return {};
    auto forgotten = bounded("recover.forget_ticks", [&] {
        return world.db.write(
            [&](store::Tx& tx) { return store::count_dead_tick(tx, claim.run.id, false, between_ticks_ms, world.now()); });
    });
    return forgotten ? Status{} : fail(forgotten.error());
}

// The run is empty, its exit known or not: how often that was seen in a row, or 0 if this look comes too soon to count.
Result<int> tick(World& world, const store::Claim& claim, Recovered& recovered) {
    auto ticks = bounded("recover.tick", [&] {
        return world.db.write(
            [&](store::Tx& tx) { return store::count_dead_tick(tx, claim.run.id, true, between_ticks_ms, world.now()); });
    });
    if (ticks && *ticks < world.settings.reaper_dead_ticks) ++recovered.dying;
    return ticks;
}

// A finish that hangs for hours: a person is called. Its unit's time limit ends each try, and the tries are counted.
Status tell_of_stuck_finish(World& world, const store::Claim& claim) {
    const auto unit = handlers_of(claim).fail;
    return call_a_person(world, claim, "the end of a run cannot be worked up: see `journalctl -u " + unit + "`");
}

// Whether the next try of the run's end is to wait. In another boot than it was put off in, it has waited long enough.
Result<bool> end_put_off(World& world, const store::Claim& claim) {
    auto stall = store::find_stall(world.db, claim.run.id, store::StallPart::end);
    if (!stall) return fail(stall.error());
    if (!*stall || (*stall)->state != store::StallState::failed) return false;
    const auto now = world.now();
    return (*stall)->due.boot_id == now.boot_id && (*stall)->due.boot_ms > now.boot_ms;
}

// A run whose exit is on record is its finish's; one that died or failed has its successor started once that is due.
Status resume_finish(World& world, const store::Claim& claim, Recovered& recovered) {
    const auto handlers = handlers_of(claim);
    for (const auto& unit : {claim.run.unit, handlers.ok, handlers.fail}) {
        if (!busy(world.units->see(unit))) continue;
        const bool of_this_boot = claim.run.boot_id == world.now().boot_id;  // or it has only just had its first chance
        const bool stuck = hopeless(world, claim) && of_this_boot;
        if (auto told = stuck ? tell_of_stuck_finish(world, claim) : Status{}; !told) return told;
        return forget_ticks(world, claim);
    }
    auto waits = end_put_off(world, claim);
    if (!waits) return fail(waits.error());
    if (*waits) return {};
    auto ticks = tick(world, claim, recovered);
    if (!ticks) return fail(ticks.error());
    if (*ticks == 0 || *ticks % world.settings.reaper_dead_ticks != 0) return {};
    const bool ok = claim.run.exit->kind == ExitKind::exited && claim.run.exit->status == 0;
    StartRequest request{.unit = ok ? handlers.ok : handlers.fail, .limits = {}, .network_unit = {}, .network = false};
    auto next = call_finish(world, claim, request.unit);
    if (!next) return fail(next.error());
    if (*next == NextTry::given_up) return finish_stopping(world, claim, recovered);
    if (*next == NextTry::later) return {};
    boundary("recover.resume.before");
    auto answers = world.units->start({request});
    boundary("recover.resume.after");
    ++recovered.resumed;
    return answers.front();
}

// The invocation of a prepared run is its own: prepare ran only after the agent unit of an earlier one was inactive. That of a
// step may still be the step before, so it is left alone.
Status note_alive(World& world, const store::Claim& claim, const UnitSeen& seen) {
    if (auto reset = forget_ticks(world, claim); !reset) return reset;
    const bool news = claim.run.prepared_at && claim.run.invocation_id.empty() && seen.populated && !seen.invocation_id.empty();
    if (!news || is_step(claim)) return {};
    return bounded("recover.invocation", [&] {
        return world.db.write([&](store::Tx& tx) { return store::set_invocation(tx, claim.run.id, seen.invocation_id); });
    });
}

Status look_after(World& world, const store::Claim& claim, Recovered& recovered) {
    const auto now = world.now();
    const bool judges = world.settings.reaper_enabled;
    if (claim.job.status == JobStatus::stopping && planted("stopping_forgotten")) return {};
    if (claim.job.status == JobStatus::stopping) return finish_stopping(world, claim, recovered);
    if (claim.run.exit && planted("finish_not_resumed")) return {};
    if (claim.run.exit) return resume_finish(world, claim, recovered);
    if (claim.run.boot_id != now.boot_id && !planted("boot_ignored"))
        return take_down(world, claim, "the host was started anew meanwhile", Loses::its_exit, recovered);
    if (judges && age_ms(now, claim.run) > ceiling_ms(world)) {
        const auto why = "ran longer than " + std::to_string(world.settings.reaper_max_running_s) + " s";
        return take_down(world, claim, why, Loses::nothing, recovered);
    }
    // The unit before its helpers: PID 1 queues the finish in the moment in which the unit ends.
    const auto seen = world.units->see(claim.run.unit);
    const auto liveness = judge({claim.run.unit, claim.run.boot_id, claim.run.invocation_id}, seen, now.boot_id);
    const auto see = [&](const std::string& unit) { return world.units->see(unit); };
    const bool empty = liveness == Liveness::empty && !seen.active && !helpers_busy(see, claim);
    if (liveness != Liveness::dead && !empty) return note_alive(world, claim, seen);
    if (!judges) return {};
    if (liveness == Liveness::dead)
        return take_down(world, claim, claim.run.unit + " was started by somebody else meanwhile", Loses::its_exit, recovered);
    auto ticks = tick(world, claim, recovered);
    if (!ticks) return fail(ticks.error());
    if (*ticks == 0 || *ticks < world.settings.reaper_dead_ticks) return {};
    return take_down(world, claim, claim.run.unit + (claim.run.prepared_at ? " is gone without a trace" : " never started"),
                     Loses::its_exit, recovered);
}

void heal(World& world, Recovered& recovered) {
    auto any = store::any_impossible_queued(world.db);
    if (any && !*any) return;
    auto healed =
        any ? bounded(
                  "recover.heal",
                  [&] { return world.db.write([&](store::Tx& tx) { return store::heal_impossible_queued(tx, world.now()); }); })
            : Result<int>(fail(any.error()));
    if (!healed) return world.warn("", healed.error().text);
    recovered.healed = *healed;
    world.warn("", std::to_string(*healed) + " queued jobs carried a run, and were healed");
}

}  // namespace

Handlers handlers_of(const store::Claim& claim) {
    const bool deploy = claim.job.kind == JobKind::deploy;
    return {names::unit(deploy ? names::deploy_ok : names::finish_ok, claim.work_item),
            names::unit(deploy ? names::deploy_fail : names::finish_fail, claim.work_item)};
}

bool helpers_busy(const std::function<UnitSeen(const std::string&)>& see, const store::Claim& claim) {
    if (is_step(claim)) return false;
    const auto handlers = handlers_of(claim);
    if (busy(see(handlers.ok)) || busy(see(handlers.fail))) return true;
    const auto prepare = see(names::unit(names::prepare, claim.work_item));
    return !prepare.readable || prepare.job_pending || prepare.populated;
}

Status call_a_person(World& world, const store::Claim& claim, const std::string& why) {
    boundary("recover.call.before");
    auto called = world.db.write([&](store::Tx& tx) -> Status {
        auto task = store::find_task(tx.db(), claim.job.task_id);
        if (!task) return fail(task.error());
        if (!*task || terminal((*task)->stage) || (*task)->hold != Hold::none) return {};
        return change_hold(acting(world, tx), **task, Hold::infra, why);
    });
    if (called) boundary("recover.call.after");
    return called;
}

Result<Recovered> recover(World& world) {
    Recovered recovered;
    auto alone = store::PassLock::try_take(world.db.path());
    if (!alone) return fail(alone.error());
    recovered.elsewhere = !*alone;
    if (recovered.elsewhere) return recovered;
    auto loaded = world.units->ours();
    if (!loaded) world.warn("", "cannot list our units: " + loaded.error().text);
    auto live = store::live_jobs(world.db);
    if (!live) return fail(live.error());
    if (world.settings.impossible_queued_sanitize_enabled) heal(world, recovered);
    for (const auto& claim : *live)
        if (auto looked = look_after(world, claim, recovered); !looked) world.warn(claim.work_item, looked.error().text);
    release_mended(world, recovered);
    if (world.settings.lease_reclaim_enabled) reclaim_leases(world, recovered);
    if (loaded && world.settings.reaper_enabled) stop_orphans(world, *loaded, *live, recovered);
    return recovered;
}

Result<Recovered> reap(World& world) {
    auto recovered = planted("reaper_idle") ? Recovered() : recover(world);
    if (!recovered || recovered->elsewhere) return recovered;
    auto kept = bounded("reap.commit", [&] {
        return world.db.write([&](store::Tx& tx) {
            return store::put_state(tx, {"reaper_pass", describe(*recovered), world.actor, "", world.now().utc_ms});
        });
    });
    if (!kept) return fail(kept.error());
    return recovered;
}

std::string describe(const Recovered& recovered) {
    const std::array parts{
        std::pair(recovered.requeued, " jobs queued again"),  std::pair(recovered.resumed, " finishes resumed"),
        std::pair(recovered.stopped_units, " units stopped"), std::pair(recovered.held, " tasks held"),
        std::pair(recovered.released, " holds released"),     std::pair(recovered.leases, " leases reclaimed"),
        std::pair(recovered.healed, " rows healed")};
    std::string text;
    for (const auto& [count, what] : parts)
        if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + what;
    return text;
}

}  // namespace orchd::engine
