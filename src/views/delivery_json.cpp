#include <boost/json.hpp>

#include "store/deliveries.h"
#include "views/views.h"

namespace orchd::views {

Result<std::string> delivery_json(store::Db& db, std::int64_t id) {
    const auto found = store::find_delivery(db, id);
    if (!found) return fail(found.error());
    if (!*found) return fail(Errc::no_such, "there is no delivery " + std::to_string(id));
    const auto& d = **found;
    return boost::json::serialize(boost::json::object{{"id", d.id},
                                                      {"source", d.source},
                                                      {"event", d.event},
                                                      {"dedup_key", d.dedup_key},
                                                      {"body_hash", d.body_hash},
                                                      {"received_at", d.received_at},
                                                      {"from", d.peer},
                                                      {"size", d.size},
                                                      {"state", to_text(d.state)},
                                                      {"outcome", d.outcome},
                                                      {"body", d.body}});
}

}  // namespace orchd::views
