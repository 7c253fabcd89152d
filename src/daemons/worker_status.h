// What `systemctl status orchd-worker` says in its line "Status:".
#pragma once

#include <string>

#include "core/error.h"
#include "store/db.h"

namespace orchd::daemons {

// One line, from the figures of `orchctl status`: "3 running, 2 queued, 1 waiting for a person", "nothing to do"; before them,
// why nothing is started where that is so. Reads what is live, the queue with it: for once a second, not for every claim.
[[nodiscard]] Result<std::string> worker_status(store::Db& db, bool disk_low);

}  // namespace orchd::daemons
