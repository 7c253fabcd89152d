#include "orchctl/try.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "core/names.h"
#include "core/pipeline.h"
#include "engine/code.h"
#include "engine/files.h"
#include "engine/spec.h"
#include "forge/forge.h"
#include "host/fd.h"
#include "host/host.h"
#include "host/systemd.h"
#include "orchctl/try_end.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

constexpr const char* unit = "orchd-try.service";
constexpr const char* state_folder = "/var/lib/private/orchd-try";
constexpr std::string_view manager = "org.freedesktop.systemd1.Manager", service = "org.freedesktop.systemd1.Service",
                           any_unit = "org.freedesktop.systemd1.Unit";
// Where its unit binds what the launcher reads; no work item has this name.
std::string run_folder() { return std::string(names::runs_dir) + "/try"; }

struct Tried {
    Role role;
    std::string result, output, problem;  // "success", or systemd's word for what went wrong; try_end.h
    int status = 0;                       // the command's exit status, where it exited
    [[nodiscard]] bool good() const { return problem.empty(); }
};

std::vector<Role> roles_of(const settings::Project& project, const std::string& only) {
    std::vector<Role> roles;
    for (const auto role : {Role::ci, Role::test, Role::staging, Role::build})
        if (project.workers.contains(role) && (only.empty() || only == to_text(role))) roles.push_back(role);
    return roles;
}

// In a process that has become the user orchd, as orchd-prepare is: brings the mirror up to date, and lays what the launcher
// reads.
Status lay(const settings::Project& project, const settings::Settings& settings, Role role) {
    const git::Options options{.timeout_s = settings.git_timeout_s};
    auto mirror = git::open_mirror(std::string(names::mirrors_dir) + '/' + project.name + ".git", options);
    if (!mirror) return fail(mirror.error());
    auto forge = forge::open(project, options);
    if (!forge) return fail(forge.error());
    if (auto fetched = (*forge)->fetch(**mirror); !fetched) return fetched;
    auto head = (*mirror)->forge_head(project.target);
    if (!head) return fail(head.error());
    if (!*head) return fail(Errc::conflict, project.forge_path + " has no branch " + project.target + " yet; push one");
    const auto& worker = project.workers.at(role);
    const engine::Spec spec{.run_id = host::now().utc_ms,  // of no run: nothing records it
                            .work_item = project.prefix + "-0",
                            .project = project.name,
                            .stage = "try",
                            .role = role,
                            .kind = kind_of(role),
                            .branch = project.target,
                            .commit = **head,
                            .base = **head,
                            .command = worker.command,
                            .timeout_s = worker.timeout_s > 0 ? worker.timeout_s : settings.run_timeout_s,
                            .release = {},
                            .config = {}};
    const auto folder = run_folder();
    if (auto made = engine::make_folder(folder); !made) return made;
    if (auto laid = engine::lay_symlink(folder + "/mirror", (*mirror)->path()); !laid) return laid;
    return engine::lay_file(folder + "/spec.json", engine::to_json(spec));
}

Status become_orchd() {
    const auto* user = ::getpwnam("orchd");
    const auto* group = ::getgrnam("orchd-db");
    if (user == nullptr || group == nullptr)
        return fail(Errc::unavailable, "There is no user orchd: is the package installed?");
    if (::initgroups("orchd", user->pw_gid) != 0 || ::setgid(group->gr_gid) != 0 || ::setuid(user->pw_uid) != 0)
        return fail(Errc::not_permitted, std::string("Cannot become the user orchd: ") + std::strerror(errno) + ".");
    ::umask(0007);
    ::setenv("HOME", "/nonexistent", 1);
    return {};
}

// lay() in a child, whose error comes back as text.
Status lay_as_orchd(const settings::Project& project, const settings::Settings& settings, Role role) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::unavailable, std::string("No pipe: ") + std::strerror(errno) + ".");
    host::Fd from(ends[0]), to(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto laid = become_orchd().and_then([&] { return lay(project, settings, role); });
        if (laid) ::_exit(0);
        (void)!::write(to.get(), laid.error().text.data(), laid.error().text.size());
        ::_exit(1);
    }
    to.reset();
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(from.get(), part.data(), part.size())) > 0 || (got < 0 && errno == EINTR);)
        if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fail(Errc::unavailable, text.empty() ? "What the try needs could not be laid." : text);
}

// Whoever stops us stops the try.
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

class TryUnit {
public:
    explicit TryUnit(host::Bus bus) : bus_(std::move(bus)), manager_(*bus_) {}

    // Keeps it in systemd's memory while we are on the bus: how it ended is asked afterwards.
    Status hold() {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        const int r = sd_bus_call_method(bus_.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1", manager.data(),
                                         "RefUnit", &error, nullptr, "s", unit);
        const std::string text = error.message != nullptr ? error.message : std::strerror(-r);
        sd_bus_error_free(&error);
        if (r < 0) return fail(Errc::unavailable, std::string(unit) + ": " + text + '.');
        return watch();
    }

    Result<Tried> run(Role role, const settings::Worker& worker, const settings::Settings& settings) {
        const host::LimitsOf limits{unit, {worker.memory_bytes, worker.tasks_max, worker.cpu_percent}};
        if (auto set = manager_.set_limits({limits}).front(); !set) return fail(set.error());
        if (auto cleared = end_what_was_left(); !cleared) return fail(cleared.error());
        const auto before = invocation();
        if (auto started = manager_.start({unit}).front(); !started) return fail(started.error());
        if (auto ended = wait(); !ended) return fail(ended.error());
        if (invocation() == before) return fail(Errc::unavailable, std::string(unit) + " was not started: see its journal.");
        Tried tried{.role = role, .result = text("Result", service), .output = {}, .problem = {}};
        tried.status = static_cast<int>(number("ExecMainStatus"));
        tried.problem = problem_of_end(tried.result, tried.status);
        if (role == Role::build && tried.good()) tried.problem = problem_of_release(state_folder, settings);
        tried.output = output(invocation());
        return tried;
    }

    void clean() { (void)manager_.clean(unit); }  // what is left is cleared by the next try

private:
    static int changed(sd_bus_message*, void* self, sd_bus_error*) {
        static_cast<TryUnit*>(self)->changed_ = true;
        return 0;
    }

    Status watch() {
        sd_bus_slot* slot = nullptr;
        char* path = nullptr;
        if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) < 0) return fail(Errc::unavailable, "No memory.");
        path_ = path;
        std::free(path);
        int r = sd_bus_call_method(bus_.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1", manager.data(),
                                   "Subscribe", nullptr, nullptr, "");
        if (r >= 0)
            r = sd_bus_match_signal(bus_.get(), &slot, "org.freedesktop.systemd1", path_.c_str(),
                                    "org.freedesktop.DBus.Properties", "PropertiesChanged", &TryUnit::changed, this);
        slot_.reset(slot);
        return r < 0 ? fail(Errc::unavailable, std::string("systemd: ") + std::strerror(-r) + '.') : Status{};
    }

    // Who began it was killed: two at once are kept apart by the lock.
    Status end_what_was_left() {
        if (!lives()) return {};
        if (auto stopped = manager_.stop(unit); !stopped) return stopped;
        return wait();
    }

    bool lives() {
        const auto state = text("ActiveState", any_unit);
        return (state != "inactive" && state != "failed") || has_job();
    }

    Status wait() {
        for (bool stopping = false;;) {
            changed_ = false;
            if (!lives()) return {};
            if (interrupted != 0 && !std::exchange(stopping, true)) (void)manager_.stop(unit);
            constexpr std::int64_t look_again_ms = 1000;  // a signal of ours, and what was missed, is seen at the next look
            auto seen = host::process_until(
                *bus_, [&] { return changed_ || (interrupted != 0 && !stopping); }, look_again_ms);
            if (!seen) return fail(seen.error());
        }
    }

    std::string text(const char* property, std::string_view interface) {
        char* value = nullptr;
        if (sd_bus_get_property_string(bus_.get(), "org.freedesktop.systemd1", path_.c_str(), interface.data(), property,
                                       nullptr, &value) < 0)
            return {};
        std::string text(value);
        std::free(value);
        return text;
    }
    std::int32_t number(const char* property) {
        std::int32_t value = 0;
        (void)sd_bus_get_property_trivial(bus_.get(), "org.freedesktop.systemd1", path_.c_str(), service.data(), property,
                                          nullptr, 'i', &value);
        return value;
    }

    // It is about to be started or stopped: until then its state is that of the last time. Where nobody answers, the invocation
    // tells whether it was started.
    bool has_job() {
        sd_bus_message* reply = nullptr;
        std::uint32_t id = 0;
        if (sd_bus_get_property(bus_.get(), "org.freedesktop.systemd1", path_.c_str(), any_unit.data(), "Job", nullptr, &reply,
                                "(uo)") >= 0)
            (void)sd_bus_message_read(reply, "(uo)", &id, nullptr);
        sd_bus_message_unref(reply);
        return id != 0;
    }

    std::string invocation() {
        sd_bus_message* reply = nullptr;
        const void* bytes = nullptr;
        std::size_t size = 0;
        std::string id;
        if (sd_bus_get_property(bus_.get(), "org.freedesktop.systemd1", path_.c_str(), any_unit.data(), "InvocationID", nullptr,
                                &reply, "ay") >= 0 &&
            sd_bus_message_read_array(reply, 'y', &bytes, &size) >= 0) {
            constexpr std::string_view digits = "0123456789abcdef";
            for (std::size_t i = 0; i < size; ++i) {
                const auto byte = static_cast<const unsigned char*>(bytes)[i];
                id += digits[byte >> 4U];
                id += digits[byte & 15U];
            }
        }
        sd_bus_message_unref(reply);
        return id;
    }

    // All of it: what is still on its way into the journal is waited for.
    static std::string output(const std::string& invocation) {
        if (invocation.empty()) return {};
        (void)host::run({.argv = {"/usr/bin/journalctl", "--sync"}});
        const auto said =
            host::run({.argv = {"/usr/bin/journalctl", "--quiet", "--output=cat", "_SYSTEMD_INVOCATION_ID=" + invocation}});
        return said ? said->out : "what it said cannot be read: " + said.error().text + '\n';
    }

    host::Bus bus_;
    host::Manager manager_;
    host::Slot slot_;
    std::string path_;
    bool changed_ = false;
};

std::string ending(const Tried& tried) {
    const std::string name = '[' + std::string(to_text(tried.role)) + ']';
    return name + ' ' + (tried.good() ? "is green" : tried.problem) + '.';
}

Result<host::Fd> only_one() {
    host::Fd lock(::open((std::string(names::run_dir) + "/try.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock.open()) return fail(Errc::unavailable, std::string(names::run_dir) + ": " + std::strerror(errno) + '.');
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return fail(Errc::conflict, "Another try is under way on this host.");
    return lock;
}

}  // namespace

Status try_checks(Session& session, const settings::Project& project, const settings::Settings& settings,
                  const std::string& only) {
    if (::geteuid() != 0) return fail(Errc::not_permitted, "Only root can start a try: use sudo.");
    const auto roles = roles_of(project, only);
    if (roles.empty())
        return fail(Errc::no_such, only.empty() ? project.name + " has none of [ci], [test], [staging] and [build] to try."
                                                : project.name + " has no [" + only + "] to try.");
    const auto lock = only_one();
    if (!lock) return fail(lock.error());
    auto bus = host::open_system_bus();
    if (!bus) return fail(bus.error());
    TryUnit try_unit(std::move(*bus));
    if (auto held = try_unit.hold(); !held) return held;
    std::signal(SIGINT, interrupt);
    std::signal(SIGTERM, interrupt);
    json::array told;
    bool all_good = true;
    for (const auto role : roles) {
        if (interrupted != 0) break;
        if (auto laid = lay_as_orchd(project, settings, role); !laid) return laid;
        const auto tried = try_unit.run(role, project.workers.at(role), settings);
        if (!tried) return fail(tried.error());
        if (interrupted != 0) break;  // it ended by us
        all_good = all_good && tried->good();
        told.push_back({{"check", to_text(role)},
                        {"result", tried->result},
                        {"status", tried->status},
                        {"problem", tried->problem},
                        {"output", printable_lines(tried->output)}});
        if (session.json) continue;
        session.heading('[' + std::string(to_text(role)) + ']');
        session.print(printable_lines(tried->output));
        session.line(ending(*tried));
    }
    try_unit.clean();
    if (session.json) session.document(json::object{{"tries", std::move(told)}});
    if (interrupted != 0) return fail(Errc::unavailable, "It was interrupted.");
    return all_good ? Status{} : fail(Errc::conflict, "Not all of it is green.");
}

}  // namespace orchd::orchctl
