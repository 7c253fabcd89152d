// Who is ahead of a task that waits for a merge or target lease: which lease that is, whose, and whether that one lives.
#include <algorithm>

#include "engine/leases.h"
#include "engine/recover.h"
#include "engine/why.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

// Of one project, or of two whose files lead to one repository.
bool share_repository(const WorldView& view, const std::string& mine, const std::string& other) {
    if (mine == other) return true;
    const auto* a = settings::find(view.projects, mine);
    const auto* b = settings::find(view.projects, other);
    return a != nullptr && b != nullptr && forge::repository_of(*a) == forge::repository_of(*b);
}

// The job that holds the lease, or the advance that carries its task on.
std::optional<store::Claim> work_under(const store::HeldLease& lease, std::vector<store::Claim> live) {
    for (const auto wanted : {true, false})
        for (auto& claim : live)
            if (wanted ? claim.job.id == lease.job_id : is_step(claim)) return std::move(claim);
    return std::nullopt;
}

Status look_at_holder(const WorldView& view, LeaseAhead& ahead) {
    store::JobFilter filter;
    filter.work_item = ahead.work_item;
    filter.only_live = true;
    auto live = store::list_jobs(view.db, filter);
    if (!live) return fail(live.error());
    ahead.work = work_under(ahead.lease, std::move(*live));
    if (!ahead.work || ahead.work->job.status == JobStatus::queued || !view.see) return {};
    const auto& run = ahead.work->run;
    ahead.owner = judge({run.unit, run.boot_id, run.invocation_id}, view.see(run.unit), view.now.boot_id);
    if (ahead.owner == Liveness::empty && helpers_busy(view.see, *ahead.work)) ahead.owner = Liveness::alive;
    return {};
}

}  // namespace

Result<std::optional<LeaseAhead>> find_ahead(const WorldView& view, const store::Task& task) {
    std::string target;
    if (task.waiting_for == wait_staging_target) target = staging_target(task.project);
    if (task.waiting_for == wait_deploy_target) target = production_target(task.project);
    if (target.empty() && task.waiting_for != wait_merge_lease) return std::nullopt;
    auto held = store::all_held(view.db, target.empty() ? store::LeaseKind::merge : store::LeaseKind::target);
    if (!held) return fail(held.error());
    for (auto& lease : *held) {
        if (lease.task_id == task.id || (!target.empty() && lease.key != target)) continue;
        auto holder = store::find_task(view.db, lease.task_id);
        if (!holder) return fail(holder.error());
        if (!*holder || (target.empty() && !share_repository(view, task.project, (*holder)->project))) continue;
        LeaseAhead ahead{.lease = std::move(lease), .work_item = (*holder)->work_item, .work = {}, .owner = {}};
        if (auto looked = look_at_holder(view, ahead); !looked) return fail(looked.error());
        return ahead;
    }
    return std::nullopt;
}

}  // namespace orchd::engine
