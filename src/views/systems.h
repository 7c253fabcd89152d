// The block of each background system in the queue's story (R37).
#pragma once

#include <boost/json/fwd.hpp>

#include "core/error.h"
#include "views/views.h"

namespace orchd::views {

// "settings", "reaper", "reconcile", "serial_gate", "staging_runner", "test_runner", "post_deploy", "disk", "maintenance",
// "task_deps", "deliveries", "outbox", "counters".
[[nodiscard]] Status add_systems(const WorldView& view, boost::json::object& queue);

}  // namespace orchd::views
