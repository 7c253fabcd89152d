// orchd-deploy-run: one deploy by the operator's hook (R30), as user orchd-deploy.
#include <filesystem>

#include "daemons/launch_parts.h"

namespace orchd::daemons {
namespace {

constexpr std::int64_t status_timeout_ms = 60'000;

host::Child hook(const engine::Spec& spec, const LaunchPaths& paths, const std::string& verb) {
    host::Child child{.argv = spec.command, .environment = base_environment(paths.state_dir)};
    child.argv.push_back(verb);
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"PROJECT", spec.project},
                                      {"COMMIT", spec.commit},
                                      {"RELEASE", spec.release},
                                      {"DEPLOY_CONFIG", spec.config},
                                      {"WORK_ITEM", spec.work_item},
                                      {"RESULT_DIR", paths.state_dir + "/result"},
                                      {"RUN_ID", std::to_string(spec.run_id)}})
        if (!value.empty()) child.environment.push_back("ORCHD_" + name + '=' + value);
    return child;
}

// The live commit as the hook says it: the first word it prints; empty for none.
std::string first_word(const std::string& text) {
    const auto* blank = " \t\r\n";
    const auto begin = text.find_first_not_of(blank);
    return begin == text.npos ? "" : text.substr(begin, text.find_first_of(blank, begin) - begin);
}

}  // namespace

int launch_deploy(const LaunchPaths& paths) {
    const auto spec = read_spec(paths, Launches::a_deploy);
    if (!spec) return give_up(spec.error());
    if (auto taken = take(*spec, paths); !taken) return give_up(taken.error());
    std::error_code failed;
    std::filesystem::create_directory(paths.state_dir + "/result", failed);
    if (failed) return give_up({Errc::io, "cannot make " + paths.state_dir + "/result: " + failed.message()});
    say(first_line(*spec));

    // Did it happen already? A killed deploy is asked for again, and a hook that cannot tell must not deploy a second time.
    auto status = hook(*spec, paths, "status");
    status.timeout_ms = status_timeout_ms;
    const auto live = host::run(status);
    if (!live) return not_run(live.error(), paths);
    if (live->timed_out || live->status != 0) {
        say("the hook's status could not say which commit is live: " + live->out + live->err);
        return exited(names::exit_transient);
    }
    if (!live->err.empty()) say(live->err);
    const auto commit = first_word(live->out);
    if (commit == spec->commit) {
        say(commit + " is live already");
        return exited(0);
    }
    say("live before: " + (commit.empty() ? "nothing" : commit));

    auto deploy = hook(*spec, paths, "deploy");
    deploy.timeout_ms = spec->timeout_s * 1000;
    deploy.inherit_output = true;
    return run_command(deploy, paths);
}

}  // namespace orchd::daemons
