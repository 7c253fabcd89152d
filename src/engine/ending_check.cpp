// The end of a run of the project's commands (CI, test, staging, re-test, build) and of the deploy hook: its exit is the
// verdict.
#include "core/boundary.h"
#include "core/text.h"
#include "engine/code.h"
#include "engine/ending.h"
#include "engine/files.h"
#include "engine/gates.h"
#include "engine/report.h"

namespace orchd::engine {
namespace {

// What the run worked on.
const std::string& commit_of(const Ended& ended) {
    return ended.run.head_before.empty() ? ended.job.commit : ended.run.head_before;
}

Ending status_ending(const World& world, const Ended& ended, const std::string& context, bool good) {
    return {.commit_status = store::CommitStatus{.project = ended.task.project,
                                                 .commit = commit_of(ended),
                                                 .context = context,
                                                 .description = describe_run(ended),
                                                 .state = good ? Colour::green : Colour::red,
                                                 .at = world.now().utc_ms}};
}

// Writes 13, 14 or 15 on top of the task's branch.
Result<std::string> land_report(TaskBranch& branch, const Ended& ended, const std::string& command, bool good) {
    const auto artefact = *artefact_of(ended.job.role);
    const Report report{.task = ended.task,
                        .job = ended.job,
                        .run = ended.run,
                        .good = good,
                        .command = command,
                        .explanation = describe_run(ended)};
    return branch.land_file(
        artefact_path(ended.task.work_item, artefact), report_text(report),
        ended.task.work_item + ": " + std::string(to_text(artefact)) + " of run " + std::to_string(ended.run.id),
        commit_of(ended));
}

Result<Ending> report_ending(World& world, const Ended& ended, const settings::Project& project, Gate gate, bool good) {
    auto branch = TaskBranch::open(world, project, ended.task);
    if (!branch) return fail(branch.error());
    const auto* worker = settings::worker_of(project, ended.job.role);
    auto head = land_report(*branch, ended, worker == nullptr ? std::string() : joined(worker->command, " "), good);
    if (!head) return fail(head.error());
    auto code = code_of(branch->mirror(), project, ended.task.work_item, commit_of(ended));
    if (!code) return fail(code.error());
    Ending ending{.head = *head};
    ending.verdict = verdict_of(world, ended, gate, good ? Colour::green : Colour::red, describe_run(ended));
    ending.verdict->patch_id = code->patch_id;
    return ending;
}

Ending build_failure(const World& world, const Ended& ended, const std::string& reason) {
    Ending ending{.status = JobStatus::failed, .error = reason};
    ending.verdict = verdict_of(world, ended, Gate::deploy_status, Colour::red, reason);
    return ending;
}

Result<Ending> build_ending(World& world, const Ended& ended, bool good) {
    if (!good) return build_failure(world, ended, describe_run(ended));
    const auto folder = world.paths.releases_dir + '/' + ended.task.project;
    if (auto made = make_folder(folder); !made) return fail(made.error());
    boundary("finish.release.before");
    auto kept = keep_result(world.paths.left_dir, "release.tar", folder + '/' + commit_of(ended) + ".tar",
                            static_cast<std::uint64_t>(world.settings.release_max_bytes));
    boundary("finish.release.after");
    if (!kept && kept.error().code == Errc::invalid_argument) return build_failure(world, ended, kept.error().text);
    if (!kept) return fail(kept.error());
    if (!*kept) return build_failure(world, ended, "the build left no release.tar in $ORCHD_RESULT_DIR");
    return Ending{.release = store::Release{.project = ended.task.project,
                                            .commit = commit_of(ended),
                                            .previous = {},
                                            .state = "built",
                                            .at = world.now().utc_ms}};
}

}  // namespace

Result<Ending> check_ending(World& world, const Ended& ended, const settings::Project& project) {
    const bool good = outcome(*ended.run.exit) == Outcome::look;
    switch (ended.job.role) {
        case Role::ci:
            return status_ending(world, ended, ci_context, good);
        case Role::retest:
            return status_ending(world, ended, retest_context, good);
        case Role::test:
            return report_ending(world, ended, project, Gate::tests_passed, good);
        case Role::staging:
            return report_ending(world, ended, project, Gate::staging_status, good);
        case Role::build:
            return build_ending(world, ended, good);
        default:
            return fail(Errc::internal, "job " + std::to_string(ended.job.id) + " is no check");
    }
}

Result<Ending> deploy_ending(World& world, const Ended& ended, const settings::Project& project) {
    const bool good = outcome(*ended.run.exit) == Outcome::look;
    auto branch = TaskBranch::open(world, project, ended.task);
    if (!branch) return fail(branch.error());
    auto head = land_report(*branch, ended, project.deploy ? project.deploy->hook : std::string(), good);
    if (!head) return fail(head.error());

    const bool rolled_back = ended.run.exit->status == 1;  // the hook's contract; 2: and that failed too
    const auto reason = describe_run(ended) + (good ? "" : rolled_back ? ", and rolled back" : ": look at what is live");
    Ending ending{.head = *head};
    ending.verdict = verdict_of(world, ended, Gate::deploy_status, good ? Colour::green : Colour::red, reason);
    ending.release = store::Release{.project = ended.task.project,
                                    .commit = commit_of(ended),
                                    .previous = {},
                                    .state = good          ? "live"
                                             : rolled_back ? "rolled_back"
                                                           : "failed",
                                    .at = world.now().utc_ms};
    return ending;
}

}  // namespace orchd::engine
