#include "git/call.h"

#include <sys/wait.h>
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/shapes.h"
#include "git/budget.h"
#include "git/refusal.h"

namespace orchd::git {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> hardening{{
    {"core.hooksPath", "/dev/null"},
    {"core.fsmonitor", "false"},
    {"core.attributesFile", "/dev/null"},
    {"core.excludesFile", "/dev/null"},
    {"core.alternateRefsCommand", "/bin/true"},
    {"core.fsync", "committed,reference"},
    // Larger files are streamed, not held in memory: what agents leave is not ours to trust.
    {"core.bigFileThreshold", "32m"},
    {"safe.directory", "*"},  // the repository is always named by us, and its own settings are overruled here
    {"transfer.fsckObjects", "true"},
    {"gc.auto", "0"},
    {"maintenance.auto", "false"},
    {"receive.autogc", "false"},
}};

std::vector<std::string> environment(const Call& what) {
    std::vector<std::string> all{
        "PATH=/usr/bin:/bin",    "HOME=/nonexistent",           "LC_ALL=C",
        "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
        "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1",    "GIT_ALLOW_PROTOCOL=file",
    };
    if (!what.repository.empty()) all.push_back("GIT_DIR=" + what.repository);
    all.push_back("GIT_CONFIG_COUNT=" + std::to_string(hardening.size()));
    for (std::size_t i = 0; i < hardening.size(); ++i) {
        all.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + '=' + std::string(hardening[i].first));
        all.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + '=' + std::string(hardening[i].second));
    }
    all.insert(all.end(), what.environment.begin(), what.environment.end());
    return all;
}

// Git's words come from hostile repositories too: one line, printable, short.
std::string printable(const std::string& text) {
    constexpr std::size_t longest = 400;
    std::string line;
    for (const char c : chomped(text)) {
        const auto byte = static_cast<unsigned char>(c);
        line += c == '\n' ? std::string("; ") : std::string(1, byte < 0x20 || byte == 0x7f ? '?' : c);
    }
    if (line.size() > longest) line = "… " + line.substr(line.size() - longest);
    return line;
}

std::string command_line(const Call& what) {
    const std::size_t command = what.args.front() == "-c" && what.args.size() > 2 ? 2 : 0;  // the pair of a setting
    return "git " + what.args[command] + (what.repository.empty() ? "" : " in " + printable(what.repository));
}

}  // namespace

Result<Answer> call(const Call& what) {
    constexpr const char* no_time = ": the time that this unit may spend in git (see git_timeout_s) has passed";
    const auto patience = patience_ms(what.timeout_s);
    if (spent()) return fail(Errc::unavailable, command_line(what) + no_time);
    std::vector<std::string> argv;
    if (!what.as_user.empty())
        argv = {"/usr/bin/setpriv", "--reuid=" + what.as_user, "--regid=" + what.as_user, "--init-groups"};
    argv.emplace_back("/usr/bin/git");
    argv.insert(argv.end(), what.args.begin(), what.args.end());
    const auto ended = host::run({.argv = std::move(argv),
                                  .environment = environment(what),
                                  .directory = "/",
                                  .input = what.input,
                                  .input_fd = what.input_fd,
                                  .timeout_ms = patience,
                                  .max_output = what.max_output});
    if (!ended)
        return fail(ended.error().code == Errc::invalid_argument ? Errc::invalid_argument : Errc::unavailable,
                    command_line(what) + ": " + ended.error().text);
    if (ended->timed_out && spent()) return fail(Errc::unavailable, command_line(what) + no_time);
    if (ended->timed_out)
        return fail(Errc::unavailable, command_line(what) + " took more than " + std::to_string(what.timeout_s) + " s");
    if (!WIFEXITED(ended->status))
        return fail(Errc::unavailable, command_line(what) + " was killed by signal " + std::to_string(WTERMSIG(ended->status)));
    return Answer{WEXITSTATUS(ended->status), ended->out, printable(ended->err)};
}

Error refused(const Call& what, const Answer& answer) {
    return {kind_of(answer.words),
            command_line(what) + ": " + (answer.words.empty() ? "exit status " + std::to_string(answer.status) : answer.words)};
}

Result<std::string> output(const Call& what) {
    auto answer = call(what);
    if (!answer) return fail(answer.error());
    if (answer->status != 0) return fail(refused(what, *answer));
    return std::move(answer->out);
}

std::string far_side(const std::string& service) {
    // Run by a shell, so nothing of anybody else's stands in it.
    std::string command = "git";
    for (const auto& [key, value] : hardening) command += " -c '" + std::string(key) + '=' + std::string(value) + '\'';
    return command + ' ' + service;
}

std::string chomped(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(separator, at), text.size());
        if (end > at) parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

Status check_oid(const std::string& text) {
    if (is_commit_id(text)) return {};
    return fail(Errc::invalid_argument, "not an object id: '" + printable(text) + '\'');
}

Status check_branch(const std::string& name) {
    if (is_branch_name(name)) return {};
    return fail(Errc::invalid_argument, "not a branch's name: '" + printable(name) + '\'');
}

}  // namespace orchd::git
