#include "engine/leases.h"

#include <string_view>

#include "engine/advance.h"
#include "engine/notes.h"
#include "engine/operation.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

constexpr std::string_view staging = "staging:";
constexpr std::string_view production = "production:";

const char* waiting_for(store::LeaseKind kind, std::string_view key) {
    if (kind == store::LeaseKind::merge) return wait_merge_lease;
    return key.starts_with(staging) ? wait_staging_target : wait_deploy_target;
}

// Whether this lease is what the task waits for: of a project's targets its own, of merges that of its repository.
bool waits_for(const World& world, const store::Task& task, store::LeaseKind kind, const std::string& key) {
    if (kind == store::LeaseKind::target) return key == staging_target(task.project) || key == production_target(task.project);
    const auto* project = settings::find(world.projects, task.project);
    return project != nullptr && forge::repository_of(*project) == key;
}

// Whether an advance of the task would be worked now: it is neither held nor paused, by itself or with its project, and does
// not back off after a failure, which nobody else's lease is to cut short.
Result<bool> can_move(store::Db& db, const store::Task& task, const Now& now) {
    if (task.hold != Hold::none || task.paused_at) return false;
    auto project = store::find_project(db, task.project);
    if (!project) return fail(project.error());
    if (!*project || (*project)->paused_at) return false;
    auto advance = store::queued_advance(db, task.id);
    if (!advance) return fail(advance.error());
    return !*advance || (*advance)->attempts == 0 || (*advance)->available_boot <= now.boot_ms;
}

// The run that its holder queued under the lease, which another task has taken since.
Status cancel_run_under(World& world, const Acting& who, const store::HeldLease& lease, const std::string& key) {
    auto job = store::find_job(who.tx.db(), lease.job_id);
    if (!job) return fail(job.error());
    if (!*job || (*job)->status != JobStatus::queued || (*job)->kind == JobKind::advance) return {};
    const auto why = "others went first with " + key + " while its task stood still";
    if (auto cancelled = cancel_queued(who, **job, why, store::Comes::again); !cancelled) return cancelled;
    auto task = store::find_task(who.tx.db(), lease.task_id);
    if (!task) return fail(task.error());
    return ask_advance(world, who.tx, **task);
}

}  // namespace

std::string staging_target(const std::string& project) { return std::string(staging) + project; }
std::string production_target(const std::string& project) { return std::string(production) + project; }

bool needs_lease(Role role) {
    return role == Role::staging || role == Role::retest || role == Role::build || role == Role::deploy;
}

Status release_reclaimed(const Acting& who, const store::Task& task, const store::TransitionLease& lease, const Reclaim& how) {
    auto freed = store::release_transition(who.tx, lease.task_id, lease.fence);
    if (!freed) return fail(freed.error());
    if (!*freed) return {};
    auto noted = add_event(who, "lease_reclaimed", lease.task_id, std::nullopt,
                           {{"kind", "transition"},
                            {"key", task.work_item},
                            {"unit", lease.owner->unit},
                            {"fence", lease.fence},
                            {"forced", std::int64_t{how.forced}},
                            {"reason", how.reason}});
    if (!noted || !how.forced) return noted;
    const auto text =
        "the transition lease of " + task.work_item + " was taken from " + lease.owner->unit + ", which was stopped for it";
    if (auto posted = post_lease_forced(who.tx, task, lease.fence, text, who.now); !posted) return posted;
    return add_event(who, "alert", lease.task_id, std::nullopt, {{"key", "lease/" + task.work_item}, {"text", text}});
}

Status lease_freed(World& world, store::Tx& tx, store::LeaseKind kind, const std::string& key, std::int64_t by) {
    auto waiting = store::waiting_tasks(tx.db(), waiting_for(kind, key), std::nullopt);
    if (!waiting) return fail(waiting.error());
    for (const auto& task : *waiting) {
        if (task.id == by || !waits_for(world, task, kind, key)) continue;
        auto able = can_move(tx.db(), task, world.now());
        if (!able) return fail(able.error());
        if (*able) return ask_advance(world, tx, task);
    }
    return {};
}

Result<bool> take_lease(World& world, const Acting& who, store::LeaseKind kind, const std::string& key, std::int64_t task_id,
                        std::int64_t job_id) {
    auto before = store::find_held(who.tx.db(), kind, key);
    if (!before) return fail(before.error());
    auto acquired = store::acquire_held(who.tx, kind, key, task_id, job_id, who.now);
    if (!acquired || !*acquired || !*before || (*before)->task_id == task_id) return acquired;
    if (auto cancelled = cancel_run_under(world, who, **before, key); !cancelled) return fail(cancelled.error());
    return true;
}

Status ask_those_behind(World& world, store::Tx& tx, std::int64_t task_id) {
    for (const auto kind : {store::LeaseKind::merge, store::LeaseKind::target}) {
        auto leases = store::all_held(tx.db(), kind);
        if (!leases) return fail(leases.error());
        for (const auto& lease : *leases) {
            if (lease.task_id != task_id) continue;
            if (auto asked = lease_freed(world, tx, kind, lease.key, task_id); !asked) return asked;
        }
    }
    return {};
}

Status ask_those_behind_project(World& world, store::Tx& tx, std::int64_t project_id) {
    for (const auto kind : {store::LeaseKind::merge, store::LeaseKind::target}) {
        auto leases = store::all_held(tx.db(), kind);
        if (!leases) return fail(leases.error());
        for (const auto& lease : *leases) {
            auto holder = store::find_task(tx.db(), lease.task_id);
            if (!holder) return fail(holder.error());
            if (!*holder || (*holder)->project_id != project_id) continue;
            if (auto asked = lease_freed(world, tx, kind, lease.key, lease.task_id); !asked) return asked;
        }
    }
    return {};
}

Status release_leases(World& world, store::Tx& tx, const store::Task& task, store::LeaseKind kind) {
    auto leases = store::all_held(tx.db(), kind);
    if (!leases) return fail(leases.error());
    for (const auto& lease : *leases) {
        if (lease.task_id != task.id) continue;
        if (auto released = store::release_held(tx, kind, lease.key, task.id); !released) return released;
        if (auto asked = lease_freed(world, tx, kind, lease.key, task.id); !asked) return asked;
    }
    return {};
}

Status release_leases(World& world, store::Tx& tx, const store::Task& task) {
    if (auto released = release_leases(world, tx, task, store::LeaseKind::merge); !released) return released;
    return release_leases(world, tx, task, store::LeaseKind::target);
}

}  // namespace orchd::engine
