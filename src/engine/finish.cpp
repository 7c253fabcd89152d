#include <boost/json.hpp>
#include <filesystem>

#include "core/boundary.h"
#include "engine/advance.h"
#include "engine/ending.h"
#include "engine/explain.h"
#include "engine/files.h"
#include "engine/later.h"
#include "engine/report.h"
#include "engine/runs.h"
#include "engine/stall.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

constexpr std::uint64_t max_usage = 64 * 1024;

// The live run that prepare gave up on: it never started, and has no invocation to be known by.
Result<std::optional<store::Run>> unprepared_run(store::Db& db, const store::Task& task, const std::string& unit) {
    auto job = store::live_run_job(db, task.id);
    if (!job) return fail(job.error());
    if (!*job || (*job)->status != JobStatus::running) return std::nullopt;
    auto run = store::find_run(db, *(*job)->run_id);
    const bool of_unit = run && *run && (unit.empty() || (*run)->unit == unit);
    if (!of_unit || (*run)->prepared_at || (*run)->exit) return run ? std::nullopt : run;
    return run;
}

// The run that ended, by what the manager says; a late finish of an earlier run must pin its exit on nobody.
Result<std::optional<store::Run>> run_that_ended(store::Db& db, const store::Task& task, const Monitor& monitor, Exit exit) {
    if (!monitor.service_result.empty()) {
        auto run = store::run_for_exit(db, task.id, monitor.unit, monitor.invocation_id);
        if (run && !*run && exit.kind == ExitKind::lost) run = unprepared_run(db, task, monitor.unit);
        if (!run || *run) return run;
    }
    return store::unfinished_exit(db, task.id);
}

Status write_release(const Acting& who, store::Release release) {
    auto live = store::live_release(who.tx.db(), release.project);
    if (!live) return fail(live.error());
    if (*live && (*live)->commit != release.commit) release.previous = (*live)->commit;
    return store::put_release(who.tx, release);
}

// A deploy that ended well is live from its exit on, however long its end takes: nobody is to deploy an older commit over it
// meanwhile.
Status put_live(const Acting& who, const Ended& ended, Exit exit) {
    if (ended.job.kind != JobKind::deploy || outcome(exit) != Outcome::look) return {};
    return write_release(
        who,
        {.project = ended.task.project, .commit = ended.job.commit, .previous = {}, .state = "live", .at = who.now.utc_ms});
}

Status record_exit(World& world, const Ended& ended, Exit exit, const std::string& invocation_id) {
    const auto& run = ended.run;
    if (run.exit) return {};
    boundary("finish.record_exit.before");
    auto recorded = world.db.write_surely([&](store::Tx& tx) -> Status {
        auto first = store::record_exit(tx, run.id, exit, invocation_id, world.now());
        if (!first) return fail(first.error());
        if (!*first) return {};
        const auto who = acting(world, tx);
        if (auto live = put_live(who, ended, exit); !live) return live;
        return add_event(who, "run_ended", run.task_id, run.job_id,
                         {{"run", run.id}, {"exit", std::string(to_text(exit.kind))}, {"status", exit.status}});
    });
    if (recorded) boundary("finish.record_exit.after");
    return recorded;
}

struct Taken {
    Ended ended;
    bool known = false;  // its exit was on record before: this is another try
};

// The run that ended and its job, with the exit on record; nothing if there is no such run.
Result<std::optional<Taken>> take_exit(World& world, const std::string& work_item, const Monitor& monitor) {
    auto task = store::find_task(world.db, work_item);
    if (!task) return fail(task.error());
    if (!*task) return fail(Errc::no_such, "there is no task " + work_item);
    const auto exit = exit_from_monitor(monitor.service_result, monitor.exit_code, monitor.exit_status);
    auto run = run_that_ended(world.db, **task, monitor, exit);
    if (!run) return fail(run.error());
    if (!*run) return std::nullopt;
    auto job = store::find_job(world.db, (*run)->job_id);
    if (!job) return fail(job.error());
    if (!*job) return fail(Errc::corrupt, "run " + std::to_string((*run)->id) + " has no job");
    Taken taken{{**task, **job, **run}, (*run)->exit.has_value()};
    if (auto recorded = record_exit(world, taken.ended, exit, monitor.invocation_id); !recorded) return fail(recorded.error());
    run = store::find_run(world.db, (*run)->id);
    if (!run) return fail(run.error());
    taken.ended.run = **run;
    return taken;
}

// What the run says that it cost, if that is a JSON object.
std::string usage_of(World& world, const Ended& ended) {
    if (ended.job.kind != JobKind::agent) return {};
    auto text = read_result(world.paths.left_dir, "usage.json", max_usage);
    if (!text) world.warn(ended.task.work_item, text.error().text);
    if (!text || !*text) return {};
    boost::system::error_code error;
    const auto value = boost::json::parse(**text, error);
    if (!error && value.is_object()) return **text;
    world.warn(ended.task.work_item, "the run's usage.json is no JSON object");
    return {};
}

// True while the job is still this finish's: a person may have cancelled it meanwhile.
Result<bool> still_ours(store::Db& db, const Ended& ended) {
    auto job = store::find_job(db, ended.job.id);
    if (!job) return fail(job.error());
    return *job && (*job)->status == JobStatus::running && (*job)->run_id == ended.run.id;
}

// What ended well is live since its exit; by now another may have replaced it.
Status settle_release(const Acting& who, const store::Release& release) {
    if (release.state != "live") return write_release(who, release);
    auto known = store::find_release(who.tx.db(), release.project, release.commit);
    if (!known) return fail(known.error());
    if (*known && ((*known)->state == "live" || (*known)->state == "replaced")) return {};
    return write_release(who, release);
}

// Work that could not be brought in is never passed over, however the run ended.
Status note_left(const Acting& who, const Ended& ended, const Left& left) {
    for (const auto& [kind, lines] : {std::pair{"left_behind", &left.reasons}, {"run_told", &left.told}})
        for (const auto& line : *lines) {
            auto noted = add_event(who, kind, ended.task.id, ended.job.id,
                                   {{"what", line}, {"run", ended.run.id}, {"role", std::string(to_text(ended.job.role))}});
            if (!noted) return noted;
        }
    return {};
}

Status write_facts(const Acting& who, const Ended& ended, const Ending& ending) {
    if (!ending.head.empty())
        if (auto set = store::set_head(who.tx, ended.task.id, ending.head, who.now); !set) return set;
    if (ending.verdict)
        if (auto recorded = record_verdict(who, *ending.verdict); !recorded) return recorded;
    if (ending.commit_status)
        if (auto put = store::put_status(who.tx, *ending.commit_status); !put) return fail(put.error());
    if (ending.release)
        if (auto settled = settle_release(who, *ending.release); !settled) return settled;
    for (const auto& name : ending.ignored_artefacts) {
        auto noted = add_event(who, "artefact_ignored", ended.task.id, ended.job.id,
                               {{"artefact", name}, {"run", ended.run.id}, {"role", std::string(to_text(ended.job.role))}});
        if (!noted) return noted;
    }
    return note_left(who, ended, {.head = {}, .reasons = ending.left_behind, .told = ending.told});
}

// The end of the job with all that follows from it, in one transaction; the advance queues what is to be done next.
Status settle(World& world, const Ended& ended, const Ending& ending, const std::string& usage) {
    boundary("finish.commit.before");
    auto settled = world.db.write([&](store::Tx& tx) -> Status {
        const auto who = acting(world, tx);
        auto ours = still_ours(tx.db(), ended);
        if (!ours) return fail(ours.error());
        if (!*ours) return {};
        if (!usage.empty())
            if (auto set = store::set_usage(tx, ended.run.id, usage); !set) return set;
        auto finished = store::finish_job(tx, ended.job.id, ended.run.id, ending.status, ending.error, ending.head, who.now);
        if (!finished) return fail(finished.error());
        if (auto noted = job_changed(who, ended.job, JobStatus::running, ending.status, ending.error); !noted) return noted;
        if (auto written = write_facts(who, ended, ending); !written) return written;
        return ask_advance(world, tx, ended.task);
    });
    if (settled) boundary("finish.commit.after");
    return settled;
}

// Nobody's fault, or the host's: recovery puts the job back, or holds the task, once the unit was seen empty.
Status put_away(World& world, const Ended& ended, const std::string& head, const std::string& usage,
                const std::string& because = {}) {
    const auto later = because.empty() && outcome(*ended.run.exit) == Outcome::transient ? read_later(world, ended) : Later{};
    const bool told_by_prepare = !ended.run.prepared_at && !ended.job.error.empty();
    const auto why = !because.empty()      ? because
                     : !later.said.empty() ? later.said
                     : told_by_prepare     ? ended.job.error
                                           : describe_run(ended);
    const auto left = what_was_left(world, ended);
    boundary("finish.put_away.before");
    auto put = world.db.write([&](store::Tx& tx) -> Status {
        if (!usage.empty())
            if (auto set = store::set_usage(tx, ended.run.id, usage); !set) return set;
        auto stopping = store::begin_stopping(tx, ended.job.id, ended.run.id, why, later.at);
        if (!stopping) return fail(stopping.error());
        if (!*stopping) return {};
        if (!head.empty())
            if (auto set = store::set_head(tx, ended.task.id, head, world.now()); !set) return set;
        if (left && *left)
            if (auto noted = note_left(acting(world, tx), ended, **left); !noted) return noted;
        return job_changed(acting(world, tx), ended.job, JobStatus::running, JobStatus::stopping, why);
    });
    if (put) boundary("finish.put_away.after");
    return put;
}

// Of a run that was stopped on purpose or whose job moved on: it cost what it cost. Not once a later run is there, whose files
// these might be.
Status keep_usage(World& world, const Ended& ended) {
    auto live = store::live_run_job(world.db, ended.task.id);
    if (!live) return fail(live.error());
    if (*live && (*live)->run_id != ended.run.id) return {};
    const auto usage = ended.run.usage.empty() ? usage_of(world, ended) : std::string();
    if (usage.empty()) return {};
    return bounded("finish.usage",
                   [&] { return world.db.write([&](store::Tx& tx) { return store::set_usage(tx, ended.run.id, usage); }); });
}

Status conclude(World& world, Ended ended) {
    const auto usage = usage_of(world, ended);
    const auto* project = settings::find(world.projects, ended.task.project);
    auto came_to = outcome(*ended.run.exit);
    if (project != nullptr) {
        ended.explained = explain(world, ended, *project);
        auto lacks = branch_lacks_program(world, ended, *project);
        if (!lacks) return fail(lacks.error());
        if (*lacks) {
            came_to = Outcome::failed;
            ended.explained += "; " + project->target + " has it, and the branch has not";
        }
    }
    if (came_to != Outcome::look && came_to != Outcome::failed) {
        Result<std::string> head;
        if (project != nullptr) head = keep_commits(world, ended, *project);
        if (!head) return fail(head.error());
        return put_away(world, ended, *head, usage);
    }
    if (came_to == Outcome::look && ended.job.kind == JobKind::agent) {
        const auto left = what_was_left(world, ended);
        if (!left) return fail(left.error());
        if (!*left)
            return put_away(world, ended, {}, usage,
                            "its launcher did not come to say what the run left, so nobody knows whether that is all here");
    }
    if (project == nullptr)
        return fail(Errc::unavailable, "project " + ended.task.project + " has no valid file: see `orchctl project check " +
                                           ended.task.project + "`");
    auto ending = ended.job.kind == JobKind::agent   ? agent_ending(world, ended, *project)
                  : ended.job.kind == JobKind::check ? check_ending(world, ended, *project)
                                                     : deploy_ending(world, ended, *project);
    if (!ending) return fail(ending.error());
    return settle(world, ended, *ending, usage);
}

}  // namespace

store::VerdictRow verdict_of(const World& world, const Ended& ended, Gate gate, Colour colour, const std::string& reason) {
    return {.task_id = ended.task.id,
            .stage_seq = ended.job.stage_seq,
            .gate = gate,
            .colour = colour,
            .reason = reason,
            .commit = ended.run.head_before.empty() ? ended.job.commit : ended.run.head_before,
            .patch_id = {},
            .by = "run:" + std::to_string(ended.run.id),
            .at = world.now().utc_ms};
}

std::string describe_run(const Ended& ended) {
    if (!ended.explained.empty()) return ended.explained;
    return "the " + std::string(to_text(ended.job.role)) + "'s run " + describe(*ended.run.exit);
}

bool took_its_spec(const World& world, const Ended& ended) {
    std::error_code unseen;
    return std::filesystem::exists(world.paths.left_dir + "/taken-" + std::to_string(ended.run.id), unseen);
}

Status finish(World& world, const std::string& work_item, const Monitor& monitor) {
    auto taken = take_exit(world, work_item, monitor);
    if (!taken) return fail(taken.error());
    if (!*taken) return {};
    const auto& ended = (*taken)->ended;
    if (ended.job.status != JobStatus::running || ended.job.run_id != ended.run.id) return keep_usage(world, ended);
    auto next = (*taken)->known ? another_try(world, ended) : Result<NextTry>(NextTry::now);
    if (!next) return fail(next.error());
    if (*next == NextTry::now)
        if (auto concluded = conclude(world, ended); !concluded)
            if (auto told = end_failed(world, ended, concluded.error()); !told) return told;
    world.wake();
    world.poke_events();
    return {};
}

}  // namespace orchd::engine
