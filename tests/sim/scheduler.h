// Simulated time and the processes in it: one runs at a time, on its own stack, until it pauses, sleeps, ends or is killed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "sim/chance.h"
#include "sim/fiber.h"

namespace orchd::sim {

struct Killed {};  // unwinds a process that was killed; nobody else catches it

struct Violation {
    std::string invariant, what;
};

struct Process {
    std::string name;  // "orchd-step@SIM-1"
    std::string work_item, unit, invocation;
    std::int64_t pid = 0;
    std::optional<Fiber> fiber;
    std::function<void(Process&)> on_end;
    bool asleep = false;
    std::int64_t wake_at = 0;        // while asleep
    std::int64_t stopped_until = 0;  // by SIGSTOP
    bool killed = false, ended = false;
    int exit_status = 0;
    std::string signal = "KILL";  // by which it is killed, if it is
    std::int64_t began_at = 0;
    std::int64_t run = 0;  // of an agent: the run whose spec it took
    std::string inside;    // the last boundary, if it was a .before: its name without that
    std::string owes;      // the boundary whose .after must come next, as something happened
};

// Where a process may be interrupted.
enum class At {
    boundary,  // between two statements of C++: it may be killed here
    statement  // inside SQLite, before a statement of a process that is in no transaction
};

class Scheduler {
public:
    explicit Scheduler(Chance& chance) : chance_(chance) {}
    Scheduler(const Scheduler&) = delete;
    ~Scheduler();

    Process& spawn(std::string name, std::function<int()> body);
    // Calls `act` at that time, in no process.
    void at(std::int64_t time_ms, std::function<void()> act) { timers_.emplace(time_ms, std::move(act)); }
    void in(std::int64_t ms, std::function<void()> act) { at(clock_ + ms, std::move(act)); }

    // Until `done` says so (asked whenever nobody has anything to do at the present time), nothing can ever happen, or
    // something was violated. False: the time or the steps ran out.
    bool run(const std::function<bool()>& done, std::int64_t until_ms, std::uint64_t max_steps);

    // For a process: here it may lose its turn, be stopped or killed.
    void point(std::string_view where, At kind);
    // For a process: sleeps until then, or until it is woken.
    void sleep_until(std::int64_t time_ms);
    void sleep(std::int64_t ms) { sleep_until(clock_ + ms); }
    void wake(Process& process) { process.asleep = false; }
    // For a process: the other one goes first here.
    void give_turn(Process& other);
    // At once, wherever it is, as by SIGKILL. Of itself: throws.
    void kill(Process& process);
    void kill_all();

    [[nodiscard]] Process* present() { return present_; }
    [[nodiscard]] Now now() const { return {utc_base + clock_ + skew_, clock_ - boot_began_ + 1000, boot_id_}; }
    [[nodiscard]] std::int64_t clock() const { return clock_; }
    [[nodiscard]] bool anyone_stopped() const;
    void new_boot();
    void turn_clock(std::int64_t ms) { skew_ += ms; }

    void violate(std::string invariant, std::string what);
    [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }

    // One line of the trace: always in the hash, kept as text if somebody wants to read it.
    void note(std::string_view what);
    void keep_trace() { keep_ = true; }
    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    [[nodiscard]] const std::vector<std::string>& trace() const { return trace_; }

    std::function<void(std::string_view where)> at_each_point;  // looks at what was committed

private:
    static constexpr std::int64_t utc_base = 1'700'000'000'000;
    [[nodiscard]] bool ready(const Process& p) const;
    [[nodiscard]] Process* next();
    [[nodiscard]] bool advance(std::int64_t until_ms);
    void resume(Process& process);
    void bury();

    Chance& chance_;
    std::vector<std::unique_ptr<Process>> processes_;
    std::multimap<std::int64_t, std::function<void()>> timers_;
    Process* present_ = nullptr;
    Process* favoured_ = nullptr;  // goes on where nobody else is given the turn
    bool other_ = false;           // a stroke gives the turn to another
    std::int64_t clock_ = 0, boot_began_ = 0, skew_ = 0, pids_ = 100, boots_ = 1;
    std::string boot_id_ = "boot-1";
    std::optional<Violation> violation_;
    bool keep_ = false;
    std::uint64_t hash_ = 0xcbf29ce484222325ULL;
    std::vector<std::string> trace_;
};

}  // namespace orchd::sim
