#include "engine/notes.h"

#include <boost/json.hpp>
#include <string_view>

#include "core/names.h"
#include "store/facts.h"

namespace orchd::engine {
namespace {

std::string key(const store::Task& task, std::int64_t seq, std::string_view what) {
    return task.work_item + '/' + std::to_string(seq) + '/' + std::string(what);
}

Status post(store::Tx& tx, const store::Task& task, const std::string& dedup_key, std::string_view message_id,
            const std::string& text, const Now& now) {
    const boost::json::object body{
        {"message_id", message_id}, {"text", text}, {"task", task.work_item}, {"project", task.project}};
    auto posted = store::post(tx, "journal", dedup_key, boost::json::serialize(body), now);
    if (!posted) return fail(posted.error());
    return {};
}

}  // namespace

Status post_needs_you(store::Tx& tx, const store::Task& task, const std::string& what, const std::string& text,
                      const Now& now) {
    return post(tx, task, key(task, task.stage_seq, "needs-you/" + what), names::msg_needs_you, text, now);
}

Status post_stage(store::Tx& tx, const store::Task& before, Stage to, const std::string& reason, const Now& now) {
    std::string text = before.work_item + ": " + std::string(to_text(before.stage)) + " -> " + std::string(to_text(to));
    if (!reason.empty()) text += ": " + reason;
    return post(tx, before, key(before, before.stage_seq + 1, "stage"), names::msg_stage_changed, text, now);
}

}  // namespace orchd::engine
