#include "engine/stall.h"

#include "core/boundary.h"
#include "core/planted.h"
#include "engine/events.h"
#include "store/facts.h"

namespace orchd::engine {
namespace {

constexpr const char* cut_off = "it was cut off before it could say why";

// False once the job moved on: nothing is written of a run that is no longer its job's.
Result<bool> still_running(store::Db& db, std::int64_t job_id, std::int64_t run_id) {
    auto job = store::find_job(db, job_id);
    if (!job) return fail(job.error());
    return *job && (*job)->status == JobStatus::running && (*job)->run_id == run_id;
}

store::Stall first_of(std::int64_t run_id, store::StallPart part) {
    store::Stall stall;
    stall.run_id = run_id;
    stall.part = part;
    return stall;
}

Result<store::Stall> end_of(store::Db& db, std::int64_t run_id) {
    auto found = store::find_stall(db, run_id, store::StallPart::end);
    if (!found) return fail(found.error());
    return *found ? **found : first_of(run_id, store::StallPart::end);
}

// One more try came to nothing.
void count(const World& world, const Acting& who, store::Stall& stall, const std::string& words) {
    ++stall.tries;
    stall.words = words;
    stall.at = who.now.utc_ms;
    stall.state = store::StallState::failed;
    stall.due = due_in(who.now, backoff_ms(stall.tries, world.settings.backoff_base_s * 1000,
                                           world.settings.backoff_cap_s * 1000, world.random()));
}

Status note(const Acting& who, const store::Job& job, const store::Stall& stall) {
    if (auto put = store::put_stall(who.tx, stall); !put) return put;
    const bool end = stall.part == store::StallPart::end;
    if (auto counted = store::add_to_counter(who.tx, end ? "finish_failures_total" : "prepare_failures_total", 1, who.now);
        !counted)
        return counted;
    return add_event(who, end ? "end_failed" : "beginning_failed", job.task_id, job.id,
                     {{"run", stall.run_id},
                      {"tries", static_cast<std::int64_t>(stall.tries)},
                      {"lasting", static_cast<std::int64_t>(stall.lasting)},
                      {"why", stall.words}});
}

// Puts a try of an end that came to nothing on record, and gives the end up where that was the last.
Result<NextTry> put_end(const World& world, const Acting& who, const store::Job& job, store::Stall& stall) {
    const bool last = (stall.lasting || stall.tries >= world.settings.finish_max_tries) && !planted("ends_without_end");
    if (last) stall.state = store::StallState::given_up;
    if (auto noted = note(who, job, stall); !noted) return fail(noted.error());
    const auto why = stall_text(stall);
    if (!last) {
        auto told = store::set_job_error(who.tx, job.id, stall.run_id, why);
        return told ? Result<NextTry>(NextTry::later) : fail(told.error());
    }
    auto stopping = store::begin_stopping(who.tx, job.id, stall.run_id, why);
    if (!stopping) return fail(stopping.error());
    if (auto noted = job_changed(who, job, JobStatus::running, JobStatus::stopping, why); !noted) return fail(noted.error());
    return NextTry::given_up;
}

}  // namespace

bool lasting(const Error& error) {
    if (error.by_database) return false;
    return error.code == Errc::refused || error.code == Errc::not_permitted || error.code == Errc::no_such ||
           error.code == Errc::invalid_argument;
}

Status beginning_failed(World& world, const store::Job& job, const store::Run& run, const Error& error) {
    return bounded("prepare.error", [&] {
        return world.db.write([&](store::Tx& tx) -> Status {
            auto ours = still_running(tx.db(), job.id, run.id);
            if (!ours) return fail(ours.error());
            if (!*ours) return {};
            const auto who = acting(world, tx);
            const auto why = "could not be prepared: " + error.text;
            if (auto set = store::set_job_error(tx, job.id, run.id, why); !set) return set;
            auto present = store::find_run(tx.db(), run.id);
            if (!present) return fail(present.error());
            if (!*present || (*present)->prepared_at || (*present)->exit) return {};
            auto before = store::beginnings_failed_before(tx.db(), job.id, run.id);
            if (!before) return fail(before.error());
            auto stall = first_of(run.id, store::StallPart::beginning);
            stall.tries = *before;
            stall.lasting = lasting(error);
            count(world, who, stall, error.text);
            if (stall.lasting) stall.state = store::StallState::given_up;
            return note(who, job, stall);
        });
    });
}

Status end_failed(World& world, const Ended& ended, const Error& error) {
    world.warn(ended.task.work_item, "the end of run " + std::to_string(ended.run.id) + " cannot be recorded: " + error.text);
    return bounded("finish.failed", [&] {
        return world.db.write([&](store::Tx& tx) -> Status {
            auto ours = still_running(tx.db(), ended.job.id, ended.run.id);
            if (!ours) return fail(ours.error());
            if (!*ours) return {};
            auto stall = end_of(tx.db(), ended.run.id);
            if (!stall) return fail(stall.error());
            const auto who = acting(world, tx);
            stall->lasting = lasting(error);
            count(world, who, *stall, error.text);
            auto put = put_end(world, who, ended.job, *stall);
            return put ? Status{} : fail(put.error());
        });
    });
}

Result<NextTry> another_try(World& world, const Ended& ended) {
    return bounded("finish.again", [&] {
        return world.db.write([&](store::Tx& tx) -> Result<NextTry> {
            auto ours = still_running(tx.db(), ended.job.id, ended.run.id);
            if (!ours) return fail(ours.error());
            if (!*ours) return NextTry::later;
            auto stall = end_of(tx.db(), ended.run.id);
            if (!stall) return fail(stall.error());
            const bool unheard = stall->words.empty() || stall->state == store::StallState::begun;
            const auto who = acting(world, tx);
            if (unheard) {
                count(world, who, *stall, cut_off);
                if (stall->tries > 1) return put_end(world, who, ended.job, *stall);
            }
            stall->state = store::StallState::begun;
            if (auto put = store::put_stall(tx, *stall); !put) return fail(put.error());
            return NextTry::now;
        });
    });
}

Result<NextTry> call_finish(World& world, const store::Claim& claim, const std::string& unit) {
    return bounded("recover.finish", [&] {
        return world.db.write([&](store::Tx& tx) -> Result<NextTry> {
            auto ours = still_running(tx.db(), claim.job.id, claim.run.id);
            if (!ours) return fail(ours.error());
            if (!*ours) return NextTry::later;
            auto stall = end_of(tx.db(), claim.run.id);
            if (!stall) return fail(stall.error());
            const auto who = acting(world, tx);
            const bool first = stall->words.empty();
            if (first || stall->state != store::StallState::failed) {
                count(world, who, *stall, first ? cut_off : unit + " ended without a word: see `journalctl -u " + unit + "`");
                if (!first) return put_end(world, who, claim.job, *stall);
            }
            stall->state = store::StallState::called;
            if (auto put = store::put_stall(tx, *stall); !put) return fail(put.error());
            return NextTry::now;
        });
    });
}

std::string stall_text(const store::Stall& stall) {
    const auto tried = "; tried " + std::to_string(stall.tries) + (stall.tries == 1 ? " time" : " times");
    return (stall.part == store::StallPart::end ? "its end cannot be recorded: " : "could not be prepared: ") + stall.words +
           tried;
}

}  // namespace orchd::engine
