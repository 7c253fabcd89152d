#include "engine/events.h"

#include <boost/json.hpp>

#include "engine/notes.h"
#include "store/facts.h"
#include "store/tasks.h"

namespace orchd::engine {

Status add_event(const Acting& who, std::string_view kind, std::optional<std::int64_t> task_id,
                 std::optional<std::int64_t> job_id, const std::vector<Datum>& data) {
    boost::json::object object;
    for (const auto& d : data) std::visit([&](const auto& value) { object[d.key] = value; }, d.value);
    auto id = store::append_event(who.tx, {.at = who.now.utc_ms,
                                           .actor = who.actor,
                                           .task_id = task_id,
                                           .job_id = job_id,
                                           .kind = std::string(kind),
                                           .data = boost::json::serialize(object)});
    if (!id) return fail(id.error());
    return {};
}

Status stage_changed(const Acting& who, const store::Task& before, Stage to, const std::string& reason) {
    return add_event(who, "stage_changed", before.id, std::nullopt,
                     {{"from", std::string(to_text(before.stage))},
                      {"to", std::string(to_text(to))},
                      {"seq", before.stage_seq + 1},
                      {"reason", reason}});
}

Status job_changed(const Acting& who, const store::Job& job, std::optional<JobStatus> from, JobStatus to,
                   const std::string& why) {
    return add_event(who, "job_changed", job.task_id, job.id,
                     {{"role", std::string(to_text(job.role))},
                      {"from", from ? std::string(to_text(*from)) : std::string()},
                      {"to", std::string(to_text(to))},
                      {"why", why}});
}

Status record_verdict(const Acting& who, const store::VerdictRow& verdict) {
    if (auto added = store::add_verdict(who.tx, verdict); !added) return added;
    return add_event(who, "verdict_recorded", verdict.task_id, std::nullopt,
                     {{"gate", std::string(to_text(verdict.gate))},
                      {"colour", std::string(to_text(verdict.colour))},
                      {"commit", verdict.commit},
                      {"reason", verdict.reason}});
}

Result<std::optional<std::int64_t>> queue_job(const Acting& who, const store::NewJob& job) {
    auto id = store::enqueue(who.tx, job, who.now);
    if (!id || !*id) return id;
    store::Job queued;
    queued.id = **id;
    queued.task_id = job.task_id;
    queued.role = job.role;
    if (auto noted = job_changed(who, queued, std::nullopt, JobStatus::queued); !noted) return fail(noted.error());
    return id;
}

Status change_hold(const Acting& who, const store::Task& task, Hold hold, const std::string& reason) {
    if (auto set = store::set_hold(who.tx, task.id, hold, reason, who.now); !set) return set;
    const std::string text(to_text(hold));
    if (auto noted = add_event(who, "hold_changed", task.id, std::nullopt, {{"hold", text}, {"reason", reason}}); !noted)
        return noted;
    if (hold == Hold::none) return {};
    return post_held(who.tx, task, hold, reason, who.now);
}

}  // namespace orchd::engine
