// The way of a `stopping` job: units stopped, seen empty, then the job's end.
#include "core/boundary.h"
#include "core/names.h"
#include "core/planted.h"
#include "engine/later.h"
#include "engine/leases.h"
#include "engine/mended.h"
#include "engine/notes.h"
#include "engine/recover.h"
#include "engine/stall.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

bool finishing(World& world, const store::Claim& claim) {
    const auto handlers = handlers_of(claim);
    return busy(world.units->see(handlers.ok)) || busy(world.units->see(handlers.fail));
}

// True once nothing of the run is left. A StopUnit during prepare fires no handler, and during the run itself one that has only
// the exit to record: it is let do so, except past the ceiling.
Result<bool> nothing_left(World& world, const store::Claim& claim) {
    if (planted("requeue_without_stopping")) return true;
    std::vector<std::string> units{claim.run.unit};
    if (!is_step(claim)) units.push_back(names::unit(names::prepare, claim.work_item));
    const bool overdue = age_ms(world.now(), claim.run) > ceiling_ms(world);
    if (overdue && !is_step(claim)) {
        const auto handlers = handlers_of(claim);
        units.insert(units.end(), {handlers.ok, handlers.fail});
    }
    for (const auto& unit : units) {
        if (!busy(world.units->see(unit))) continue;
        boundary("recover.stop.before");
        auto stopped = world.units->stop(unit);
        boundary("recover.stop.after");
        if (!stopped && stopped.error().code == Errc::unavailable) return false;
        if (!stopped) return fail(stopped.error());
        if (busy(world.units->see(unit))) return false;
    }
    return is_step(claim) || !finishing(world, claim);
}

struct Stopped {  // a job as it is when its end is written
    store::Task task;
    store::Job job;
    store::Run run;
};

Result<std::optional<Stopped>> reread(store::Db& db, const store::Claim& claim) {
    auto job = store::find_job(db, claim.job.id);
    if (!job) return fail(job.error());
    if (!*job || (*job)->status != JobStatus::stopping || (*job)->run_id != claim.run.id) return std::nullopt;
    auto task = store::find_task(db, claim.job.task_id);
    if (!task) return fail(task.error());
    auto run = store::find_run(db, claim.run.id);
    if (!run) return fail(run.error());
    if (!*task || !*run) return fail(Errc::corrupt, "job " + std::to_string(claim.job.id) + " has no task or no run");
    return Stopped{**task, **job, **run};
}

Status end_job(const Acting& who, const Stopped& stopped, JobStatus to) {
    auto ended = store::finish_job(who.tx, stopped.job.id, stopped.run.id, to, stopped.job.error, "", who.now);
    if (!ended) return fail(ended.error());
    return job_changed(who, stopped.job, JobStatus::stopping, to, stopped.job.error);
}

// The task needs a person: the job waits until the hold is released, and others go first meanwhile.
Status call_for(World& world, const Acting& who, const Stopped& stopped, Hold hold, const std::string& why,
                Recovered& recovered) {
    if (stopped.task.hold != Hold::none) return {};
    ++recovered.held;
    if (auto held = change_hold(who, stopped.task, hold, why); !held) return held;
    if (auto asked = ask_those_behind(world, who.tx, stopped.task.id); !asked) return asked;
    return add_event(
        who, "alert", stopped.task.id, stopped.job.id,
        {{"key", std::string(to_text(hold)) + '/' + stopped.task.work_item}, {"text", why}, {"actor", world.actor}});
}

// Whether its beginning or its end was given up.
Result<bool> given_up(store::Db& db, const Stopped& stopped) {
    for (const auto part : {store::StallPart::beginning, store::StallPart::end}) {
        auto stall = store::find_stall(db, stopped.run.id, part);
        if (!stall) return fail(stall.error());
        if (*stall && (*stall)->state == store::StallState::given_up) return true;
    }
    return false;
}

// Held by its attempts, because its command is not there, because it cannot begin or end, or because it hangs, which trying
// again does not mend: by what nobody but a person can.
Status count_death(World& world, const Acting& who, const Stopped& stopped, Outcome came_to, Recovered& recovered) {
    auto stalled = given_up(who.tx.db(), stopped);
    if (!stalled) return fail(stalled.error());
    if (came_to == Outcome::infra || came_to == Outcome::too_long || *stalled) {
        auto retries = stopped.task.retries;
        ++(planted("death_blamed") ? retries.developer : retries.infrastructure);
        if (auto set = store::set_retries(who.tx, stopped.task.id, retries, who.now); !set) return set;
    }
    const bool hangs = came_to == Outcome::too_long && stopped.job.kind != JobKind::agent;
    const bool used_up = stopped.job.deaths() >= stopped.job.max_attempts && !planted("attempts_without_end");
    if (came_to != Outcome::cannot_run && !hangs && !used_up && !*stalled) return {};
    const auto why = job_named(stopped.job) + ": " + stopped.job.error +
                     (used_up ? ", the last of " + std::to_string(stopped.job.deaths()) + " attempts" : "");
    if (auto called = call_for(world, who, stopped, Hold::infra, why, recovered); !called || used_up || *stalled) return called;
    // The hold ends once this is another: until then the same would come of it.
    if (stopped.task.hold != Hold::none) return {};
    return store::set_hold_watch(who.tx, stopped.task.id, depends_on(world, stopped.task, stopped.job.role));
}

// Of the dead step itself; anybody else's is reclaim_leases()' to judge.
Status release_transition_of(const World& world, const Acting& who, const Stopped& stopped, Recovered& recovered) {
    auto lease = store::find_transition(who.tx.db(), stopped.task.id);
    if (!lease) return fail(lease.error());
    if (!*lease || !(*lease)->owner || (*lease)->run_id != stopped.run.id) return {};
    ++recovered.leases;
    return release_reclaimed(who, stopped.task, **lease, {.forced = age_ms(who.now, stopped.run) > ceiling_ms(world)});
}

Status requeue(const Acting& who, const Stopped& stopped, std::int64_t wait_ms, const std::string& why, store::Waits waits) {
    auto queued = store::requeue(who.tx, stopped.job.id, stopped.run.id, due_in(who.now, wait_ms), why, who.now, waits);
    if (!queued) return fail(queued.error());
    auto job = store::find_job(who.tx.db(), stopped.job.id);  // an advance that was asked for again meanwhile is cancelled
    if (!job) return fail(job.error());
    return job_changed(who, stopped.job, JobStatus::stopping, (*job)->status, why);
}

// Its run asked to come later: nobody's death.
Status queue_later(World& world, const Acting& who, const Stopped& stopped, Recovered& recovered) {
    const auto later = put_off(world.settings, stopped.job, who.now, world.random());
    if (auto queued = requeue(who, stopped, later.wait_ms, later.why, store::Waits::as_asked); !queued) return queued;
    ++recovered.requeued;
    if (later.too_long)
        return call_for(world, who, stopped, Hold::escalated, job_named(stopped.job) + ": " + later.why, recovered);
    return ask_those_behind(world, who.tx, stopped.task.id);
}

Status queue_again(World& world, const Acting& who, const Stopped& stopped, Recovered& recovered) {
    const auto came_to = stopped.run.exit ? outcome(*stopped.run.exit) : Outcome::infra;
    if (came_to == Outcome::transient) return queue_later(world, who, stopped, recovered);
    const auto wait = backoff_ms(stopped.job.deaths(), world.settings.backoff_base_s * 1000,
                                 world.settings.backoff_cap_s * 1000, world.random());
    if (auto queued = requeue(who, stopped, wait, stopped.job.error, store::Waits::after_a_death); !queued) return queued;
    ++recovered.requeued;
    return count_death(world, who, stopped, came_to, recovered);
}

Status write_end(World& world, const Acting& who, const store::Claim& claim, Recovered& recovered) {
    auto stopped = reread(who.tx.db(), claim);
    if (!stopped) return fail(stopped.error());
    if (!*stopped) return {};
    if (!is_step(claim) && !(*stopped)->run.exit)
        if (auto recorded = store::record_exit(who.tx, claim.run.id, {ExitKind::lost}, "", who.now); !recorded)
            return fail(recorded.error());
    const auto& task = (*stopped)->task;
    if (auto released = release_transition_of(world, who, **stopped, recovered); !released) return released;
    if (task.stage == Stage::cancelled || task.hold == Hold::human) {
        if (auto ended = end_job(who, **stopped, JobStatus::cancelled); !ended) return ended;
        return release_leases(world, who.tx, task);
    }
    return queue_again(world, who, **stopped, recovered);
}

}  // namespace

Status finish_stopping(World& world, const store::Claim& claim, Recovered& recovered) {
    auto nothing = nothing_left(world, claim);
    if (hopeless(world, claim) && !nothing.value_or(false)) {
        auto called =
            call_a_person(world, claim, claim.run.unit + " cannot be stopped: see `systemctl status " + claim.run.unit + "`");
        if (!called) return called;
    }
    if (!nothing) return fail(nothing.error());
    if (!*nothing) return {};
    boundary("recover.end.before");
    auto ended = world.db.write([&](store::Tx& tx) { return write_end(world, acting(world, tx), claim, recovered); });
    if (!ended) return ended;
    boundary("recover.end.after");
    world.poke_events();
    return {};
}

}  // namespace orchd::engine
