#include "engine/mended.h"

#include "core/boundary.h"
#include "core/text.h"
#include "engine/advance.h"
#include "engine/operation.h"
#include "store/jobs.h"
#include "store/stalls.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

constexpr std::string_view head_line = "\nhead ";

// What of it is another now.
std::string what_changed(const std::string& before, const std::string& now) {
    const bool same_file = before.substr(0, before.find(head_line)) == now.substr(0, now.find(head_line));
    return same_file ? "the branch has other commits" : "the project's file or the settings changed";
}

Result<bool> release_if_mended(World& world, std::int64_t task_id) {
    return world.db.write([&](store::Tx& tx) -> Result<bool> {
        auto task = store::find_task(tx.db(), task_id);
        if (!task) return fail(task.error());
        auto run = store::live_run_job(tx.db(), task_id);
        if (!run) return fail(run.error());
        if (!*task || (*task)->hold != Hold::infra || (*task)->hold_watch.empty() || !*run) return false;
        const auto now = depends_on(world, **task, (*run)->role);
        if (now.empty() || now == (*task)->hold_watch) return false;
        const Acting who = acting(world, tx);
        const auto why = what_changed((*task)->hold_watch, now) + " since it was held";
        if (auto released = change_hold(who, **task, Hold::none, why); !released) return fail(released.error());
        if (auto asked = ask_anew(world, who, **task, why); !asked) return fail(asked.error());
        return true;
    });
}

}  // namespace

std::string depends_on(const World& world, const store::Task& task, Role role) {
    const auto* project = settings::find(world.projects, task.project);
    if (project == nullptr) return {};
    std::string command;
    std::int64_t timeout_s = 0;
    if (role == Role::deploy && project->deploy) {
        command = project->deploy->hook;
        timeout_s = project->deploy->timeout_s;
    } else if (const auto* worker = settings::worker_of(*project, role)) {
        command = joined(worker->command, "\x1f");
        timeout_s = worker->timeout_s > 0 ? worker->timeout_s : world.settings.run_timeout_s;
    }
    return std::string(to_text(role)) + ' ' + command + "\ntimeout_s " + std::to_string(timeout_s) + std::string(head_line) +
           task.head;
}

void release_mended(World& world, Recovered& recovered) {
    auto watched = store::held_with_watch(world.db);
    if (!watched) return world.warn("", watched.error().text);
    for (const auto& task : *watched) {
        auto run = store::live_run_job(world.db, task.id);
        const bool changed = run && *run && depends_on(world, task, (*run)->role) != task.hold_watch;
        if (run && !changed) continue;
        auto released = run ? bounded("recover.mended", [&] { return release_if_mended(world, task.id); })
                            : Result<bool>(fail(run.error()));
        if (!released) world.warn(task.work_item, released.error().text);
        if (released && *released) ++recovered.released;
    }
}

Status ask_anew(World& world, const Acting& who, const store::Task& task, const std::string& why) {
    auto run = store::live_run_job(who.tx.db(), task.id);
    if (!run) return fail(run.error());
    const bool of_one_commit = *run && (*run)->status == JobStatus::queued && !(*run)->commit.empty();
    // A run that is over, and whose end alone is gone on with, is not made again.
    auto over = of_one_commit ? store::run_without_end(who.tx.db(), (*run)->id) : Result<std::optional<std::int64_t>>();
    if (!over) return fail(over.error());
    if (of_one_commit && !*over)
        if (auto cancelled = cancel_queued(who, **run, "queued anew: " + why, store::Comes::again); !cancelled)
            return cancelled;
    return ask_advance(world, who.tx, task);
}

}  // namespace orchd::engine
