// Leases that a person takes from their owner (R13), and a pass asked for.
#include "core/boundary.h"
#include "core/names.h"
#include "engine/advance.h"
#include "engine/leases.h"
#include "engine/operate.h"
#include "engine/operation.h"
#include "engine/recover.h"
#include "store/pass_lock.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

Error lives(const std::string& owner, const std::string& key) {
    return {Errc::conflict, owner + " holds the lease of " + key +
                                " and is at work: wait for it, or take the lease by force, which stops it first"};
}

// While no pass is made, which could start the owner's successor under the same unit's name.
Status stop_alone(World& world, const std::string& unit) {
    if (world.units == nullptr) return fail(Errc::unavailable, "systemd cannot be asked from here");
    auto alone = store::PassLock::try_take(world.db.path());
    if (!alone) return fail(alone.error());
    if (!*alone) return fail(Errc::unavailable, "a recovery pass is under way: try again in a moment");
    return stop_owner(world, {.unit = unit});
}

struct Holder {  // of a merge or target lease
    store::LeaseKind kind;
    store::HeldLease lease;
    store::Job job;
    store::Task task;
};

Result<Holder> find_holder(store::Db& db, const std::string& key) {
    for (const auto kind : {store::LeaseKind::merge, store::LeaseKind::target}) {
        auto lease = store::find_held(db, kind, key);
        if (!lease) return fail(lease.error());
        if (!*lease) continue;
        auto job = store::find_job(db, (*lease)->job_id);
        if (!job) return fail(job.error());
        auto task = store::find_task(db, (*lease)->task_id);
        if (!task) return fail(task.error());
        if (!*job || !*task) return fail(Errc::corrupt, "the lease of " + key + " belongs to no job or task");
        return Holder{kind, **lease, **job, **task};
    }
    return fail(Errc::no_such, "no merge or target lease '" + key + "' is held: see `orchctl lease list`");
}

Status note_reclaimed(const Acting& who, const Holder& holder, const LeaseRelease& release, bool forced) {
    return add_event(who, "lease_reclaimed", holder.task.id, holder.job.id,
                     {{"kind", holder.kind == store::LeaseKind::merge ? "merge" : "target"},
                      {"key", holder.lease.key},
                      {"forced", std::int64_t{forced}},
                      {"reason", release.reason}});
}

Status release_if_stale(World& world, const Holder& holder, const LeaseRelease& release, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto stale = store::release_stale(who.tx, holder.kind, holder.lease.key);
        if (!stale) return fail(stale.error());
        if (!*stale)
            return fail(lives("job " + std::to_string(holder.job.id) + " of " + holder.task.work_item, holder.lease.key));
        if (auto noted = note_reclaimed(who, holder, release, false); !noted) return noted;
        return lease_freed(world, who.tx, holder.kind, holder.lease.key);
    });
}

// A run goes no further without its lease; its task asks for it anew. A step is left to recovery: its unit is gone.
Status end_holder(World& world, const Acting& who, const Holder& holder, const std::string& why) {
    auto job = store::find_job(who.tx.db(), holder.job.id);
    if (!job) return fail(job.error());
    if (!live((*job)->status) || (*job)->kind == JobKind::advance) return {};
    if ((*job)->status == JobStatus::queued) {
        if (auto cancelled = cancel_queued(who, **job, why); !cancelled) return cancelled;
        return ask_advance(world, who.tx, holder.task);
    }
    const auto run = *(*job)->run_id;
    if (auto recorded = store::record_exit(who.tx, run, {ExitKind::lost}, "", who.now); !recorded)
        return fail(recorded.error());
    auto ended = store::finish_job(who.tx, (*job)->id, run, JobStatus::cancelled, why, "", who.now);
    if (!ended) return fail(ended.error());
    if (auto noted = job_changed(who, **job, (*job)->status, JobStatus::cancelled, why); !noted) return noted;
    return ask_advance(world, who.tx, holder.task);
}

Status stop_holder(World& world, const Holder& holder) {
    if (!live(holder.job.status) || holder.job.status == JobStatus::queued) return {};
    if (holder.job.kind == JobKind::deploy)
        return fail(Errc::conflict, "the deploy hook is at work: wait until it has settled");
    auto run = store::find_run(world.db, holder.job.run_id.value_or(0));
    if (!run) return fail(run.error());
    return *run ? stop_alone(world, (*run)->unit) : Status{};
}

}  // namespace

Status release_transition(World& world, const LeaseRelease& release, const std::string& by) {
    auto task = known_task(world.db, release.key);
    if (!task) return fail(task.error());
    auto lease = store::find_transition(world.db, task->id);
    if (!lease) return fail(lease.error());
    if (!*lease || !(*lease)->owner) return fail(Errc::conflict, release.key + " is in no transition: its lease is free");
    if (world.units == nullptr) return fail(Errc::unavailable, "systemd cannot be asked from here");
    const auto& owner = *(*lease)->owner;
    const auto liveness =
        judge({owner.unit, owner.boot_id, owner.invocation_id}, world.units->see(owner.unit), world.now().boot_id);
    const bool alive = liveness == Liveness::alive || liveness == Liveness::unknown;
    if (alive && !release.force) return fail(lives(owner.unit, release.key));
    if (auto stopped = liveness == Liveness::dead ? Status{} : stop_alone(world, owner.unit); !stopped) return stopped;
    return operate(world, by, [&](const Acting& who) {
        return release_reclaimed(who, *task, **lease, {.forced = alive, .reason = release.reason});
    });
}

Status release_held(World& world, const LeaseRelease& release, const std::string& by) {
    auto holder = find_holder(world.db, release.key);
    if (!holder) return fail(holder.error());
    if (!release.force) return release_if_stale(world, *holder, release, by);
    if (auto stopped = stop_holder(world, *holder); !stopped) return stopped;
    return operate(world, by, [&](const Acting& who) -> Status {
        auto now = store::find_held(who.tx.db(), holder->kind, release.key);
        if (!now) return fail(now.error());
        if (!*now || (*now)->job_id != holder->job.id)
            return fail(Errc::conflict, "the lease of " + release.key + " changed hands meanwhile: look again");
        if (auto released = store::release_held(who.tx, holder->kind, release.key, holder->task.id); !released) return released;
        if (auto noted = note_reclaimed(who, *holder, release, true); !noted) return noted;
        if (auto freed = lease_freed(world, who.tx, holder->kind, release.key); !freed) return freed;
        return end_holder(world, who, *holder, "its lease of " + release.key + " was taken by " + by);
    });
}

Status reap_now(World& world, const std::string&) {
    if (!world.settings.reaper_enabled)
        return fail(Errc::conflict, "the reaper is switched off: reaper_enabled (ORCH_REAPER_ENABLED) is false");
    if (world.units == nullptr) return fail(Errc::unavailable, "systemd cannot be asked from here");
    boundary("operate.reap.before");
    auto started = world.units->start({{.unit = std::string(names::reaper), .limits = {}, .network_unit = {}}});
    boundary("operate.reap.after");
    return started.front();
}

}  // namespace orchd::engine
