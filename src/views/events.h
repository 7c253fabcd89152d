// The append-only history as server-sent events.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "store/db.h"

namespace orchd::views {

struct EventPage {
    std::string text;       // "id: 17\ndata: {…}\n\n" for each; empty where nothing is newer
    std::int64_t last = 0;  // the id of its last event, or `after` where it has none
};
// The oldest of the events that are newer than `after`: as many as `most_bytes` hold, at least one where there is any.
[[nodiscard]] Result<EventPage> events_after(store::Db& db, std::int64_t after, std::size_t most_bytes);

}  // namespace orchd::views
