#include "views/stories.h"

#include <boost/json.hpp>

namespace orchd::views {

namespace json = boost::json;

json::value or_null(const std::optional<std::int64_t>& value) { return value ? json::value(*value) : json::value(nullptr); }

json::value embedded(const std::string& text) {
    if (text.empty()) return nullptr;
    boost::system::error_code error;
    auto value = json::parse(text, error);
    return error ? json::value(text) : value;
}

json::object pause_story(std::int64_t at, const std::string& by, const std::string& reason) {
    return {{"at", at}, {"by", by}, {"reason", reason}};
}

json::object settings_story(const settings::Condition* condition) {
    const settings::Condition told = condition == nullptr ? settings::Condition() : *condition;
    return {{"state", settings::to_text(told.state)},
            {"text", settings::said_of(told)},
            {"problems", json::value_from(told.problems)},
            {"warnings", json::value_from(told.warnings)},
            {"generation", told.generation},
            {"good_at", told.generation == 0 ? json::value(nullptr) : json::value(told.good_at)}};
}

json::object story(const store::Run& run) {
    json::value exit = nullptr;
    if (run.exit) exit = {{"kind", to_text(run.exit->kind)}, {"status", run.exit->status}};
    return {{"id", run.id},
            {"unit", run.unit},
            {"boot_id", run.boot_id},
            {"invocation_id", run.invocation_id},
            {"started_at", run.started_at},
            {"prepared_at", or_null(run.prepared_at)},
            {"exit", std::move(exit)},
            {"exited_at", or_null(run.exited_at)},
            {"finished_at", or_null(run.finished_at)},
            {"head_before", run.head_before},
            {"head_after", run.head_after},
            {"usage", embedded(run.usage)}};
}

json::object story(const store::Job& job) {
    return {{"id", job.id},
            {"stage_seq", job.stage_seq},
            {"kind", to_text(job.kind)},
            {"role", to_text(job.role)},
            {"status", to_text(job.status)},
            {"blocked", job.blocked},
            {"priority", job.priority},
            {"attempts", job.attempts},
            {"max_attempts", job.max_attempts},
            {"run_id", or_null(job.run_id)},
            {"commit", job.commit},
            {"error", job.error},
            {"available_at", job.available_at},
            {"created_at", job.created_at},
            {"started_at", or_null(job.started_at)},
            {"finished_at", or_null(job.finished_at)}};
}

json::object story(const store::Claim& claim) {
    auto job = story(claim.job);
    job["work_item"] = claim.work_item;
    job["project"] = claim.project;
    job["unit"] = claim.run.unit;
    return job;
}

json::object story(const store::Stall& stall) {
    const bool waits = stall.part == store::StallPart::end && stall.state == store::StallState::failed;
    return {{"part", to_text(stall.part)},
            {"state", to_text(stall.state)},
            {"tries", stall.tries},
            {"lasting", stall.lasting},
            {"words", stall.words},
            {"at", stall.at},
            {"next_at", waits ? json::value(stall.due.utc_ms) : nullptr}};
}

json::object story(const store::TransitionLease& lease) {
    json::object object{{"from_stage", lease.from_stage}, {"fence", lease.fence}, {"acquired_at", lease.acquired_at}};
    if (lease.owner) {
        object["unit"] = lease.owner->unit;
        object["invocation_id"] = lease.owner->invocation_id;
        object["boot_id"] = lease.owner->boot_id;
        object["pid"] = lease.owner->pid;
    }
    return object;
}

json::object story(const store::Event& event) {
    return {{"id", event.id},       {"at", event.at},
            {"actor", event.actor}, {"job", or_null(event.job_id)},
            {"kind", event.kind},   {"data", embedded(event.data)}};
}

}  // namespace orchd::views
