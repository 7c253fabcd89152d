#include "sim/scheduler.h"

#include <algorithm>
#include <cstdio>

namespace orchd::sim {

Scheduler::~Scheduler() {
    chance_.calm();
    at_each_point = nullptr;
    kill_all();
}

Process& Scheduler::spawn(std::string name, std::function<int()> body) {
    auto& p = *processes_.emplace_back(std::make_unique<Process>());
    p.name = std::move(name);
    p.pid = ++pids_;
    p.began_at = clock_;
    p.fiber.emplace([this, &p, body = std::move(body)] {
        try {
            if (p.killed) return;
            p.exit_status = body();
            point("ends", At::boundary);
        } catch (const Killed&) {
            p.killed = true;
        } catch (const std::exception& e) {
            violate("no exception leaves a process", p.name + ": " + e.what());
        }
    });
    return p;
}

bool Scheduler::ready(const Process& p) const {
    return !p.ended && clock_ >= p.stopped_until && (!p.asleep || p.wake_at <= clock_);
}

Process* Scheduler::next() {
    if (favoured_ != nullptr && !other_ && ready(*favoured_)) return favoured_;
    std::vector<Process*> all;
    for (const auto& p : processes_)
        if (ready(*p) && !(other_ && p.get() == favoured_)) all.push_back(p.get());
    const bool drawn = std::exchange(other_, false);
    if (all.empty()) return favoured_ != nullptr && ready(*favoured_) ? favoured_ : nullptr;
    return all[drawn ? chance_.detail(all.size()) : 0];
}

// On to the next moment in which anything happens.
bool Scheduler::advance(std::int64_t until_ms) {
    auto soonest = timers_.empty() ? INT64_MAX : timers_.begin()->first;
    for (const auto& p : processes_) {
        if (p->ended) continue;
        auto time = p->asleep ? p->wake_at : clock_;
        soonest = std::min(soonest, std::max(time, p->stopped_until));
    }
    if (soonest == INT64_MAX || soonest > until_ms) return false;
    clock_ = std::max(clock_, soonest);
    return true;
}

bool Scheduler::run(const std::function<bool()>& done, std::int64_t until_ms, std::uint64_t max_steps) {
    for (std::uint64_t steps = 0; !violation_; ++steps) {
        while (!timers_.empty() && timers_.begin()->first <= clock_) {
            auto act = std::move(timers_.begin()->second);
            timers_.erase(timers_.begin());
            act();
        }
        bury();
        if (auto* p = next(); p != nullptr) {
            if (steps > max_steps) return false;
            favoured_ = p;
            p->asleep = false;
            resume(*p);
            continue;
        }
        if (done()) return true;
        if (!advance(until_ms)) return false;
    }
    return true;
}

void Scheduler::resume(Process& process) {
    auto* before = std::exchange(present_, &process);
    process.fiber->resume();
    present_ = before;
    if (!process.fiber->ended()) return;
    process.ended = true;
    note(process.killed ? process.name + " is dead" : process.name + " ended with " + std::to_string(process.exit_status));
    if (process.on_end) std::exchange(process.on_end, nullptr)(process);
}

void Scheduler::bury() {
    if (favoured_ != nullptr && favoured_->ended) favoured_ = nullptr;
    std::erase_if(processes_, [this](const auto& p) { return p->ended && p.get() != present_; });
}

void Scheduler::point(std::string_view where, At kind) {
    auto* p = present_;
    if (p == nullptr) return;
    if (p->killed) {
        if (kind == At::boundary) throw Killed{};
        return;
    }
    if (at_each_point) at_each_point(where);
    if (kind == At::boundary) {
        note(p->name + "  " + std::string(where));
        ++clock_;
    }
    if (violation_) {
        // Nothing goes on in this world.
    } else if (kind == At::boundary && chance_.strikes(Stroke::crash)) {
        note("!! " + p->name + " is killed");
        p->killed = true;
        throw Killed{};
    } else if (chance_.strikes(Stroke::pause)) {
        p->stopped_until = clock_ + 10 + static_cast<std::int64_t>(chance_.detail(chance_.detail(4) == 0 ? 120'000 : 8'000));
        note("!! " + p->name + " is stopped for " + std::to_string(p->stopped_until - clock_) + " ms");
    } else if (chance_.strikes(Stroke::turn)) {
        other_ = true;
    } else {
        return;
    }
    p->fiber->pause();
    if (p->killed && kind == At::boundary) throw Killed{};
}

void Scheduler::sleep_until(std::int64_t time_ms) {
    auto& p = *present_;
    if (p.killed) throw Killed{};
    if (at_each_point) at_each_point("sleeps");
    p.asleep = true;
    p.wake_at = time_ms;
    p.fiber->pause();
    if (p.killed) throw Killed{};
}

void Scheduler::give_turn(Process& other) {
    auto& p = *present_;
    favoured_ = &other;
    p.fiber->pause();
    if (p.killed) throw Killed{};
}

void Scheduler::kill(Process& process) {
    if (process.ended || process.killed) return;
    process.killed = true;
    if (&process == present_) throw Killed{};
    resume(process);  // unwinds
}

void Scheduler::kill_all() {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        processes_[i]->on_end = nullptr;
        kill(*processes_[i]);
    }
    timers_.clear();
    bury();
}

bool Scheduler::anyone_stopped() const {
    return std::ranges::any_of(processes_, [this](const auto& p) { return !p->ended && p->stopped_until > clock_; });
}

void Scheduler::new_boot() {
    boot_began_ = clock_;
    boot_id_ = "boot-" + std::to_string(++boots_);
}

void Scheduler::violate(std::string invariant, std::string what) {
    if (violation_) return;
    note("** violated: " + invariant + ": " + what);
    violation_ = Violation{std::move(invariant), std::move(what)};
}

void Scheduler::note(std::string_view what) {
    for (const char c : what) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    hash_ = (hash_ ^ static_cast<std::uint64_t>(clock_)) * 0x100000001b3ULL;
    if (!keep_) return;
    char time[32];
    std::snprintf(time, sizeof time, "%10.3f  ", static_cast<double>(clock_) / 1000);
    trace_.push_back(time + std::string(what));
}

}  // namespace orchd::sim
