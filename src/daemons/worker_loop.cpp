#include "daemons/worker_loop.h"

#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "core/names.h"
#include "daemons/journal_outbox.h"
#include "daemons/worker_status.h"
#include "engine/disk.h"
#include "host/host.h"
#include "host/log.h"
#include "store/jobs.h"
#include "store/worker_lock.h"

namespace orchd::daemons {
namespace {

constexpr int claims_at_once = 8;
constexpr int deliveries_at_once = 16;    // so that what is due is not kept waiting by many that came in
constexpr std::int64_t settle_ms = 500;   // units go in groups: one look for all of them, which a claim may have to wait for
constexpr std::int64_t waiting_ms = 100;  // a claim waits for a unit that still ends
constexpr std::int64_t status_ms = 1000;  // the status line is this old at most: it is read for people, not in each pass

template <class Owner, void (Owner::*act)()>
int on_time(sd_event_source* /*source*/, std::uint64_t /*usec*/, void* self) {
    (static_cast<Owner*>(self)->*act)();
    return 0;
}

template <class Owner, void (Owner::*act)()>
int on_defer(sd_event_source* /*source*/, void* self) {
    (static_cast<Owner*>(self)->*act)();
    return 0;
}

template <class Owner, void (Owner::*act)()>
int on_io(sd_event_source* /*source*/, int /*fd*/, std::uint32_t /*events*/, void* self) {
    (static_cast<Owner*>(self)->*act)();
    return 0;
}

template <class Owner, void (Owner::*act)()>
int on_signal(sd_event_source* /*source*/, const signalfd_siginfo* /*info*/, void* self) {
    (static_cast<Owner*>(self)->*act)();
    return 0;
}

}  // namespace

int WorkerLoop::Timer::add(sd_event& event, sd_event_time_handler_t handler, void* self) {
    sd_event_source* raw = nullptr;
    const int r = sd_event_add_time_relative(&event, &raw, CLOCK_BOOTTIME, 0, 1000, handler, self);
    source_.reset(raw);
    if (r >= 0) disarm();
    return r;
}

void WorkerLoop::Timer::arm(std::int64_t in_ms) {
    (void)sd_event_source_set_time_relative(source_.get(), static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_ms)) * 1000);
    (void)sd_event_source_set_enabled(source_.get(), SD_EVENT_ONESHOT);
}

void WorkerLoop::Timer::disarm() { (void)sd_event_source_set_enabled(source_.get(), SD_EVENT_OFF); }

bool WorkerLoop::Timer::armed() const { return sd_event_source_get_enabled(source_.get(), nullptr) > 0; }

Status WorkerLoop::attach() {
    sd_event* raw_event = nullptr;
    int r = sd_event_new(&raw_event);
    event_.reset(raw_event);
    const auto adding = [&](host::Source& to, auto&& add) {
        sd_event_source* raw = nullptr;
        if (r >= 0) r = add(&raw);
        to.reset(raw);
    };
    auto* e = event_.get();
    adding(wake_, [&](auto** s) {
        return sd_event_add_io(e, s, wake_socket_, EPOLLIN, on_io<WorkerLoop, &WorkerLoop::on_wake>, this);
    });
    adding(pass_, [&](auto** s) { return sd_event_add_defer(e, s, on_defer<WorkerLoop, &WorkerLoop::pass>, this); });
    // No handler: the loop ends with status 0.
    adding(terminate_,
           [&](auto** s) { return sd_event_add_signal(e, s, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, nullptr, nullptr); });
    adding(interrupt_,
           [&](auto** s) { return sd_event_add_signal(e, s, SIGINT | SD_EVENT_SIGNAL_PROCMASK, nullptr, nullptr); });
    adding(reload_, [&](auto** s) {
        return sd_event_add_signal(e, s, SIGHUP | SD_EVENT_SIGNAL_PROCMASK, on_signal<WorkerLoop, &WorkerLoop::look_soon>,
                                   this);
    });
    if (r >= 0) r = tick_.add(*e, on_time<WorkerLoop, &WorkerLoop::on_tick>, this);
    if (r >= 0) r = settle_.add(*e, on_time<WorkerLoop, &WorkerLoop::on_settle>, this);
    if (r >= 0) r = again_.add(*e, on_time<WorkerLoop, &WorkerLoop::on_settle>, this);
    if (r >= 0) r = due_.add(*e, on_time<WorkerLoop, &WorkerLoop::look_soon>, this);
    if (r >= 0) r = status_.add(*e, on_time<WorkerLoop, &WorkerLoop::tell_status>, this);
    if (r >= 0) r = sd_event_set_watchdog(e, 1);
    if (r >= 0) r = sd_bus_set_exit_on_disconnect(owned_.bus(), 1);
    if (r >= 0) r = sd_bus_attach_event(owned_.bus(), e, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0) return fail(Errc::internal, std::string("the event loop cannot be set up: ") + std::strerror(-r));
    auto watches = host::Manager(*owned_.bus()).watch([this](const std::string& unit) {
        if (unit.starts_with("orchd-") && unit.find('@') != std::string::npos) on_unit_gone();
    });
    if (!watches) return fail(watches.error());
    watches_ = std::move(*watches);
    return {};
}

Status WorkerLoop::rebase() {
    auto& world = owned_.world();
    const auto longest_ms = world.settings.backoff_cap_s * 1000, as_asked_ms = world.settings.defer_limit_s * 1000;
    return world.db.write([&](store::Tx& tx) { return store::rebase_due_times(tx, longest_ms, as_asked_ms, world.now()); })
        .map([](int) {});
}

Status WorkerLoop::run() {
    if (auto attached = attach(); !attached) return attached;
    if (auto rebased = rebase(); !rebased) return rebased;
    // From here on there is somebody who starts what is queued.
    const auto lock = store::WorkerLock::take(owned_.world().db.path());
    if (!lock) return fail(lock.error());
    tell_problems();
    look_soon();
    tick_.arm(owned_.world().settings.recovery_interval_s * 1000);
    (void)sd_notify(0, "READY=1");
    const int status = sd_event_loop(event_.get());
    (void)sd_notify(0, "STOPPING=1");
    (void)sd_bus_detach_event(owned_.bus());
    if (ended_by_) return fail(*ended_by_);
    if (status != 0) return fail(Errc::unavailable, "the system bus is gone");
    return {};
}

void WorkerLoop::look_soon() { (void)sd_event_source_set_enabled(pass_.get(), SD_EVENT_ONESHOT); }

void WorkerLoop::on_wake() {
    std::array<char, 16> ignored;
    while (::recv(wake_socket_, ignored.data(), ignored.size(), MSG_DONTWAIT) >= 0) continue;
    look_soon();
}

void WorkerLoop::on_tick() {
    tick_.arm(owned_.world().settings.recovery_interval_s * 1000);
    engine::tidy(owned_.world());
    recovery_wanted_ = true;
    if (const auto kept = engine::keep_ballast(owned_.world()); !kept) survive(kept.error());
    look_soon();
}

void WorkerLoop::on_unit_gone() {
    if (waiting_) look_soon();
    if (!settle_.armed()) settle_.arm(settle_ms);
}

void WorkerLoop::on_settle() {
    recovery_wanted_ = true;
    look_soon();
}

// Each part is bounded by what its calls wait for the database; all of them together might outlast the watchdog.
void WorkerLoop::pass() {
    const auto alive = [] { (void)sd_notify(0, "WATCHDOG=1"); };
    if (owned_.refresh()) tell_problems();
    if (std::exchange(recovery_wanted_, false)) recover();
    alive();
    take_in();
    alive();
    dispatch();
    alive();
    deliver();
    if (!status_.armed()) status_.arm(status_ms);
}

void WorkerLoop::recover() {
    const auto done = engine::recover(owned_.world());
    if (!done) return survive(done.error());
    if (done->dying > 0 || done->elsewhere) again_.arm(engine::between_ticks_ms);
    if (const auto text = describe(*done); !text.empty()) host::log(host::Level::notice, "recovery: " + text);
}

void WorkerLoop::take_in() {
    const auto done = intake_.pass(deliveries_at_once);
    if (!done) return survive(done.error());
    if (done->more) look_soon();
}

void WorkerLoop::dispatch() {
    const auto done = dispatcher_.pass(claims_at_once);
    if (!done) return survive(done.error());
    tell_disk();
    waiting_ = done->waiting > 0;
    if (done->more) look_soon();
    const auto now = owned_.world().now();
    const auto due = store::next_due_boot(owned_.world().db, now);
    if (!due) return survive(due.error());
    const auto wait_ms = *due ? std::optional(**due - now.boot_ms) : std::nullopt;
    if (waiting_)
        due_.arm(std::min(waiting_ms, wait_ms.value_or(waiting_ms)));
    else if (wait_ms)
        due_.arm(*wait_ms);
    else
        due_.disarm();
}

void WorkerLoop::deliver() {
    const auto more = deliver_to_journal(owned_.world());
    if (!more) return survive(more.error());
    if (*more) look_soon();
}

// Once each way.
void WorkerLoop::tell_disk() {
    const auto low = engine::low_disk(owned_.world().settings, owned_.world().free_bytes(), owned_.world().inodes());
    if (low.has_value() == disk_low_) return;
    disk_low_ = low.has_value();
    if (low)
        host::log(host::Level::error, "Nothing is started: " + low->text, {{"MESSAGE_ID", std::string(names::msg_alert)}});
    else
        host::log(host::Level::notice, "There is space on the disk again: work is started.");
}

void WorkerLoop::tell_status() {
    const auto status = worker_status(owned_.world().db, disk_low_);
    if (!status) return survive(status.error());
    const auto* condition = owned_.world().condition;
    const bool wrong = condition != nullptr && condition->state != settings::Condition::State::in_force;
    auto line = (wrong ? "the settings are wrong, the last good ones are in force; " : "") + *status;
    if (line == told_status_) return;
    told_status_ = std::move(line);
    (void)sd_notify(0, ("STATUS=" + told_status_).c_str());
}

void WorkerLoop::tell_problems() const {
    for (const auto& problem : owned_.world().projects.problems)
        host::log(host::Level::warning, "project file " + problem.file + " is not in force: " + problem.text);
}

void WorkerLoop::survive(const Error& error) {
    host::log(host::Level::error, error.text);
    if (error.code != Errc::too_new) return;  // the next pass tries again
    ended_by_ = error;
    (void)sd_event_exit(event_.get(), 1);
}

}  // namespace orchd::daemons
