#include "store/leases.h"
#include "store/tasks.h"
#include "views/views.h"

namespace orchd::views {
namespace {

Status name_task(store::Db& db, std::int64_t task_id, LeaseView& view) {
    const auto task = store::find_task(db, task_id);
    if (!task) return fail(task.error());
    if (!*task) return {};
    view.work_item = (*task)->work_item;
    view.project = (*task)->project;
    return {};
}

Status name_run(store::Db& db, std::optional<std::int64_t> run_id, LeaseView& view) {
    if (!run_id) return {};
    const auto run = store::find_run(db, *run_id);
    if (!run) return fail(run.error());
    if (!*run) return {};
    view.job = (*run)->job_id;
    view.unit = (*run)->unit;
    view.boot_id = (*run)->boot_id;
    return {};
}

Result<LeaseView> view_of(store::Db& db, const store::TransitionLease& lease) {
    LeaseView view{.kind = "transition", .acquired_at = lease.acquired_at, .from_stage = lease.from_stage};
    if (auto named = name_task(db, lease.task_id, view); !named) return fail(named.error());
    if (auto named = name_run(db, lease.run_id, view); !named) return fail(named.error());
    view.key = view.work_item;
    if (lease.owner) {
        view.unit = lease.owner->unit;
        view.boot_id = lease.owner->boot_id;
    }
    return view;
}

Result<LeaseView> view_of(store::Db& db, std::string_view kind, const store::HeldLease& lease) {
    LeaseView view{.kind = kind, .key = lease.key, .acquired_at = lease.acquired_at};
    if (auto named = name_task(db, lease.task_id, view); !named) return fail(named.error());
    const auto job = store::find_job(db, lease.job_id);
    if (!job) return fail(job.error());
    if (auto named = name_run(db, *job ? (*job)->run_id : std::nullopt, view); !named) return fail(named.error());
    view.job = lease.job_id;
    return view;
}

}  // namespace

Result<std::vector<LeaseView>> lease_views(store::Db& db) {
    std::vector<LeaseView> views;
    const auto transitions = store::held_transitions(db);
    if (!transitions) return fail(transitions.error());
    for (const auto& lease : *transitions) {
        auto view = view_of(db, lease);
        if (!view) return fail(view.error());
        views.push_back(std::move(*view));
    }
    for (const auto& [kind, name] : {std::pair{store::LeaseKind::merge, "merge"}, {store::LeaseKind::target, "target"}}) {
        const auto held = store::all_held(db, kind);
        if (!held) return fail(held.error());
        for (const auto& lease : *held) {
            auto view = view_of(db, name, lease);
            if (!view) return fail(view.error());
            views.push_back(std::move(*view));
        }
    }
    return views;
}

}  // namespace orchd::views
