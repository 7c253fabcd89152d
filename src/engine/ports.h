// What the engine needs from outside, as interfaces: all of it runs in a simulation too.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/inodes.h"
#include "core/liveness.h"
#include "core/time.h"
#include "forge/forge.h"
#include "git/git.h"
#include "settings/project.h"
#include "settings/reading.h"
#include "settings/settings.h"
#include "store/db.h"

namespace orchd::engine {

struct RunLimits {  // set on the unit before its start; 0 leaves the unit's own
    std::uint64_t memory_bytes = 0;
    std::int64_t tasks_max = 0;
    std::int64_t cpu_percent = 0;
};

// One unit to start, with what has to hold before.
struct StartRequest {
    std::string unit;
    RunLimits limits;
    // Of a run: orchd-network@TASK, brought up or down before the start as `network` says. Empty for units that are no run.
    std::string network_unit;
    bool network = false;
};

// systemd, as far as the engine needs it. "Started" means a new invocation id, not an answer from here.
class Units {
public:
    virtual ~Units() = default;
    // Queues the starts and does not wait for them to finish: all requests are sent before the first answer is awaited. One
    // answer a request, in order; Errc::unavailable where PID 1 refused for now.
    [[nodiscard]] virtual std::vector<Status> start(const std::vector<StartRequest>& requests) = 0;
    // Stops the unit and waits, for a second at most and less where others were waited for just before, until it is inactive
    // (or failed) with no job and an empty cgroup; Errc::unavailable while it is still stopping: look again in the next pass.
    // Not loaded is success.
    [[nodiscard]] virtual Status stop(const std::string& unit) = 0;
    // Removes the unit's state directory (`systemctl clean`); the unit must be inactive.
    [[nodiscard]] virtual Status clean(const std::string& unit) = 0;
    [[nodiscard]] virtual UnitSeen see(const std::string& unit) = 0;
    // As see(), of many, in order: where it costs a question to PID 1, one for all of them.
    [[nodiscard]] virtual std::vector<UnitSeen> see_all(const std::vector<std::string>& units) {
        std::vector<UnitSeen> seen;
        seen.reserve(units.size());
        for (const auto& unit : units) seen.push_back(see(unit));
        return seen;
    }
    // Names of loaded units of our templates (agent, prepare, finish, step, deploy, network) that are not inactive.
    [[nodiscard]] virtual Result<std::vector<std::string>> ours() = 0;
};

struct Paths {  // host_paths() in production; a temporary folder in tests
    std::string mirrors_dir, releases_dir, runs_dir;
    std::string left_dir;  // what finish sees of the run's state directory
    std::string backups_dir = {};
    // An entry in each for every work item whose runs have a state directory; empty: not looked at.
    std::string agent_states_dir = {}, deploy_states_dir = {};
};
// Where this host keeps things.
[[nodiscard]] Paths host_paths();

// One process's view of the world, passed to every use case. Nothing in it is owned.
struct World {
    store::Db& db;
    Units* units = nullptr;  // null where a process never asks systemd
    std::function<Now()> now;
    const settings::Settings& settings;
    const settings::Projects& projects;
    Paths paths;
    std::string actor;  // "worker", "step", "finish", "prepare", "control", for events
    std::function<Result<std::unique_ptr<git::Mirror>>(const settings::Project&)> open_mirror;
    std::function<Result<std::unique_ptr<forge::Forge>>(const settings::Project&)> open_forge;
    std::function<void()> wake = [] {};         // pokes the worker, after a commit that queued work
    std::function<void()> poke_events = [] {};  // pokes the control service, after a commit that appended events
    std::function<double()> random;             // [0, 1)
    // Free bytes on the database's file system.
    std::function<std::int64_t()> free_bytes = [] { return std::numeric_limits<std::int64_t>::max(); };
    std::function<Inodes()> inodes = [] { return Inodes{}; };  // of the same
    // The last line that the run of this invocation said, where it can be had.
    std::function<std::string(const std::string& invocation_id)> last_line = [](const std::string&) { return std::string(); };
    // Whether a worker is there that starts what is queued; nothing where that is not known.
    std::function<std::optional<bool>()> worker_lives = [] { return std::optional<bool>(); };
    // A problem of one task that was survived (R40), for the journal: work item (empty: of none), sentence.
    std::function<void(const std::string&, const std::string&)> warn = [](const std::string&, const std::string&) {};
    // How the settings were come by; null: they are in force.
    const settings::Condition* condition = nullptr;
};

}  // namespace orchd::engine
