#include "engine/operate.h"

#include <algorithm>

#include "core/text.h"
#include "core/work_item.h"
#include "engine/advance.h"
#include "engine/events.h"
#include "engine/leases.h"
#include "engine/mended.h"
#include "engine/operate_within.h"
#include "engine/operation.h"
#include "engine/why.h"
#include "store/early_words.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

constexpr std::size_t max_title = 500;
constexpr std::size_t max_body = 256 * 1024;

// The fence under which a stage may be written from outside a transition: nobody may be in one (R13).
Result<std::int64_t> free_fence(store::Db& db, const store::Task& task) {
    auto lease = store::find_transition(db, task.id);
    if (!lease) return fail(lease.error());
    if (!*lease) return 0;
    if ((*lease)->owner)
        return fail(Errc::conflict,
                    task.work_item + " is in a transition just now (" + (*lease)->owner->unit + "): try again in a moment");
    return (*lease)->fence;
}

// A stage write by a person. The task as it is then.
Result<store::Task> write_stage(const Acting& who, const store::Task& task, Stage to, const Retries& retries,
                                const std::string& reason) {
    auto fence = free_fence(who.tx.db(), task);
    if (!fence) return fail(fence.error());
    auto written = store::write_stage(who.tx, task.id, task.stage, task.stage_seq, to, retries, reason, *fence, who.now);
    if (!written) return fail(written.error());
    if (!*written) return fail(Errc::conflict, task.work_item + " moved on meanwhile: look again");
    if (auto noted = stage_changed(who, task, to, reason); !noted) return fail(noted.error());
    return known_task(who.tx.db(), task.work_item);
}

Result<std::vector<store::Job>> live_jobs_of(store::Db& db, const store::Task& task) {
    store::JobFilter filter;
    filter.work_item = task.work_item;
    filter.only_live = true;
    auto found = store::list_jobs(db, filter);
    if (!found) return fail(found.error());
    std::vector<store::Job> jobs;
    for (auto& claim : *found) jobs.push_back(std::move(claim.job));
    return jobs;
}

Status check_title(const std::string& title, const std::string& work_item) {
    if (blank(title))
        return fail(Errc::invalid_argument, "a task needs a title: say in one line what " + work_item + " is about");
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (title.size() > max_title || std::any_of(title.begin(), title.end(), control))
        return fail(Errc::invalid_argument, "a title is one line of at most 500 bytes without control characters");
    return {};
}

Status check_body(const std::string& body) {
    if (body.size() > max_body || body.find('\0') != std::string::npos)
        return fail(Errc::invalid_argument, "a body is a text of at most 256 KiB");
    return {};
}

Status check_priority(int priority) {
    if (priority < 0 || priority > 9) return fail(Errc::invalid_argument, "a priority is 0 to 9, higher first");
    return {};
}

Status check_request(const settings::Project& project, const TaskRequest& request) {
    auto item = WorkItem::parse(request.work_item);
    if (!item) return fail(item.error());
    if (item->prefix() != project.prefix)
        return fail(Errc::invalid_argument, "work items of project " + project.name + " start with " + project.prefix + "-, " +
                                                request.work_item + " does not");
    if (auto fit = check_title(request.title, request.work_item); !fit) return fit;
    if (auto fit = check_body(request.body); !fit) return fit;
    return check_priority(request.priority);
}

bool human_gate_open(const store::Task& task) { return waits_for_approval(task) && task.hold == Hold::none; }

}  // namespace

Result<store::Task> create_task_within(World& world, const Acting& who, const TaskRequest& request) {
    auto project = valid_project(world, request.project);
    if (!project) return fail(project.error());
    if (auto fit = check_request(**project, request); !fit) return fail(fit.error());
    auto row = store::ensure_project(who.tx, request.project);
    if (!row) return fail(row.error());
    auto task = store::create_task(who.tx, row->id, request.work_item, WorkItem::parse(request.work_item)->branch(),
                                   request.title, request.body, who.now, request.priority);
    if (!task) return task;
    if (auto noted = add_event(who, "task_created", task->id, std::nullopt, {{"title", request.title}}); !noted)
        return fail(noted.error());
    if (auto started = start_stage(world, who.tx, *task, **project); !started) return fail(started.error());
    return task;
}

Result<store::Task> create_task(World& world, const TaskRequest& request, const std::string& by) {
    return operate(world, by, [&](const Acting& who) { return create_task_within(world, who, request); });
}

// Once, for the commit that the branch has; the step that asks the gate works out the patch, since nobody here waits for git.
Status judge_within(World& world, const Acting& who, const std::string& work_item, Colour colour, const std::string& reason) {
    auto task = open_task(who.tx.db(), work_item);
    if (!task) return fail(task.error());
    if (!human_gate_open(*task))
        return fail(Errc::conflict, task->work_item + " waits for no approval: it stands at " +
                                        std::string(to_text(task->stage)) +
                                        (task->hold == Hold::none ? "" : ", held: " + task->hold_reason));
    const store::VerdictRow verdict{.task_id = task->id,
                                    .stage_seq = task->stage_seq,
                                    .gate = Gate::analysis_approved,
                                    .colour = colour,
                                    .reason = reason,
                                    .commit = task->head,
                                    .patch_id = {},
                                    .by = who.actor,
                                    .at = who.now.utc_ms};
    auto before = store::find_verdict(who.tx.db(), task->id, task->stage_seq, verdict.gate);
    if (!before) return fail(before.error());
    const bool said_already = *before && (*before)->colour == verdict.colour && (*before)->commit == verdict.commit;
    if (!said_already)
        if (auto recorded = record_verdict(who, verdict); !recorded) return recorded;
    if (auto forgotten = store::forget_early_word(who.tx, task->work_item); !forgotten) return forgotten;
    return ask_advance(world, who.tx, *task);
}

Status approve(World& world, const std::string& work_item, const std::string& by) {
    return operate(world, by,
                   [&](const Acting& who) { return judge_within(world, who, work_item, Colour::green, "approved"); });
}

Status reject(World& world, const std::string& work_item, const std::string& reason, const std::string& by) {
    return operate(world, by, [&](const Acting& who) { return judge_within(world, who, work_item, Colour::red, reason); });
}

namespace {

// Ends what is queued for the task, so that it is worked anew; whether a step of it is at work, which sees for itself.
Result<bool> clear_queue(const Acting& who, const store::Task& task) {
    auto jobs = live_jobs_of(who.tx.db(), task);
    if (!jobs) return fail(jobs.error());
    bool stepping = false;
    for (const auto& job : *jobs) {
        if (job.kind == JobKind::advance) {
            stepping = stepping || job.status != JobStatus::queued;
            continue;
        }
        if (job.status != JobStatus::queued)
            return fail(Errc::conflict, "a run of " + task.work_item + " (" + std::string(to_text(job.role)) +
                                            ") is at work: wait for it, or `orchctl job cancel " + std::to_string(job.id) +
                                            "` first");
        if (auto cancelled = cancel_queued(who, job, "queued anew by " + who.actor); !cancelled) return fail(cancelled.error());
    }
    return stepping;
}

// The task at `to`, with fresh counters and without its hold, and its first work queued.
Status work_anew(World& world, const Acting& who, const store::Task& task, Stage to, const std::string& why,
                 const std::string& released) {
    auto project = valid_project(world, task.project);
    if (!project) return fail(project.error());
    if (task.hold != Hold::none)
        if (auto let_go = change_hold(who, task, Hold::none, released); !let_go) return let_go;
    auto anew = write_stage(who, task, to, Retries{}, why);
    if (!anew) return fail(anew.error());
    return start_stage(world, who.tx, *anew, **project);
}

// A person's word against the code that is there is a review of it, and is not answered by leaving it as it is (nothing_new).
// It has no patch: what the person asked for may be the target merged in.
Status refuse_code(const Acting& who, const store::Task& task, const std::string& why) {
    if (task.head.empty()) return {};
    return record_verdict(who, {.task_id = task.id,
                                .stage_seq = task.stage_seq,
                                .gate = Gate::review_approved,
                                .colour = Colour::red,
                                .reason = why,
                                .commit = task.head,
                                .patch_id = {},
                                .by = who.actor,
                                .at = who.now.utc_ms});
}

// What is merged stays merged; what may be, is settled first.
Status refuse_before_merge(store::Db& db, const store::Task& task) {
    const auto merged = [&](const std::string& commit) {
        return fail(Errc::conflict, task.work_item + " is merged" + (commit.empty() ? "" : ", as " + commit) +
                                        ": it does not go back before that; what is to be different is another task");
    };
    if (!task.merged.empty() || task.stage == Stage::deploy) return merged(task.merged);
    auto merge = store::newest_merge(db, task.id);
    if (!merge) return fail(merge.error());
    if (!*merge || (*merge)->state == EffectState::abandoned) return {};
    if ((*merge)->state == EffectState::done) return merged((*merge)->result);
    return fail(Errc::conflict,
                "a merge of " + task.work_item + " was begun, and whether it happened is looked at first: " +
                    (task.hold == Hold::none ? "try again in a moment"
                                             : '`' + command_against(task.hold, task.work_item) + "` has it looked at"));
}

}  // namespace

Status retry_within(World& world, const Acting& who, const std::string& work_item) {
    auto task = open_task(who.tx.db(), work_item);
    if (!task) return fail(task.error());
    if (auto refused = refuse_waiting_in_vain(who.tx.db(), *task); !refused) return refused;
    auto stepping = clear_queue(who, *task);
    if (!stepping) return fail(stepping.error());
    // A step at work keeps what its job holds: it may be merging.
    if (!*stepping)
        if (auto released = release_leases(world, who.tx, *task); !released) return released;
    const auto& reason = task->hold_reason.empty() ? task->again_reason : task->hold_reason;
    return work_anew(world, who, *task, task->stage, reason, "retried by " + who.actor);
}

Status send_back(World& world, const std::string& work_item, Stage to, const std::string& reason, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto task = open_task(who.tx.db(), work_item);
        if (!task) return fail(task.error());
        const std::string stands = task->work_item + " stands at " + std::string(to_text(task->stage));
        if (to > task->stage)
            return fail(Errc::invalid_argument,
                        stands + ": it is sent back to that stage or one before it, not on to " + std::string(to_text(to)));
        if (to < Stage::deploy)
            if (auto refused = refuse_before_merge(who.tx.db(), *task); !refused) return refused;
        if (!can_be_sent_back(task->stage, to)) return fail(Errc::conflict, stands + ": nothing before it is worked again");
        if (auto refused = refuse_waiting_in_vain(who.tx.db(), *task); !refused) return refused;
        auto stepping = clear_queue(who, *task);
        if (!stepping) return fail(stepping.error());
        if (*stepping) return fail(Errc::conflict, task->work_item + " is in a transition just now: try again in a moment");
        if (auto released = release_leases(world, who.tx, *task); !released) return released;
        const auto why = "sent back from " + std::string(to_text(task->stage)) + " by " + by + ": " + reason;
        if (to == Stage::development)
            if (auto said = refuse_code(who, *task, why); !said) return said;
        return work_anew(world, who, *task, to, why, "sent back by " + by);
    });
}

Status edit_task(World& world, const std::string& work_item, const TaskEdit& edit, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto task = open_task(who.tx.db(), work_item);
        if (!task) return fail(task.error());
        std::vector<Datum> changed;
        if (edit.title) {
            if (auto fit = check_title(*edit.title, task->work_item); !fit) return fit;
            changed.push_back({"title", *edit.title});
        }
        if (edit.body) {
            if (auto fit = check_body(*edit.body); !fit) return fit;
            changed.push_back({"body_bytes", static_cast<std::int64_t>(edit.body->size())});
        }
        if (edit.priority) {
            if (auto fit = check_priority(*edit.priority); !fit) return fit;
            if (auto set = store::set_priority(who.tx, task->id, *edit.priority, who.now); !set) return set;
            changed.push_back({"priority", std::int64_t{*edit.priority}});
        }
        if (changed.empty()) return fail(Errc::invalid_argument, "nothing to change: give a title, a body or a priority");
        auto set = store::set_text(who.tx, task->id, edit.title.value_or(task->title), edit.body.value_or(task->body), who.now);
        if (!set) return set;
        return add_event(who, "task_edited", task->id, std::nullopt, changed);
    });
}

Status retry(World& world, const std::string& work_item, const std::string& by) {
    return operate(world, by, [&](const Acting& who) { return retry_within(world, who, work_item); });
}

Status release_hold_within(World& world, const Acting& who, const std::string& work_item) {
    auto task = open_task(who.tx.db(), work_item);
    if (!task) return fail(task.error());
    if (task->hold == Hold::none) return fail(Errc::conflict, work_item + " is not held");
    if (auto refused = refuse_waiting_in_vain(who.tx.db(), *task); !refused) return refused;
    if (auto released = change_hold(who, *task, Hold::none, "released by " + who.actor); !released) return released;
    return ask_anew(world, who, *task, "released by " + who.actor);
}

Status release_hold(World& world, const std::string& work_item, const std::string& by) {
    return operate(world, by, [&](const Acting& who) { return release_hold_within(world, who, work_item); });
}

Status cancel(World& world, const std::string& work_item, const std::string& reason, const std::string& by) {
    return operate(world, by, [&](const Acting& who) -> Status {
        auto task = open_task(who.tx.db(), work_item);
        if (!task) return fail(task.error());
        auto jobs = live_jobs_of(who.tx.db(), *task);
        if (!jobs) return fail(jobs.error());
        const auto why = "cancelled by " + by + (reason.empty() ? "" : ": " + reason);
        bool stopping = false;
        for (const auto& job : *jobs) {
            if (auto ended = end_job(who, job, why); !ended) return ended;
            stopping = stopping || (job.kind != JobKind::advance && job.status != JobStatus::queued);
        }
        if (task->hold != Hold::none)
            if (auto released = change_hold(who, *task, Hold::none, why); !released) return released;
        if (auto written = write_stage(who, *task, Stage::cancelled, task->retries, why); !written)
            return fail(written.error());
        if (auto told = hold_those_waiting_for(world, who, *task); !told) return told;
        // A run that holds a target may still be changing it: recovery gives up the leases once its unit is gone.
        return stopping ? Status{} : release_leases(world, who.tx, *task);
    });
}

}  // namespace orchd::engine
