#include <filesystem>

#include "core/boundary.h"
#include "core/front_matter.h"
#include "core/names.h"
#include "core/planted.h"
#include "core/work_item.h"
#include "engine/branch.h"
#include "engine/code.h"
#include "engine/events.h"
#include "engine/files.h"
#include "engine/prompt.h"
#include "engine/runs.h"
#include "engine/spec.h"
#include "engine/stall.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

struct Waiting {  // a claimed run that nobody prepared yet
    store::Task task;
    store::Job job;
    store::Run run;
};

Result<Waiting> waiting_run(store::Db& db, const std::string& work_item) {
    const auto refuse = [&](const std::string& why) { return fail(Errc::conflict, "no run of " + work_item + why); };
    return db.read([&](store::Db&) -> Result<Waiting> {
        auto task = store::find_task(db, work_item);
        if (!task) return fail(task.error());
        if (!*task) return fail(Errc::no_such, "there is no task " + work_item);
        auto job = store::live_run_job(db, (*task)->id);
        if (!job) return fail(job.error());
        if (!*job || (*job)->status != JobStatus::running) return refuse(" is to be started");
        auto run = store::find_run(db, *(*job)->run_id);
        if (!run) return fail(run.error());
        if (!*run || (*run)->prepared_at || (*run)->exit) return refuse(" is to be started: it was prepared before");
        return Waiting{**task, **job, **run};
    });
}

std::string folder_of(const Paths& paths, const std::string& work_item) { return paths.runs_dir + '/' + work_item; }

Spec common_spec(const Waiting& waiting, const settings::Project& project) {
    return {.run_id = waiting.run.id,
            .work_item = waiting.task.work_item,
            .project = project.name,
            .stage = std::string(to_text(waiting.task.stage)),
            .role = waiting.job.role,
            .kind = waiting.job.kind,
            .branch = waiting.task.branch,
            .commit = waiting.job.commit,
            .base = {},
            .command = {},
            .timeout_s = 0,
            .release = {},
            .config = {}};
}

Result<Spec> deploy_spec(const World& world, const Waiting& waiting, const settings::Project& project) {
    if (!project.deploy) return fail(Errc::no_such, "project " + project.name + " has no [deploy] (see " + project.file + ")");
    Spec spec = common_spec(waiting, project);
    spec.command = {project.deploy->hook};
    spec.config = project.deploy->config;
    spec.timeout_s = project.deploy->timeout_s;
    if (settings::worker_of(project, Role::build) == nullptr) return spec;
    const auto file = '/' + project.name + '/' + waiting.job.commit + ".tar";
    std::error_code unseen;
    if (!std::filesystem::exists(world.paths.releases_dir + file, unseen))
        return fail(Errc::no_such, "there is no release of commit " + waiting.job.commit + " to deploy");
    spec.release = std::string(names::inside_releases) + file;
    return spec;
}

// An agent whose artefact could be in no commit would be asked again and again for it.
Status artefacts_fit(git::Mirror& mirror, const Waiting& waiting, const std::string& commit) {
    auto obstacle = mirror.obstacle(commit, artefact_paths(waiting.task.work_item));
    if (!obstacle) return fail(obstacle.error());
    if (!*obstacle) return {};
    return fail(Errc::refused, "artefacts cannot be committed to " + waiting.task.branch + ": " + **obstacle);
}

// Brings the branch up to date and lays prompt and mirror; the spec, without which the run does nothing, is laid after them.
Result<Spec> work_spec(World& world, const Waiting& waiting, const settings::Project& project) {
    const auto* worker = settings::worker_of(project, waiting.job.role);
    if (worker == nullptr)
        return fail(Errc::no_such, "project " + project.name + " says nothing about the role " +
                                       std::string(to_text(waiting.job.role)) + " (see " + project.file + ")");
    auto branch = TaskBranch::open(world, project, waiting.task);
    if (!branch) return fail(branch.error());
    auto head = branch->make_ready();
    if (!head) return fail(head.error());
    if (branch->put_back()) world.warn(waiting.task.work_item, text_of_branch_put_back(waiting.task));

    Spec spec = common_spec(waiting, project);
    if (spec.commit.empty()) spec.commit = *head;
    spec.command = worker->command;
    spec.timeout_s = worker->timeout_s > 0 ? worker->timeout_s : world.settings.run_timeout_s;
    auto base = base_of(branch->mirror(), project, spec.commit);
    if (!base) return fail(base.error());
    spec.base = *base;

    const auto folder = folder_of(world.paths, waiting.task.work_item);
    if (auto laid = lay_symlink(folder + "/mirror", branch->mirror().path()); !laid) return fail(laid.error());
    if (waiting.job.kind == JobKind::agent) {
        if (auto fit = artefacts_fit(branch->mirror(), waiting, spec.commit); !fit) return fail(fit.error());
        auto text = prompt_of(waiting.task, waiting.job.role, *worker);
        if (!text) return fail(text.error());
        if (planted("secret_logged")) world.warn(waiting.task.work_item, "prompt: " + *text);
        if (auto laid = lay_file(folder + "/prompt.md", *text); !laid) return fail(laid.error());
    }
    return spec;
}

Status mark(World& world, const Waiting& waiting, const std::string& head_before) {
    boundary("prepare.mark.before");
    auto marked = world.db.write([&](store::Tx& tx) -> Status {
        auto ours = store::mark_prepared(tx, waiting.run.id, head_before, world.now());
        if (!ours) return fail(ours.error());
        if (!*ours) return fail(Errc::conflict, "the run of " + waiting.task.work_item + " was taken back meanwhile");
        return add_event(acting(world, tx), "run_prepared", waiting.task.id, waiting.job.id,
                         {{"run", waiting.run.id}, {"commit", head_before}});
    });
    boundary("prepare.mark.after");
    return marked;
}

Status lay(World& world, const Waiting& waiting) {
    const auto* project = settings::find(world.projects, waiting.task.project);
    if (project == nullptr)
        return fail(Errc::unavailable, "project " + waiting.task.project + " has no valid file: see `orchctl project check " +
                                           waiting.task.project + "`");
    const auto folder = folder_of(world.paths, waiting.task.work_item);
    if (auto made = make_folder(folder); !made) return made;
    auto spec =
        waiting.job.kind == JobKind::deploy ? deploy_spec(world, waiting, *project) : work_spec(world, waiting, *project);
    if (!spec) return fail(spec.error());
    if (auto laid = lay_file(folder + "/spec.json", to_json(*spec)); !laid) return laid;
    return mark(world, waiting, spec->commit);
}

}  // namespace

Status prepare(World& world, const std::string& work_item) {
    auto waiting = waiting_run(world.db, work_item);
    if (!waiting) return fail(waiting.error());
    auto laid = lay(world, *waiting);
    if (laid) return {};
    unprepare(world.paths, work_item);
    auto kept = beginning_failed(world, waiting->job, waiting->run, laid.error());
    if (!kept) world.warn(work_item, kept.error().text);
    return laid;
}

void unprepare(const Paths& paths, const std::string& work_item) {
    if (!WorkItem::parse(work_item)) return;  // it becomes a path
    std::error_code ignored;                  // what is left there is overwritten by the next run's
    std::filesystem::remove_all(folder_of(paths, work_item), ignored);
}

}  // namespace orchd::engine
