// PID 1 with orchd's templates, as far as docs/architecture.md rests on it: units named by task, a start that merges with a
// live unit, prepare before agent, the finish that OnSuccess= or OnFailure= starts with $MONITOR_*, Restart=on-failure of a
// finish.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/ports.h"
#include "engine/runs.h"
#include "sim/scheduler.h"

namespace orchd::sim {

// How the process of a unit ended.
struct UnitExit {
    int status = 0;      // exit code
    std::string signal;  // instead: "KILL", "TERM"
};

class Systemd {
public:
    // Starts the process of a unit. `monitor` is what its environment hands over.
    using Spawn =
        std::function<Process&(const std::string& unit, const std::string& work_item, const engine::Monitor& monitor)>;

    Systemd(Scheduler& scheduler, Chance& chance, Spawn spawn);

    // StartUnit: a job for PID 1, which is at work on its own.
    void start(const std::string& unit);
    // StopUnit. False while the unit is still ending.
    bool stop(const std::string& unit);
    [[nodiscard]] UnitSeen see(const std::string& unit) const;
    [[nodiscard]] std::vector<std::string> ours() const;
    void daemon_reload();
    // Everything is gone; PID 1 begins anew.
    void power_cut();

    [[nodiscard]] bool quiet() const;
    // Whether processes of the task's run (agent or deploy, prepare) are there.
    [[nodiscard]] Process* process_of(const std::string& unit) const;

    std::function<void()> unit_gone = [] {};
    std::function<void(std::int64_t run)> run_ended;
    std::function<void(std::int64_t run)> finish_ended;              // however it ended
    std::function<void(const std::string& work_item)> undo_prepare;  // ExecStop= of a prepare

private:
    enum class State { inactive, running, exited, ending, waits_to_restart };
    struct Unit {
        State state = State::inactive;
        bool job = false;  // a start that PID 1 has not come to
        std::string invocation;
        Process* process = nullptr;
        engine::Monitor monitor;
        bool stopped = false;  // by StopUnit: no restart, and of a prepare no handler
        int serial = 0;        // of its starts, for timers that may come late
    };
    struct Name {
        std::string stem, work_item;
    };
    [[nodiscard]] static Name split(const std::string& unit);
    [[nodiscard]] static bool is_run(const std::string& stem);
    [[nodiscard]] static bool is_finish(const std::string& stem);

    void work();  // PID 1 itself
    [[nodiscard]] bool can_begin(const std::string& name) const;
    void begin(const std::string& name);
    void ended(const std::string& name, Process& process);
    void handle_end(const std::string& run, const UnitExit& exit);
    void job_failed(const std::string& run);
    void make_inactive(const std::string& name);
    void unneeded(const std::string& work_item);
    [[nodiscard]] bool idle(const std::string& name) const;

    Scheduler& scheduler_;
    Chance& chance_;
    Spawn spawn_;
    Process* pid1_ = nullptr;
    std::map<std::string, Unit> units_;
    std::int64_t invocations_ = 0;
};

}  // namespace orchd::sim
