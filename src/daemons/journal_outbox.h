// Delivers the outbox's channel "journal": records for people, each with its MESSAGE_ID and the fields of its task.
#pragma once

#include "engine/ports.h"

namespace orchd::daemons {

// What is due, 32 at most; true if there may be more. A row whose delivery was cut off before it was marked is delivered again.
[[nodiscard]] Result<bool> deliver_to_journal(engine::World& world);

}  // namespace orchd::daemons
