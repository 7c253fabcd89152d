#include "engine/strays.h"

#include <boost/json.hpp>

#include "core/boundary.h"
#include "store/facts.h"

namespace orchd::engine {
namespace {

namespace json = boost::json;

constexpr const char* state_key = "stray_units";  // {"boot": ID, "units": {UNIT: [INVOCATION, SINCE]}}

}  // namespace

Strays::Strays(World& world) : world_(world) {
    auto row = store::find_state(world.db, state_key);
    if (!row) world.warn("", row.error().text);
    if (!row || !*row) return;
    boost::system::error_code error;
    const auto value = json::parse((*row)->value, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* boot = object == nullptr ? nullptr : object->if_contains("boot");
    const auto* units = object == nullptr ? nullptr : object->if_contains("units");
    if (boot == nullptr || units == nullptr || !units->is_object() || *boot != json::value(world.now().boot_id)) return;
    for (const auto& [unit, seen] : units->get_object()) {
        const auto* pair = seen.if_array();
        if (pair == nullptr || pair->size() != 2 || !pair->at(0).is_string() || !pair->at(1).is_int64()) continue;
        before_[unit] = {std::string(pair->at(0).get_string()), pair->at(1).get_int64()};
    }
}

bool Strays::long_seen(const std::string& unit) {
    const auto now = world_.now().boot_ms;
    const auto invocation = world_.units->see(unit).invocation_id;
    if (invocation.empty()) return false;  // without a process it hangs on nothing; PID 1 lets it go
    const auto known = before_.find(unit);
    const bool same = known != before_.end() && known->second.invocation_id == invocation;
    const auto since = same ? known->second.since_boot : now;
    now_[unit] = {invocation, since};
    return now - since >= stray_patience_ms;
}

void Strays::keep() {
    if (now_ == before_) return;
    json::object units;
    for (const auto& [unit, seen] : now_) units[unit] = {seen.invocation_id, seen.since_boot};
    const auto now = world_.now();
    const auto text = json::serialize(json::object{{"boot", now.boot_id}, {"units", std::move(units)}});
    auto kept = bounded("recover.strays", [&] {
        return world_.db.write([&](store::Tx& tx) {
            return store::put_state(tx, {.key = state_key, .value = text, .by = world_.actor, .reason = "", .at = now.utc_ms});
        });
    });
    if (!kept) world_.warn("", kept.error().text);
}

}  // namespace orchd::engine
