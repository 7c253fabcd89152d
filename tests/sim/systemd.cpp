#include "sim/systemd.h"

#include <algorithm>

#include "core/names.h"

namespace orchd::sim {
namespace {

constexpr std::int64_t restart_ms = 2000;  // RestartSec= of a finish

engine::Monitor monitor_of(const UnitExit& exit, const std::string& invocation, const std::string& unit) {
    if (!exit.signal.empty()) return {exit.signal == "TERM" ? "success" : "signal", "killed", exit.signal, invocation, unit};
    return {exit.status == 0 ? "success" : "exit-code", "exited", std::to_string(exit.status), invocation, unit};
}

UnitExit exit_of(const Process& process) {
    if (process.killed) return {0, process.signal};
    return {process.exit_status, {}};
}

}  // namespace

Systemd::Systemd(Scheduler& scheduler, Chance& chance, Spawn spawn)
    : scheduler_(scheduler), chance_(chance), spawn_(std::move(spawn)) {
    work();
}

Systemd::Name Systemd::split(const std::string& unit) {
    const auto at = unit.find('@');
    return {unit.substr(0, at), unit.substr(at + 1, unit.rfind(".service") - at - 1)};
}
bool Systemd::is_run(const std::string& stem) { return stem == names::agent || stem == names::deploy; }
bool Systemd::is_finish(const std::string& stem) {
    return stem == names::finish_ok || stem == names::finish_fail || stem == names::deploy_ok || stem == names::deploy_fail;
}

// PID 1 is a process that only a power cut ends; what it has to do may wait for its turn like everybody's.
void Systemd::work() {
    pid1_ = &scheduler_.spawn("systemd", [this] {
        for (;;) {
            const auto next =
                std::ranges::find_if(units_, [this](const auto& u) { return u.second.job && can_begin(u.first); });
            if (next == units_.end()) {
                scheduler_.sleep_until(INT64_MAX);
                continue;
            }
            begin(next->first);
            scheduler_.point("systemd", At::statement);
        }
        return 0;
    });
}

bool Systemd::idle(const std::string& name) const {
    const auto found = units_.find(name);
    return found == units_.end() || (found->second.state == State::inactive && !found->second.job);
}

bool Systemd::can_begin(const std::string& name) const {
    const auto [stem, work_item] = split(name);
    const auto& unit = units_.at(name);
    if (unit.state == State::running || unit.state == State::ending) return false;
    const auto other = [&](std::string_view s) { return names::unit(s, work_item); };
    const bool after_finish = stem == names::agent || stem == names::deploy || stem == names::prepare;
    for (const auto finish : {names::finish_ok, names::finish_fail, names::deploy_ok, names::deploy_fail})
        if (after_finish && !idle(other(finish))) return false;
    if (!is_run(stem)) return true;
    const auto prepare = units_.find(other(names::prepare));
    return prepare != units_.end() && prepare->second.state == State::exited;
}

void Systemd::start(const std::string& name) {
    auto& unit = units_[name];
    if (unit.state == State::running) return;  // merged
    unit.job = true;
    const auto [stem, work_item] = split(name);
    if (is_run(stem)) {
        auto& prepare = units_[names::unit(names::prepare, work_item)];
        if (prepare.state == State::inactive) prepare.job = true;
    }
    scheduler_.wake(*pid1_);
}

void Systemd::begin(const std::string& name) {
    auto& unit = units_[name];
    const auto [stem, work_item] = split(name);
    unit.job = false;
    unit.stopped = false;
    ++unit.serial;
    if (stem == names::network) {
        unit.state = State::exited;
        return;
    }
    unit.invocation = "invocation-" + std::to_string(++invocations_);
    unit.state = State::running;
    unit.process = &spawn_(name, work_item, unit.monitor);
    unit.process->unit = name;
    unit.process->work_item = work_item;
    unit.process->invocation = unit.invocation;
    unit.process->on_end = [this, name](Process& p) { ended(name, p); };
    scheduler_.note("systemd starts " + name + " as " + unit.invocation);
}

void Systemd::make_inactive(const std::string& name) {
    auto& unit = units_[name];
    unit.state = State::inactive;
    unit.process = nullptr;
    unit.invocation.clear();
    scheduler_.wake(*pid1_);
    unit_gone();
}

// StopWhenUnneeded= of a prepare.
void Systemd::unneeded(const std::string& work_item) {
    const auto name = names::unit(names::prepare, work_item);
    auto& prepare = units_[name];
    if (prepare.state != State::exited) return;
    for (const auto stem : {names::agent, names::deploy})
        if (!idle(names::unit(stem, work_item))) return;
    undo_prepare(work_item);
    make_inactive(name);
}

void Systemd::ended(const std::string& name, Process& process) {
    auto& unit = units_[name];
    const auto [stem, work_item] = split(name);
    const auto exit = exit_of(process);
    const bool good = exit.status == 0 && exit.signal.empty();
    unit.process = nullptr;
    if (is_run(stem)) {
        run_ended(process.run);
        const auto invocation = unit.invocation;
        make_inactive(name);
        const auto monitor = monitor_of(exit, invocation, name);
        const bool clean = good || (exit.signal == "TERM" && stem == names::agent);
        const auto handler = stem == names::agent ? (clean ? names::finish_ok : names::finish_fail)
                                                  : (clean ? names::deploy_ok : names::deploy_fail);
        auto& finish = units_[names::unit(handler, work_item)];
        finish.monitor = monitor;
        start(names::unit(handler, work_item));
        return unneeded(work_item);
    }
    if (stem == names::prepare) {
        if (good && !unit.stopped) {
            unit.state = State::exited;
            scheduler_.wake(*pid1_);
            return unneeded(work_item);
        }
        undo_prepare(work_item);
        make_inactive(name);
        for (const auto run : {names::agent, names::deploy}) job_failed(names::unit(run, work_item));
        return;
    }
    if (is_finish(stem)) finish_ended(process.run);
    if (is_finish(stem) && !good && !unit.stopped) {  // Restart=on-failure
        unit.state = State::waits_to_restart;
        scheduler_.in(restart_ms, [this, name, serial = unit.serial] {
            auto& waiting = units_[name];
            if (waiting.state != State::waits_to_restart || waiting.serial != serial) return;
            waiting.job = true;
            scheduler_.wake(*pid1_);
        });
        return unit_gone();
    }
    unit.monitor = {};
    make_inactive(name);
}

// Its prepare failed: it never ran, and its OnFailure= says so.
void Systemd::job_failed(const std::string& run) {
    const auto found = units_.find(run);
    if (found == units_.end() || !found->second.job) return;
    found->second.job = false;
    const auto [stem, work_item] = split(run);
    const auto handler = names::unit(stem == names::agent ? names::finish_fail : names::deploy_fail, work_item);
    units_[handler].monitor = {"success", "", "", "", run};
    start(handler);
}

bool Systemd::stop(const std::string& name) {
    const auto found = units_.find(name);
    if (found == units_.end()) return true;
    auto& unit = found->second;
    const auto [stem, work_item] = split(name);
    if (std::exchange(unit.job, false)) unneeded(work_item);
    if (unit.state == State::ending) return false;
    if (unit.state == State::waits_to_restart) make_inactive(name);
    if (unit.state == State::exited) {
        if (stem == names::prepare) undo_prepare(work_item);
        make_inactive(name);
    }
    if (unit.state != State::running) return true;
    unit.stopped = true;
    if (chance_.strikes(Stroke::stubborn)) {
        unit.state = State::ending;
        const auto wait = 100 + static_cast<std::int64_t>(chance_.detail(30'000));
        scheduler_.in(wait, [this, name, serial = unit.serial] {
            auto& ending = units_[name];
            if (ending.state == State::ending && ending.serial == serial && ending.process) scheduler_.kill(*ending.process);
        });
        return false;
    }
    unit.process->signal = "TERM";
    scheduler_.kill(*unit.process);
    return idle(name);
}

UnitSeen Systemd::see(const std::string& name) const {
    const auto found = units_.find(name);
    if (found == units_.end()) return {};
    const auto& unit = found->second;
    const bool populated = unit.process != nullptr;
    return {.readable = true,
            .job_pending = unit.job,
            .active = unit.state != State::inactive,
            .populated = populated,
            .invocation_id = populated ? unit.invocation : std::string()};
}

std::vector<std::string> Systemd::ours() const {
    std::vector<std::string> active;
    for (const auto& [name, unit] : units_)
        if (unit.state != State::inactive) active.push_back(name);
    return active;
}

void Systemd::daemon_reload() {
    for (auto& [name, unit] : units_)
        if (unit.state == State::waits_to_restart) unit.monitor = {};
}

void Systemd::power_cut() {
    for (auto& [name, unit] : units_)
        if (unit.process != nullptr) unit.process->on_end = nullptr, scheduler_.kill(*unit.process);
    units_.clear();
    scheduler_.kill(*pid1_);
    work();
}

bool Systemd::quiet() const {
    return std::ranges::none_of(units_, [](const auto& u) {
        return u.second.job || (u.second.state != State::inactive && split(u.first).stem != names::network);
    });
}

Process* Systemd::process_of(const std::string& name) const {
    const auto found = units_.find(name);
    return found == units_.end() ? nullptr : found->second.process;
}

}  // namespace orchd::sim
