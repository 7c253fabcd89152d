#include "engine/notes.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

#include "core/names.h"
#include "engine/why.h"
#include "store/facts.h"

namespace orchd::engine {
namespace {

std::string key(const store::Task& task, std::int64_t seq, std::string_view what) {
    return task.work_item + '/' + std::to_string(seq) + '/' + std::string(what);
}

Status post(store::Tx& tx, const std::string& work_item, const std::string& project, const std::string& dedup_key,
            std::string_view message_id, const std::string& text, const Now& now) {
    const boost::json::object body{{"message_id", message_id}, {"text", text}, {"task", work_item}, {"project", project}};
    auto posted = store::post(tx, "journal", dedup_key, boost::json::serialize(body), now);
    if (!posted) return fail(posted.error());
    return {};
}
Status post(store::Tx& tx, const store::Task& task, const std::string& dedup_key, std::string_view message_id,
            const std::string& text, const Now& now) {
    return post(tx, task.work_item, task.project, dedup_key, message_id, text, now);
}

std::string_view message_of(Hold hold) {
    if (hold == Hold::escalated) return names::msg_escalated;
    return hold == Hold::infra ? names::msg_alert : names::msg_needs_you;
}

}  // namespace

Status post_needs_you(store::Tx& tx, const store::Task& task, const std::string& what, const std::string& text,
                      const Now& now) {
    return post(tx, task, key(task, task.stage_seq, "needs-you/" + what), names::msg_needs_you, text, now);
}

Status post_held(store::Tx& tx, const store::Task& task, Hold hold, const std::string& reason, const Now& now) {
    const std::string word(to_text(hold));
    return post(tx, task, key(task, task.stage_seq, "needs-you/" + word + '/' + std::to_string(now.utc_ms)), message_of(hold),
                task.work_item + " is held (" + word + "): " + reason + ". To go on: " + command_against(hold, task.work_item),
                now);
}

Status post_lease_forced(store::Tx& tx, const store::Task& task, std::int64_t fence, const std::string& text, const Now& now) {
    return post(tx, task, key(task, task.stage_seq, "lease-forced/" + std::to_string(fence)), names::msg_lease_forced, text,
                now);
}

Status post_stage(store::Tx& tx, const store::Task& before, Stage to, const std::string& reason, const Now& now) {
    std::string text = before.work_item + ": " + std::string(to_text(before.stage)) + " -> " + std::string(to_text(to));
    if (!reason.empty()) text += ": " + reason;
    return post(tx, before, key(before, before.stage_seq + 1, "stage"), names::msg_stage_changed, text, now);
}

Status post_astray(store::Tx& tx, const std::string& project, const std::string& what, const std::string& text,
                   const Now& now) {
    return post(tx, "", project, "astray/" + what, names::msg_needs_you, text, now);
}

std::string job_named(const store::Job& job) {
    return "job " + std::to_string(job.id) + " (" + std::string(to_text(job.role)) + ")";
}

std::string span_text(std::int64_t ms) {
    const auto s = std::max<std::int64_t>(0, ms) / 1000;
    if (s < 120) return std::to_string(s) + " s";
    if (s < 120 * 60) return std::to_string(s / 60) + " min";
    if (s < 48 * 3600) return std::to_string(s / 3600) + " h";
    return std::to_string(s / 86400) + " days";
}

}  // namespace orchd::engine
