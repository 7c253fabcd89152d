#include "engine/why.h"

#include <algorithm>
#include <filesystem>

#include "core/text.h"
#include "core/utc_text.h"
#include "engine/disabled.h"
#include "engine/disk.h"
#include "engine/early.h"
#include "engine/gates.h"
#include "engine/leases.h"
#include "engine/notes.h"
#include "engine/stall.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

std::string with_reason(const std::string& text, const std::string& reason) {
    return reason.empty() ? text + "." : text + ": " + reason;
}

Why held(const store::Task& task) {
    const std::string command = command_against(task.hold, task.work_item);
    switch (task.hold) {
        case Hold::escalated:
            return {.text = with_reason("Held: escalated", task.hold_reason), .command = command, .needs_you = true};
        case Hold::infra:
            return {
                .text = with_reason("Held: orchd could not go on", task.hold_reason), .command = command, .needs_you = true};
        case Hold::blocked:
            return {.text = with_reason("Held as blocked", task.hold_reason), .command = command, .needs_you = true};
        case Hold::needs_input:
            return {.text = with_reason("Held: it needs input", task.hold_reason), .command = command, .needs_you = true};
        case Hold::human:
        case Hold::none:
            break;
    }
    return {.text = with_reason("Held for a person", task.hold_reason), .command = command, .needs_you = true};
}

// Running work says more than queued work, and a run more than a step.
const store::Job* foremost(const std::vector<store::Job>& live) {
    const auto weight = [](const store::Job& job) {
        return (job.status == JobStatus::queued ? 0 : 2) + (job.kind == JobKind::advance ? 0 : 1);
    };
    const auto found = std::max_element(live.begin(), live.end(),
                                        [&](const store::Job& a, const store::Job& b) { return weight(a) < weight(b); });
    return found == live.end() ? nullptr : &*found;
}

bool claimed_next(const store::Job& job, const HostView& host) {
    return job.status == JobStatus::queued && host.plan.obstacle(job) == store::Obstacle::none;
}

std::optional<Why> paused(const store::Task& task, const Surroundings& around, const HostView& host) {
    const auto because = [](const std::string& what, const std::string& by, const std::string& reason) {
        return with_reason(by.empty() ? what : what + " by " + by, reason);
    };
    if (task.paused_at)
        return Why{.text = because("Paused", task.paused_by, task.pause_reason),
                   .command = "orchctl resume task:" + task.work_item,
                   .since = task.paused_at};
    if (around.project && around.project->paused_by == disabled_by)
        return Why{.text = with_reason("Its project is disabled", around.project->pause_reason),
                   .command = "orchctl project enable " + task.project,
                   .since = around.project->paused_at};
    if (around.project && around.project->paused_at)
        return Why{.text = because("Its project is paused", around.project->paused_by, around.project->pause_reason),
                   .command = "orchctl resume project:" + task.project,
                   .since = around.project->paused_at};
    if (host.paused)
        return Why{.text = because("Everything is paused", host.paused->by, host.paused->reason),
                   .command = "orchctl resume",
                   .since = host.paused->at};
    return std::nullopt;
}

const store::Stall* stall_of(const Surroundings& around, const store::Job& job) {
    const auto found = around.stalls.find(job.id);
    return found == around.stalls.end() ? nullptr : &found->second;
}

// Its run is over, and what came of it is not on record yet.
Why end_stalls(const store::Job& job, const store::Stall& stall) {
    const auto what = "The run of " + job_named(job) + " is over, but " + stall_text(stall);
    if (stall.state != store::StallState::failed) return {.text = what + ", and just being tried again.", .since = stall.at};
    return {.text = what + ", next try at " + utc_text(stall.due.utc_ms) + ".", .since = stall.at, .until = stall.due.utc_ms};
}

Why under_way(const store::Job& job, const Surroundings& around, const HostView& host) {
    const auto* stall = stall_of(around, job);
    const auto ended = around.ended.find(job.id);
    const auto since = job.started_at.value_or(job.created_at);
    const auto age = span_text(host.now.utc_ms - since);
    if (job.status == JobStatus::running && stall != nullptr && stall->part == store::StallPart::end)
        return end_stalls(job, *stall);
    if (job.status == JobStatus::running && ended != around.ended.end())
        return {.text = "The run of " + job_named(job) + " ended " + span_text(host.now.utc_ms - ended->second) +
                        " ago, and what came of it is being put on record.",
                .since = ended->second};
    if (job.status == JobStatus::running)
        return {.text = "Under way: " + job_named(job) + " runs for " + age + ".", .since = since};
    return {.text = with_reason("Under way: " + job_named(job) + " is being stopped", job.error), .since = since};
}

std::string slots_text(const store::Limits& limits, const store::Job& job, store::Obstacle obstacle) {
    const auto project = std::find_if(limits.projects.begin(), limits.projects.end(),
                                      [&](const auto& p) { return p.project_id == job.project_id; });
    int limit = job.role == Role::step ? limits.max_steps : limits.max_concurrency;
    if (obstacle == store::Obstacle::project_slots && project != limits.projects.end()) limit = project->max_concurrency;
    if (obstacle == store::Obstacle::role_slots && project != limits.projects.end())
        for (const auto& role : project->roles)
            if (role.role == job.role) limit = role.max;
    return std::to_string(limit) + " at a time";
}

std::string wrong_with_file(const std::string& project, const HostView& host) {
    const auto found = host.bad_files.find(project);
    return found == host.bad_files.end() ? "." : ": " + found->second;
}

// What is to be known of a queued job beside why it is not started: what came of it, or of its gate, before.
std::string after_text(const store::Task& task, const store::Job& job, const store::Stall* stall) {
    if (stall != nullptr && stall->part == store::StallPart::beginning)
        return " Its beginning failed: it " + stall_text(*stall) + ".";
    if (stall != nullptr && stall->state == store::StallState::given_up)
        return " Its run is over and stays on record; then only its end is gone on with: " + stall->words;
    if (!job.error.empty()) return " It was tried before: " + job.error;
    if (!task.again_reason.empty()) return " It is worked again: " + task.again_reason;
    return {};
}

Why queued(const store::Task& task, const store::Job& job, const store::Stall* stall, const HostView& host) {
    const auto name = job_named(job);
    const auto after = after_text(task, job, stall);
    const auto obstacle = host.plan.obstacle(job);
    switch (obstacle) {
        case store::Obstacle::disk:
            return {.text = "Queued: " + name + " is not started, since " + host.low_disk, .command = "orchctl doctor"};
        case store::Obstacle::no_file:
            return {.text = "Queued: " + name + " is not started, since project " + task.project + " has no valid file" +
                            wrong_with_file(task.project, host),
                    .command = "orchctl project check " + task.project};
        case store::Obstacle::not_due:
            if (job.retry_at)
                return {.text = "Asked to come later: " + name + " is started again at " + utc_text(job.available_at) + ": " +
                                job.error + ".",
                        .since = job.deferred_since,
                        .until = job.available_at};
            return {.text = "Backing off: " + name + " starts at " + utc_text(job.available_at) + "." + after,
                    .until = job.available_at};
        case store::Obstacle::host_slots:
            return {.text = "Queued: " + name + " waits for a slot of this host, which has " +
                            slots_text(host.limits, job, obstacle) + "." + after};
        case store::Obstacle::project_slots:
            return {.text = "Queued: " + name + " waits for a slot of project " + task.project + ", which has " +
                            slots_text(host.limits, job, obstacle) + "." + after};
        case store::Obstacle::role_slots:
            return {.text = "Queued: " + name + " waits for a slot of the " + std::string(to_text(job.role)) + "s of project " +
                            task.project + ", which has " + slots_text(host.limits, job, obstacle) + "." + after};
        case store::Obstacle::blocked:
            return {.text = "Queued: " + name + " waits for a transition of its task that is under way." + after};
        default:
            if (host.worker_lives == false) return {.text = "Queued: " + name + " is first in turn." + after};
            return {.text = "Queued: " + name + " is started next." + after};
    }
}

Why transition_under_way(const store::TransitionLease& lease, std::optional<Liveness> owner, const HostView& host) {
    const auto held = "its lease is held by unit " + lease.owner->unit + ", process " + std::to_string(lease.owner->pid) + ", ";
    const auto age = "for " + span_text(host.now.utc_ms - lease.acquired_at) + ".";
    if (owner == Liveness::dead || owner == Liveness::empty)
        return {
            .text = "A transition broke off: " + held + "which is dead; the next pass, or whoever needs the lease, takes it.",
            .since = lease.acquired_at};
    return {.text = "A transition is under way: " + held + (owner == Liveness::alive ? "alive " : "") + age,
            .since = lease.acquired_at};
}

// "; HELLO-2 has had local:/srv/git/hello.git for 4 min, by job 17 (retest) in unit orchd-agent@HELLO-2.service, which is
// alive"
std::string ahead_text(const LeaseAhead& ahead, const HostView& host) {
    auto text =
        "; " + ahead.work_item + " has had " + ahead.lease.key + " for " + span_text(host.now.utc_ms - ahead.lease.acquired_at);
    if (!ahead.work) return text + ", and no job of it is live: the next pass frees it";
    text += ", by " + job_named(ahead.work->job);
    if (ahead.work->job.status == JobStatus::queued) return text + ", which is queued: `orchctl why " + ahead.work_item + "`";
    text += " in unit " + ahead.work->run.unit;
    if (ahead.owner == Liveness::alive) return text + ", which is alive";
    if (ahead.owner == Liveness::dead || ahead.owner == Liveness::empty)
        return text + ", of which nothing is seen alive: the passes look after it";
    return text;
}

// What a task waits for, in people's words.
std::string named_wait(const std::string& waiting_for) {
    if (waiting_for == wait_merge_lease) return "its turn to merge";
    if (waiting_for == wait_staging_target) return "its turn in staging";
    if (waiting_for == wait_deploy_target) return "its turn to deploy";
    const auto gate = from_text<Gate>(waiting_for);
    if (!gate) return waiting_for;
    switch (*gate) {
        case Gate::artifacts_present:
            return "its analysis";
        case Gate::analysis_approved:
            return "an approval of its analysis";
        case Gate::architecture_done:
            return "its architecture";
        case Gate::ci_green:
            return "CI";
        case Gate::review_approved:
            return "its review";
        case Gate::tests_passed:
            return "its tests";
        case Gate::staging_image_fresh:
        case Gate::staging_status:
            return "its staging";
        case Gate::branch_mergeable:
            return "its merge";
        case Gate::deploy_status:
            return "its deploy";
    }
    return waiting_for;
}

Why waiting(const store::Task& task, const Surroundings& around, const HostView& host) {
    const auto since = task.waiting_since ? ", since " + utc_text(*task.waiting_since) : std::string();
    const auto ahead = around.ahead ? ahead_text(*around.ahead, host) + "." : std::string();
    return {.text = with_reason("Waits for " + named_wait(task.waiting_for) + since, task.waiting_reason + ahead),
            .since = task.waiting_since};
}

// Held or not, this goes first: its hold is not let go of before.
Why waits_in_vain(const store::Task& task, const std::string& need) {
    return {.text = "Waits for " + need + ", which was cancelled and so will never be done.",
            .command = command_against_waiting(task.work_item, need),
            .needs_you = true};
}

// A person's word for the commit that was to be judged: an advance was asked for with it.
Result<bool> find_answer(store::Db& db, const store::Task& task) {
    if (!waits_for_approval(task)) return false;
    auto said = store::find_verdict(db, task.id, task.stage_seq, Gate::analysis_approved);
    if (!said) return fail(said.error());
    return *said && (*said)->colour != Colour::undecided && (*said)->commit == task.head;
}

Why of_open_task(const store::Task& task, const Surroundings& around, const HostView& host) {
    const store::Job* job = foremost(around.live);
    const bool next = std::any_of(around.live.begin(), around.live.end(), [&](const auto& j) { return claimed_next(j, host); });
    if (!around.cancelled_need.empty()) return waits_in_vain(task, around.cancelled_need);
    if (task.hold != Hold::none) return held(task);
    if (!next && waits_for_approval(task) && !around.answered) {
        const auto since = task.waiting_since ? " since " + utc_text(*task.waiting_since) : std::string();
        const auto& reason = task.waiting_reason;  // where an earlier word does not count any more
        const auto again = reason.find(waits_for_another);
        const auto changed = again == reason.npos ? std::string() : ": " + reason.substr(0, again);
        return {.text = "Its analysis waits for an approval" + since + changed + "." +
                        (around.early.empty() ? "" : " " + around.early),
                .command = "orchctl task approve " + task.work_item,
                .needs_you = true,
                .since = task.waiting_since};
    }
    if (job != nullptr && job->status != JobStatus::queued && job->kind != JobKind::advance)
        return under_way(*job, around, host);
    if (around.lease) return transition_under_way(*around.lease, around.owner, host);
    if (job != nullptr && job->status != JobStatus::queued) return under_way(*job, around, host);
    if (auto pause = paused(task, around, host)) return *pause;
    if (!around.needs.empty())
        return {.text = "Waits until " + joined(around.needs, ", ") + (around.needs.size() > 1 ? " are" : " is") + " done."};
    // The step that waits for a lease is queued all the time: asked for once the lease is free, and from time to time.
    if (job != nullptr && !next && job->kind == JobKind::advance && job->error.empty() && waits_for_lease(task)) {
        auto answer = waiting(task, around, host);
        answer.until = job->available_at;
        return answer;
    }
    if (job != nullptr && !host.no_settings.empty()) return {.text = host.no_settings, .command = "orchctl config check"};
    if (job != nullptr) return queued(task, *job, stall_of(around, *job), host);
    if (!task.waiting_for.empty()) return waiting(task, around, host);
    return {.text = "Nothing is queued for it.", .command = "orchctl task retry " + task.work_item};
}

}  // namespace

bool waits_for_approval(const store::Task& task) {
    return task.stage == Stage::analysis && task.waiting_for == to_text(Gate::analysis_approved);
}

std::string command_against_waiting(const std::string& work_item, const std::string& need) {
    return "orchctl dep remove " + work_item + ' ' + need;
}

std::string command_against(Hold hold, const std::string& work_item) {
    const bool anew = hold == Hold::escalated || hold == Hold::human;
    return anew ? "orchctl task retry " + work_item : "orchctl task release " + work_item;
}

std::string no_worker(std::optional<bool> worker_lives) {
    if (worker_lives.value_or(true)) return {};
    return "No worker runs, so nothing is started: see `systemctl status orchd-worker.service`.";
}

Result<HostView> look_at_host(const WorldView& view) {
    HostView host;
    host.now = view.now;
    auto limits = limits_of(view);
    if (!limits) return fail(limits.error());
    host.limits = std::move(*limits);
    auto plan = store::ClaimPlan::make(view.db, host.limits, host.now);
    if (!plan) return fail(plan.error());
    host.plan = std::move(*plan);
    auto paused = store::find_state(view.db, "paused");
    if (!paused) return fail(paused.error());
    host.paused = std::move(*paused);
    if (const auto low = low_disk(view.settings, view.free_bytes, view.inodes)) host.low_disk = low->text;
    if (view.condition != nullptr && view.condition->state == settings::Condition::State::none)
        host.no_settings = settings::said_of(*view.condition);
    for (const auto& problem : view.projects.problems)
        host.bad_files.emplace(std::filesystem::path(problem.file).stem().string(),
                               problem.text.substr(0, problem.text.find('\n')));
    host.worker_lives = view.worker_lives;
    return host;
}

Result<Surroundings> look_around(const WorldView& view, const store::Task& task) {
    auto& db = view.db;
    Surroundings around;
    auto project = store::find_project(db, task.project);
    if (!project) return fail(project.error());
    around.project = std::move(*project);
    auto unmet = store::unmet_dependencies(db, task.id);
    if (!unmet) return fail(unmet.error());
    for (const auto id : *unmet) {
        auto needed = store::find_task(db, id);
        if (!needed) return fail(needed.error());
        if (!*needed) continue;
        around.needs.push_back((*needed)->work_item);
        if ((*needed)->stage == Stage::cancelled) around.cancelled_need = (*needed)->work_item;
    }
    if (waits_for_approval(task)) {
        auto early = early_word_text(db, task.work_item);
        if (!early) return fail(early.error());
        around.early = std::move(*early);
    }
    auto answered = find_answer(db, task);
    if (!answered) return fail(answered.error());
    around.answered = *answered;
    auto ahead = find_ahead(view, task);
    if (!ahead) return fail(ahead.error());
    around.ahead = std::move(*ahead);
    store::JobFilter live;
    live.work_item = task.work_item;
    live.only_live = true;
    auto jobs = store::list_jobs(db, live);
    if (!jobs) return fail(jobs.error());
    for (auto& claim : *jobs) {
        auto stall = claim.run.id == 0 ? Result<std::optional<store::Stall>>() : store::last_stall(db, claim.run.id);
        if (!stall) return fail(stall.error());
        if (*stall) around.stalls.emplace(claim.job.id, std::move(**stall));
        if (claim.run.exited_at) around.ended.emplace(claim.job.id, *claim.run.exited_at);
        around.live.push_back(std::move(claim.job));
    }
    auto lease = store::find_transition(db, task.id);
    if (!lease) return fail(lease.error());
    if (*lease && (*lease)->owner) around.lease = std::move(*lease);
    if (around.lease && view.see) {
        const auto& owner = *around.lease->owner;
        around.owner = judge({owner.unit, owner.boot_id, owner.invocation_id}, view.see(owner.unit), view.now.boot_id);
    }
    return around;
}

Why why(const store::Task& task, const Surroundings& around, const HostView& host) {
    if (task.stage == Stage::cancelled) return {.text = "Cancelled.", .command = {}};
    if (task.stage == Stage::done)
        return {.text = task.merged.empty() ? "Done." : "Done: merged as " + task.merged + ".", .command = {}};
    auto answer = of_open_task(task, around, host);
    if (const auto nobody = no_worker(host.worker_lives); !nobody.empty()) {
        answer.text += (answer.text.ends_with('.') ? " " : ". ") + nobody;
        if (answer.command.empty()) answer.command = command_against_no_worker;
    }
    answer.claimable =
        std::any_of(around.live.begin(), around.live.end(), [&](const auto& job) { return claimed_next(job, host); });
    return answer;
}

}  // namespace orchd::engine
