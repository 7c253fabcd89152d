#include "daemons/journal_outbox.h"

#include <boost/json.hpp>

#include "core/boundary.h"
#include "core/names.h"
#include "host/log.h"
#include "store/facts.h"

namespace orchd::daemons {
namespace {

constexpr int at_once = 32;

std::string text_of(const boost::json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void write(const store::OutboxRow& row) {
    boost::json::error_code bad;
    const auto parsed = boost::json::parse(row.body, bad);
    if (bad || !parsed.is_object()) {
        host::log(host::Level::error, "outbox row " + std::to_string(row.id) + " cannot be read, ignoring: " + row.body);
        return;
    }
    const auto& body = parsed.get_object();
    const auto id = text_of(body, "message_id");
    const bool urgent = id == names::msg_alert || id == names::msg_escalated || id == names::msg_lease_forced;
    host::log(urgent ? host::Level::warning : host::Level::notice, text_of(body, "text"),
              {{"MESSAGE_ID", id}, {"ORCHD_TASK", text_of(body, "task")}, {"ORCHD_PROJECT", text_of(body, "project")}});
}

}  // namespace

Result<bool> deliver_to_journal(engine::World& world) {
    const auto rows = store::due_posts(world.db, "journal", at_once, world.now());
    if (!rows) return fail(rows.error());
    if (rows->empty()) return false;
    for (const auto& row : *rows) write(row);
    boundary("outbox.mark.before");
    auto marked = world.db.write([&](store::Tx& tx) -> Status {
        for (const auto& row : *rows)
            if (auto done = store::mark_posted(tx, row.id, world.now()); !done) return done;
        return {};
    });
    if (!marked) return fail(marked.error());
    boundary("outbox.mark.after");
    return rows->size() == at_once;
}

}  // namespace orchd::daemons
