// The processes of orchd: worker, reaper, control, and those that units start.
#include <algorithm>

#include "core/boundary.h"
#include "core/names.h"
#include "engine/advance.h"
#include "engine/intake.h"
#include "engine/operate.h"
#include "sim/house.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::sim {
namespace {

constexpr int claims_at_once = 8, taken_at_once = 16;
constexpr std::int64_t settle_ms = 100;
constexpr const char* person = "uid:1000 alice";

}  // namespace

std::vector<Status> House::start(const std::vector<engine::StartRequest>& requests) {
    std::vector<Status> answers;
    for (const auto& request : requests) {
        scheduler_.point("units start " + request.unit, At::boundary);
        if (chance_.strikes(Stroke::refuse)) {
            answers.emplace_back(fail(Errc::unavailable, request.unit + " is not started now"));
            continue;
        }
        if (!request.network_unit.empty()) {
            if (request.network)
                systemd_.start(request.network_unit);
            else
                (void)systemd_.stop(request.network_unit);
        }
        systemd_.start(request.unit);
        if (auto* p = scheduler_.present()) witness_.effect(*p, "a start of " + request.unit);
        answers.emplace_back();
    }
    scheduler_.point("units started", At::boundary);
    return answers;
}

Status House::stop(const std::string& unit) {
    scheduler_.point("units stop " + unit, At::boundary);
    witness_.stopping(unit);
    const bool gone = systemd_.stop(unit);
    scheduler_.point("units stopped", At::boundary);
    return gone ? Status{} : fail(Errc::unavailable, unit + " is still stopping");
}

Status House::clean(const std::string& unit) {
    scheduler_.point("units clean " + unit, At::boundary);
    return {};
}

UnitSeen House::see(const std::string& unit) {
    scheduler_.point("", At::statement);
    if (const auto* p = scheduler_.present(); p != nullptr && p->killed) throw Killed{};
    witness_.seen(unit);
    if (chance_.strikes(Stroke::unreadable)) return {.readable = false, .invocation_id = {}};
    return systemd_.see(unit);
}

Result<std::vector<std::string>> House::ours() {
    scheduler_.point("units list", At::boundary);
    return systemd_.ours();
}

void House::keep_alive(const std::string& name, int (House::*body)(), std::int64_t restart_ms) {
    auto& p = scheduler_.spawn(name, [this, body] { return (this->*body)(); });
    daemons_[name] = {&p, true, 0};
    p.on_end = [this, name, body, restart_ms](Process&) {
        daemons_[name].process = nullptr;
        const bool away = name.starts_with("orchd-worker") && scheduler_.clock() < away_until_;
        scheduler_.in(away ? away_until_ - scheduler_.clock() : restart_ms, [this, name, body, restart_ms] {
            if (daemons_[name].process == nullptr) keep_alive(name, body, restart_ms);
        });
    };
}

void House::boot() {
    const auto restart_ms = 100 + static_cast<std::int64_t>(chance_.property("restart", 2000));
    keep_alive("orchd-worker", &House::worker, restart_ms);
    if (chance_.has("a second worker", 0.3)) keep_alive("orchd-worker-2", &House::worker, restart_ms);
    keep_alive("orchd-reaper", &House::reaper, reaper_interval_ms());
    keep_alive("orchd-control", &House::control, restart_ms);
}

void House::poke_all() {
    for (auto& [name, daemon] : daemons_) {
        if (!name.starts_with("orchd-worker") || daemon.process == nullptr || chance_.strikes(Stroke::lost_wake)) continue;
        daemon.poked = true;
        scheduler_.wake(*daemon.process);
    }
}

void House::unit_gone() {
    for (auto& [name, daemon] : daemons_) {
        if (!name.starts_with("orchd-worker") || daemon.process == nullptr || daemon.gone_at != 0) continue;
        daemon.gone_at = scheduler_.clock() + settle_ms;
        daemon.poked = true;
        scheduler_.wake(*daemon.process);
    }
}

std::int64_t House::reaper_interval_ms() const {
    return settings_.recovery_interval_s * 1000 * (1 + static_cast<std::int64_t>(chance_.property("reaper's interval", 4)));
}

// Soon again where it could not bring everything to its end. In some worlds the worker does not recover at all: the reaper's
// timer alone must do.
void House::recover(engine::World& here, std::int64_t& again) {
    again = INT64_MAX;
    if (chance_.has("the reaper alone recovers", 0.2)) return;
    const auto done = engine::recover(here);
    const bool soon = done && (done->dying > 0 || done->elsewhere);
    again = soon ? scheduler_.clock() + engine::between_ticks_ms : INT64_MAX;
}

// What daemons/worker_loop does, without sd-event.
int House::worker() {
    auto& self = daemons_[scheduler_.present()->name];
    Databases::Lease lease(databases_);
    auto here = world(lease.db(), "worker");
    boundary("worker.rebase.before");
    (void)lease.db().write([&](store::Tx& tx) {
        return store::rebase_due_times(tx, here.settings.backoff_cap_s * 1000, here.settings.defer_limit_s * 1000, here.now());
    });
    boundary("worker.rebase.after");
    engine::Dispatcher dispatcher(here);
    tracker::AsTold tracker;
    forge::AsTold forge;
    engine::Intake intake(here, tracker, forge);
    std::int64_t tick = scheduler_.clock(), again = INT64_MAX;
    for (;;) {
        self.poked = false;
        if (scheduler_.clock() >= tick) {
            tick = scheduler_.clock() + settings_.recovery_interval_s * 1000;
            engine::tidy(here);
            recover(here, again);
        } else if ((self.gone_at != 0 && scheduler_.clock() >= self.gone_at) || scheduler_.clock() >= again) {
            recover(here, again);
        }
        if (self.gone_at != 0 && scheduler_.clock() >= self.gone_at) self.gone_at = 0;
        const auto taken = intake.pass(taken_at_once);
        const auto done = dispatcher.pass(claims_at_once);
        deliver(here);
        auto next = std::min(tick, again);
        if (self.gone_at != 0) next = std::min(next, self.gone_at);
        if (done && done->waiting > 0) next = std::min(next, scheduler_.clock() + settle_ms);
        if (const auto due = store::next_due_boot(lease.db(), here.now()); due && *due)
            next = std::min(next, scheduler_.clock() + std::max<std::int64_t>(0, **due - here.now().boot_ms));
        const bool more = (done && done->more) || (taken && taken->more);
        if (!self.poked && !more) scheduler_.sleep_until(std::max(next, scheduler_.clock() + 1));
    }
}

// What daemons/journal_outbox does: at least once, marked after.
void House::deliver(engine::World& here) {
    const auto rows = store::due_posts(here.db, "journal", 32, here.now());
    if (!rows || rows->empty()) return;
    for (const auto& row : *rows) log_ += row.body + '\n';
    boundary("outbox.mark.before");
    const auto marked = here.db.write([&](store::Tx& tx) -> Status {
        for (const auto& row : *rows)
            if (auto done = store::mark_posted(tx, row.id, here.now()); !done) return done;
        return {};
    });
    if (marked) boundary("outbox.mark.after");
}

// One pass, as its timer starts it. By its record a person knows that there is one.
int House::reaper() {
    Databases::Lease lease(databases_);
    auto here = world(lease.db(), "reaper");
    const auto began = here.now();
    const auto done = engine::reap(here);
    if (!done) return 1;
    const bool clock_turned = here.now().utc_ms - began.utc_ms != here.now().boot_ms - began.boot_ms;
    if (!done->elsewhere && !clock_turned) witness_.pass_made(began.utc_ms);
    here.wake();
    return 0;
}

int House::control() {
    Databases::Lease lease(databases_);
    auto here = world(lease.db(), "control");
    for (;;) {
        if (chance_.is_calm() || !chance_.has("the tracker approves", 0.4)) do_approvals(here);
        if (chance_.is_calm()) give_help(here);
        if (chance_.strikes(Stroke::operate)) operate(here);
        scheduler_.sleep(chance_.is_calm() && !help_ ? 3000 : 700);
    }
}

void House::do_approvals(engine::World& here) {
    const auto tasks = store::list_tasks(here.db, {.only_open = true});
    if (!tasks) return;
    for (const auto& task : *tasks)
        if (task.waiting_for == to_text(Gate::analysis_approved) && task.hold == Hold::none)
            (void)engine::approve(here, task.work_item, person);
}

// In peace nobody wants anything to stand still; who is asked for help tries anew.
void House::give_help(engine::World& here) {
    (void)engine::resume(here, "", person);
    for (const auto& project : projects_.good) (void)engine::resume(here, "project:" + project.name, person);
    for (const auto& item : items_) (void)engine::resume(here, "task:" + item, person);
    if (!help_) return;
    outages_.clear();
    const auto unmet = store::list_dependencies(here.db, {.only_unmet = true});
    const auto tasks = store::list_tasks(here.db, {.only_open = true});
    if (!unmet || !tasks) return;
    for (const auto& dependency : *unmet) {  // what it waits for will never be done
        if (dependency.needs_stage != Stage::cancelled) continue;
        witness_.needs_no_more(dependency.work_item, dependency.needs);
        (void)engine::remove_dependency(here, dependency.work_item, dependency.needs, person);
    }
    for (const auto& task : *tasks)
        if (task.hold != Hold::none) rebase_by_hand(task.project, task.branch);
    for (const auto& task : *tasks)
        if (task.hold == Hold::infra && chance_.has("what the host failed is let go of", 0.6))
            (void)engine::release_hold(here, task.work_item, person);
        else if (task.hold != Hold::none)
            (void)engine::retry(here, task.work_item, person);
    help_ = false;
}

void House::depend(engine::World& here, const std::string& item, bool more) {
    const auto& other = items_[chance_.detail(items_.size())];
    if (!more) {
        witness_.needs_no_more(item, other);
        return (void)engine::remove_dependency(here, item, other, person);
    }
    if (engine::add_dependency(here, item, other, person)) witness_.needs(item, other);
}

void House::operate(engine::World& here) {
    const auto& item = items_[chance_.detail(items_.size())];
    const auto project = "project:" + projects_.good[chance_.detail(projects_.good.size())].name;
    const auto what = chance_.detail(32);
    scheduler_.note("!! a person does " + std::to_string(what) + " to " + item);
    const auto job = [&] {
        const auto jobs = store::list_jobs(here.db, {.work_item = item, .limit = 3});
        return jobs && !jobs->empty() ? jobs->at(chance_.detail(jobs->size())).job.id : 0;
    };
    switch (what) {
        case 0:
            return (void)engine::reject(here, item, "no", person);
        case 1:
        case 2:
            return (void)engine::pause(here, "task:" + item, "why not", person);
        case 3:
        case 4:
        case 5:
            return (void)engine::resume(here, "task:" + item, person);
        case 6:
            return (void)engine::pause(here, project, "why not", person);
        case 7:
        case 8:
            return (void)engine::resume(here, project, person);
        case 9:
            return (void)engine::pause(here, "", "why not", person);
        case 10:
        case 11:
            return (void)engine::resume(here, "", person);
        case 12:
            return (void)engine::cancel(here, item, "no", person);
        case 13:
            return (void)engine::cancel_job(here, job(), person);
        case 14:
        case 15:
            return (void)engine::retry_job(here, job(), person);
        case 16:
        case 17:
        case 18:
            return (void)engine::release_hold(here, item, person);
        case 19:
        case 20:
            return (void)engine::retry(here, item, person);
        case 21:
        case 22:
        case 23:
            return depend(here, item, true);
        case 24:
            return depend(here, item, false);
        case 28:
        case 29:
        case 30:
            return (void)engine::send_back(here, item, static_cast<Stage>(chance_.detail(enum_text<Stage>.size())),
                                           "look again", person);
        case 31:
            return (void)engine::edit_task(here, item, {.body = "said anew", .priority = static_cast<int>(chance_.detail(10))},
                                           person);
        default:
            break;
    }
    // As the reconciler will: whatever is asked once too often does no harm.
    boundary("prompt.before");
    (void)here.db.write([&](store::Tx& tx) -> Status {
        auto task = store::find_task(tx.db(), item);
        if (!task || !*task || terminal((*task)->stage)) return fail(Errc::conflict, "over");
        return engine::ask_advance(here, tx, **task);
    });
    boundary("prompt.after");
    here.wake();
}

Process& House::spawn(const std::string& unit, const std::string& item, const engine::Monitor& monitor) {
    const auto stem = unit.substr(0, unit.find('@'));
    const auto name = stem + '@' + item;
    if (stem == names::agent) return scheduler_.spawn(name, [this, item] { return agent(item); });
    if (stem == names::deploy) return scheduler_.spawn(name, [this, item] { return deploy_hook(item); });
    auto& process = scheduler_.spawn(name, [this, stem, item, monitor] {
        auto& self = *scheduler_.present();
        Databases::Lease lease(databases_);
        Status done;
        if (stem == names::prepare) {
            auto here = world(lease.db(), "prepare", item);
            done = engine::prepare(here, item);
        } else if (stem == names::step) {
            auto here = world(lease.db(), "step", item);
            done = engine::advance(here, item, {self.unit, self.invocation, here.now().boot_id, self.pid});
        } else {
            auto here = world(lease.db(), "finish", item);
            done = engine::finish(here, item, monitor);
        }
        committed();
        witness_.process_ended(self);
        if (!done) scheduler_.note(self.name + ": " + done.error().text);
        return done ? 0 : 1;
    });
    // Whose work it will find when it begins.
    const auto task = store::find_task(databases_.watching(), item);
    if (!task || !*task) return process;
    const auto job = stem == names::step ? store::running_advance(databases_.watching(), (*task)->id)
                                         : store::live_run_job(databases_.watching(), (*task)->id);
    if (job && *job && (*job)->status == JobStatus::running) process.run = *(*job)->run_id;
    return process;
}

}  // namespace orchd::sim
