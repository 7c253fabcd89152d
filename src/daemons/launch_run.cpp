// orchd-run: one run of repository code, as the task's own user.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "core/front_matter.h"
#include "daemons/launch_parts.h"
#include "engine/files.h"
#include "engine/left.h"
#include "git/run_side.h"

namespace orchd::daemons {
namespace {

namespace fs = std::filesystem;

// The range that systemd takes dynamic users from: such a user is this run's and nobody else's.
bool has_user_of_its_own() {
    constexpr uid_t first = 61184, last = 65519;
    return ::geteuid() >= first && ::geteuid() <= last;
}

// Everything that the run's user still runs is killed and reaped, however far it forked away. Never as root or as a person's
// user, where "everything" is not ours.
void end_leftovers() {
    if (!has_user_of_its_own()) return;
    do ::kill(-1, SIGKILL);  // again after each death: a fork may have slipped through
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR);
}

std::string clone_of(const LaunchPaths& paths) { return paths.state_dir + "/clone"; }

std::vector<std::string> environment(const engine::Spec& spec, const LaunchPaths& paths) {
    auto all = base_environment(paths.state_dir + "/home");
    const auto prompt = paths.run_dir + "/prompt.md";
    std::error_code ignored;
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"RUN_ID", std::to_string(spec.run_id)},
                                      {"WORK_ITEM", spec.work_item},
                                      {"PROJECT", spec.project},
                                      {"STAGE", spec.stage},
                                      {"ROLE", std::string(to_text(spec.role))},
                                      {"BRANCH", spec.branch},
                                      {"BASE", spec.base},
                                      {"ARTEFACTS", artefact_folder(spec.work_item)},
                                      {"PROMPT_FILE", fs::exists(prompt, ignored) ? prompt : ""},
                                      {"RESULT_DIR", paths.state_dir + "/result"}})
        if (!value.empty()) all.push_back("ORCHD_" + name + '=' + value);
    return all;
}

std::string author_of(const engine::Spec& spec) { return "orchd " + std::string(to_text(spec.role)); }

// What the command finds: a home with settings for its own git, an empty result folder, its clone.
Status furnish(const engine::Spec& spec, const LaunchPaths& paths) {
    std::error_code failed;
    for (const auto* folder : {"/home", "/result"})
        if (!failed) fs::create_directory(paths.state_dir + folder, failed);
    if (failed) return fail(Errc::io, "cannot make folders in " + paths.state_dir + ": " + failed.message());
    std::ofstream config(paths.state_dir + "/home/.gitconfig");
    config << "[user]\n\tname = " << author_of(spec) << "\n\temail = orchd@localhost\n[safe]\n\tdirectory = " << paths.mirror
           << '\n';
    if (!config.flush()) return fail(Errc::io, "cannot write into " + paths.state_dir + "/home");
    return git::make_clone({paths.mirror, clone_of(paths), spec.branch, spec.commit});
}

git::Gathering gathering(const engine::Spec& spec, const LaunchPaths& paths) {
    return {.clone = {paths.mirror, clone_of(paths), spec.branch, spec.commit},
            .base = spec.base,
            .bench = paths.state_dir + "/bench",
            .artefacts = artefact_folder(spec.work_item),
            .author = author_of(spec),
            .message = "What the " + std::string(to_text(spec.role)) + " left uncommitted",
            .product_is_a_patch = spec.role == Role::developer};
}

std::string bundle_of(const LaunchPaths& paths) { return paths.state_dir + "/bundle"; }
std::string report_of(const LaunchPaths& paths) { return paths.state_dir + '/' + engine::left_file; }

// The bundle first, then the word on it: where that is, the bundle is whole.
Result<git::Gathered> bring_in(const engine::Spec& spec, const LaunchPaths& paths, const git::Snapshot* checkout) {
    std::error_code failed;
    for (const auto& file : {bundle_of(paths), report_of(paths)}) fs::remove_all(file, failed);
    const auto what = gathering(spec, paths);
    auto gathered = git::gather(what, checkout);
    if (!gathered) return gathered;
    if (auto written = git::write_bundle(what, gathered->head, bundle_of(paths)); !written) return fail(written.error());
    return gathered;
}

Status report(const engine::Left& left, const LaunchPaths& paths) {
    for (const auto& text : left.reasons) say("not brought in: " + text);
    for (const auto& text : left.told) say(text);
    return engine::lay_file(report_of(paths), to_json(left));
}

void keep_what_it_left(const engine::Spec& spec, const LaunchPaths& paths, const git::Snapshot& checkout) {
    const auto gathered = bring_in(spec, paths, &checkout);
    const auto left = gathered ? engine::Left{gathered->head, gathered->reasons, gathered->told}
                               : engine::Left{spec.commit, {gathered.error().text}, {}};
    if (auto said = report(left, paths); !said) say(said.error().text);  // finish finds none, and has it worked again
}

}  // namespace

int launch_run(const LaunchPaths& paths) {
    const auto spec = read_spec(paths, Launches::a_run);
    if (!spec) return give_up(spec.error());
    // What forks away becomes this process's child, so that its end can be awaited.
    if (has_user_of_its_own()) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (auto ready = take(*spec, paths).and_then([&] { return furnish(*spec, paths); }); !ready) return give_up(ready.error());
    const bool agent = spec->kind == JobKind::agent;
    const auto checkout = agent ? git::take_snapshot(clone_of(paths)) : Result<git::Snapshot>();
    if (!checkout) return give_up(checkout.error());
    say(first_line(*spec));
    const int status = run_command({.argv = spec->command,
                                    .environment = environment(*spec, paths),
                                    .directory = clone_of(paths),
                                    .timeout_ms = spec->timeout_s * 1000,
                                    .inherit_output = true},
                                   paths);
    end_leftovers();
    if (agent) keep_what_it_left(*spec, paths, *checkout);
    return status;
}

int bundle_run(const LaunchPaths& paths) {
    const auto spec = read_spec(paths, Launches::a_run);
    std::error_code ignored;
    const bool taken = spec && fs::exists(paths.state_dir + "/taken-" + std::to_string(spec->run_id), ignored);
    if (!taken || spec->kind != JobKind::agent || fs::exists(report_of(paths), ignored) ||
        !fs::exists(clone_of(paths), ignored))
        return 0;
    const auto gathered = bring_in(*spec, paths, nullptr);
    const auto said = gathered ? report({gathered->head, gathered->reasons, gathered->told}, paths) : fail(gathered.error());
    if (said) return 0;
    say("the run's commits could not be bundled: " + said.error().text);
    return 1;
}

}  // namespace orchd::daemons
