#include "daemons/launch.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemons/launch_parts.h"
#include "host/fd.h"

namespace orchd::daemons {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

// For the sentence that people get: what lies there instead, or cannot be written over, is the run's own.
void note(const std::string& text, const LaunchPaths& paths) {
    const auto file = paths.state_dir + "/result/" + std::string(names::launcher_said);
    std::error_code ignored;
    fs::remove_all(file, ignored);
    std::ofstream(file) << text << '\n';
}

// Also where a run locked its own folders.
Status remove_tree(const std::string& path) {
    std::error_code failed;
    fs::remove_all(path, failed);
    if (!failed) return {};
    if (const auto unlocked = host::run({.argv = {"/bin/chmod", "-R", "u+rwx", path}}); !unlocked)
        return fail(unlocked.error());
    fs::remove_all(path, failed);
    return failed ? Status(fail(Errc::io, "cannot remove " + path + ": " + failed.message())) : Status{};
}

}  // namespace

LaunchPaths paths_of_unit() {
    LaunchPaths paths;
    paths.state_dir = variable("STATE_DIRECTORY", "");
    if (paths.state_dir.empty()) {
        say("this is started by its unit, which sets STATE_DIRECTORY");
        std::exit(2);
    }
    return paths;
}

void say(std::string_view text) {
    std::fprintf(stderr, "orchd: %.*s\n", static_cast<int>(text.size()), text.data());
    std::fflush(stderr);
}

int give_up(const Error& error) {
    say(error.text);
    return exited(names::exit_not_set_up);
}

int not_run(const Error& error, const LaunchPaths& paths) {
    say(error.text);
    if (error.code != Errc::no_such && error.code != Errc::not_permitted) return exited(names::exit_not_set_up);
    note(error.text, paths);
    return exited(error.code == Errc::no_such ? names::exit_not_found : names::exit_not_executable);
}

Result<engine::Spec> read_spec(const LaunchPaths& paths, Launches launches) {
    std::ifstream file(paths.run_dir + "/spec.json", std::ios::binary);
    if (!file) return fail(Errc::no_such, "nothing was prepared to be run here");
    auto spec = engine::spec_from_json({std::istreambuf_iterator<char>(file), {}});
    const bool deploy = launches == Launches::a_deploy;
    if (spec && (spec->kind == JobKind::deploy) != deploy)
        return fail(Errc::conflict, "what was prepared is for another unit than this, which was started too late");
    return spec;
}

std::string first_line(const engine::Spec& spec) {
    return "run " + std::to_string(spec.run_id) + ", " + std::string(to_text(spec.role)) + ", commit " + spec.commit;
}

Status take(const engine::Spec& spec, const LaunchPaths& paths) {
    const auto mark = paths.state_dir + "/taken-" + std::to_string(spec.run_id);
    const auto taken = fail(Errc::conflict, "run " + std::to_string(spec.run_id) + " was started before: one spec is one run");
    std::error_code failed;
    if (fs::exists(mark, failed)) return taken;
    // Cleared before it is taken: with the mark of this run there lies nothing of another. Nothing of an earlier run, whose
    // command may have been anybody's, reaches a later one's home.
    for (fs::directory_iterator at(paths.state_dir, failed), end; !failed && at != end; at.increment(failed))
        if (auto removed = remove_tree(at->path()); !removed) return removed;
    if (failed) return fail(Errc::io, "cannot clear " + paths.state_dir + ": " + failed.message());
    const host::Fd made(::open(mark.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!made.open() && errno == EEXIST) return taken;
    if (!made.open()) return fail(Errc::io, mark + ": " + std::strerror(errno));
    return {};
}

std::vector<std::string> base_environment(const std::string& home) {
    return {"PATH=" + variable("PATH", "/usr/local/bin:/usr/bin:/bin"), "LANG=" + variable("LANG", "C.UTF-8"), "TMPDIR=/tmp",
            "HOME=" + home};
}

int run_command(const host::Child& child, const LaunchPaths& paths) {
    const auto ended = host::run(child);
    if (!ended) return not_run(ended.error(), paths);
    if (ended->timed_out) {
        const auto text = "stopped after its time limit of " + std::to_string(child.timeout_ms / 1000) + " s";
        say(text);
        note(text, paths);
        return exited(names::exit_timed_out);
    }
    return ended->status;
}

void end_as(int wait_status) {
    if (WIFSIGNALED(wait_status)) {
        const int number = WTERMSIG(wait_status);
        const rlimit no_core{0, 0};  // the command has written its own
        ::setrlimit(RLIMIT_CORE, &no_core);
        ::signal(number, SIG_DFL);
        sigset_t it;
        ::sigemptyset(&it);
        ::sigaddset(&it, number);
        ::sigprocmask(SIG_UNBLOCK, &it, nullptr);
        ::kill(::getpid(), number);
    }
    std::exit(WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : names::exit_not_set_up);
}

}  // namespace orchd::daemons
