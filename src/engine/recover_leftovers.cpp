// What nobody owns any more: leases of steps that are gone, units without a job, state directories of tasks that are over.
#include <algorithm>
#include <set>
#include <sstream>

#include "core/boundary.h"
#include "core/names.h"
#include "core/planted.h"
#include "core/text.h"
#include "core/work_item.h"
#include "engine/leases.h"
#include "engine/recover.h"
#include "engine/strays.h"
#include "store/facts.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

constexpr int events_at_once = 1000;
// What tidy() keeps in settings_state: the last event that it has looked at, and the tasks that it has to come back to.
constexpr const char* tidied = "tidied_events";
constexpr const char* untidied = "untidied_tasks";  // ids with a space between

// "orchd-agent@ORCH-1.service" of "orchd-agent": "ORCH-1"; empty for other units.
std::string instance_of(const std::string& unit, std::string_view stem) {
    constexpr std::string_view suffix = ".service";
    if (!unit.starts_with(std::string(stem) + '@') || !unit.ends_with(suffix)) return {};
    return unit.substr(stem.size() + 1, unit.size() - stem.size() - 1 - suffix.size());
}

// Whether a live job owns this unit: agent, deploy and step by their name in its run, the others by any run of the task.
bool owned(const std::string& unit, const std::vector<store::Claim>& live) {
    if (std::any_of(live.begin(), live.end(), [&](const auto& c) { return c.run.unit == unit; })) return true;
    for (const auto stem :
         {names::network, names::prepare, names::finish_ok, names::finish_fail, names::deploy_ok, names::deploy_fail}) {
        const auto work_item = instance_of(unit, stem);
        if (!work_item.empty())
            return std::any_of(live.begin(), live.end(),
                               [&](const auto& c) { return !is_step(c) && c.work_item == work_item; });
    }
    return false;
}

// Prepares, finishes and steps look at the database first and end by themselves, a moment after what they did is on record or
// when they were started for nothing: they are given time for it.
bool ends_by_itself(const std::string& unit) {
    return instance_of(unit, names::agent).empty() && instance_of(unit, names::deploy).empty() &&
           instance_of(unit, names::network).empty();
}

// How long the lease is held: since the run of its step began, where that is known.
Result<std::int64_t> held_ms(World& world, const store::TransitionLease& lease) {
    const auto now = world.now();
    auto run = lease.run_id ? store::find_run(world.db, *lease.run_id) : std::optional<store::Run>();
    if (!run) return fail(run.error());
    return *run ? age_ms(now, **run) : now.utc_ms - lease.acquired_at;
}

Status reclaim_transition(World& world, const store::TransitionLease& lease, Recovered& recovered) {
    const auto& owner = *lease.owner;
    const auto liveness =
        judge({owner.unit, owner.boot_id, owner.invocation_id}, world.units->see(owner.unit), world.now().boot_id);
    const bool lives = (liveness == Liveness::alive || liveness == Liveness::unknown) && !planted("lease_of_the_living");
    if (lives) {
        auto held = held_ms(world, lease);
        if (!held) return fail(held.error());
        if (*held <= ceiling_ms(world)) return {};
    }
    // A step that ended since it was read let go of its lease, and by now its unit may be at work for the next one. While it is
    // held, its job goes on, and nobody but this pass queues that again.
    auto now_held = store::find_transition(world.db, lease.task_id);
    if (!now_held) return fail(now_held.error());
    if (!*now_held || !(*now_held)->owner || (*now_held)->fence != lease.fence) return {};
    if (auto stopped = liveness == Liveness::dead ? Status{} : stop_owner(world, owner); !stopped) return stopped;
    boundary("recover.lease.before");
    auto released = world.db.write([&](store::Tx& tx) -> Status {
        auto task = store::find_task(tx.db(), lease.task_id);
        if (!task) return fail(task.error());
        return release_reclaimed(acting(world, tx), **task, lease, {.forced = lives});
    });
    if (!released) return released;
    boundary("recover.lease.after");
    ++recovered.leases;
    return {};
}

Status reclaim_held(World& world, store::LeaseKind kind, const store::HeldLease& lease, Recovered& recovered) {
    boundary("recover.held.before");
    auto released = world.db.write([&](store::Tx& tx) -> Status {
        auto stale = store::release_stale(tx, kind, lease.key);
        if (!stale) return fail(stale.error());
        if (!*stale) return {};
        ++recovered.leases;
        auto noted = add_event(
            acting(world, tx), "lease_reclaimed", lease.task_id, lease.job_id,
            {{"kind", kind == store::LeaseKind::merge ? "merge" : "target"}, {"key", lease.key}, {"forced", std::int64_t{0}}});
        return noted ? lease_freed(world, tx, kind, lease.key) : noted;
    });
    if (released) boundary("recover.held.after");
    return released;
}

// False if the task has ended but is not over yet, or its directory cannot be removed yet.
Result<bool> clean_up(World& world, std::int64_t task_id) {
    auto task = store::find_task(world.db, task_id);
    if (!task) return fail(task.error());
    if (!*task || !terminal((*task)->stage)) return true;
    auto over = is_over(world.db, **task);
    if (!over || !*over) return over;
    for (const auto stem : {names::agent, names::deploy}) {
        const auto unit = names::unit(stem, (*task)->work_item);
        if (busy(world.units->see(unit))) return false;
        if (auto cleaned = world.units->clean(unit); !cleaned)
            world.warn((*task)->work_item, "cannot clean " + unit + ": " + cleaned.error().text);
    }
    return true;
}

using TaskIds = std::set<std::int64_t>;

Result<TaskIds> tasks_put_off(store::Db& db) {
    const auto row = store::find_state(db, untidied);
    if (!row) return fail(row.error());
    TaskIds ids;
    std::istringstream words(*row ? (*row)->value : std::string());
    for (std::int64_t id = 0; words >> id;) ids.insert(id);
    return ids;
}

std::string text_of(const TaskIds& ids) {
    std::vector<std::string> words;
    for (const auto id : ids) words.push_back(std::to_string(id));
    return joined(words, " ");
}

}  // namespace

Result<bool> is_over(store::Db& db, const store::Task& task) {
    if (!terminal(task.stage)) return false;
    auto live = store::live_run_job(db, task.id);
    if (!live) return fail(live.error());
    return !live->has_value();
}

Status stop_owner(World& world, const store::LeaseOwner& owner) {
    boundary("recover.lease.stop.before");
    auto stopped = world.units->stop(owner.unit);
    boundary("recover.lease.stop.after");
    if (!stopped) return stopped;
    if (busy(world.units->see(owner.unit))) return fail(Errc::unavailable, owner.unit + " is still being stopped");
    return {};
}

void reclaim_leases(World& world, Recovered& recovered) {
    auto transitions = store::held_transitions(world.db);
    if (!transitions) return world.warn("", transitions.error().text);
    for (const auto& lease : *transitions)
        if (auto reclaimed = reclaim_transition(world, lease, recovered); !reclaimed)
            world.warn(lease.owner->unit, reclaimed.error().text);
    for (const auto kind : {store::LeaseKind::merge, store::LeaseKind::target}) {
        auto stale = store::stale_held(world.db, kind);
        if (!stale) return world.warn("", stale.error().text);
        for (const auto& lease : *stale)
            if (auto reclaimed = reclaim_held(world, kind, lease, recovered); !reclaimed)
                world.warn(lease.key, reclaimed.error().text);
    }
}

void stop_orphans(World& world, const std::vector<std::string>& loaded, const std::vector<store::Claim>& live,
                  Recovered& recovered) {
    Strays strays(world);
    for (const auto& unit : loaded) {
        if (owned(unit, live) && !planted("stops_what_is_owned")) continue;
        if (ends_by_itself(unit) && !strays.long_seen(unit)) continue;
        auto stopped = bounded("recover.stop_orphan", [&] { return world.units->stop(unit); });
        if (!stopped && stopped.error().code != Errc::unavailable) world.warn(unit, stopped.error().text);
        ++recovered.stopped_units;
    }
    strays.keep();
}

void tidy(World& world) {
    const auto state = store::find_state(world.db, tidied);
    if (!state) return world.warn("", state.error().text);
    const auto put_off = tasks_put_off(world.db);
    if (!put_off) return world.warn("", put_off.error().text);
    const auto before = store::number_of(*state);
    const auto events = store::next_events(world.db, before, events_at_once);
    if (!events) return world.warn("", events.error().text);
    auto tasks = *put_off;
    for (const auto& event : *events)
        if (event.kind == "stage_changed" && event.task_id) tasks.insert(*event.task_id);
    std::erase_if(tasks, [&](std::int64_t task_id) {
        const auto done = clean_up(world, task_id);
        if (!done) world.warn("", done.error().text);
        return done && *done;
    });
    const auto seen = events->empty() ? before : events->back().id;
    if (seen == before && tasks == *put_off) return;
    auto kept = bounded("tidy.commit", [&] {
        return world.db.write([&](store::Tx& tx) -> Status {
            const auto now = world.now().utc_ms;
            if (auto put = store::put_state(tx, {tidied, std::to_string(seen), world.actor, "", now}); !put) return put;
            return store::put_state(tx, {untidied, text_of(tasks), world.actor, "", now});
        });
    });
    if (!kept) world.warn("", kept.error().text);
}

}  // namespace orchd::engine
