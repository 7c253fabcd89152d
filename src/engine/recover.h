// One pass of recovery over what lives (recover.cpp, recover_stop.cpp, recover_leftovers.cpp).
#pragma once

#include "engine/events.h"
#include "engine/ports.h"
#include "engine/runs.h"
#include "store/jobs.h"

namespace orchd::engine {

// Running, about to run, or not to be read: never called dead.
[[nodiscard]] inline bool busy(const UnitSeen& seen) {
    return !seen.readable || seen.job_pending || seen.active || seen.populated;
}

struct Handlers {  // the two units of which one finishes a run
    std::string ok, fail;
};
[[nodiscard]] Handlers handlers_of(const store::Claim& claim);
[[nodiscard]] inline bool is_step(const store::Claim& claim) { return claim.job.kind == JobKind::advance; }

// Takes a `stopping` job to its end: stops what is left of its units and, once they are seen empty, queues it again with
// back-off, holds its task where it cannot go on, or finishes it as cancelled. Leaves it as it is while a unit is still ending.
[[nodiscard]] Status finish_stopping(World& world, const store::Claim& claim, Recovered& recovered);

// Transition leases whose owner is gone, and units that no live job owns. `loaded` must be older than `live`.
void reclaim_leases(World& world);
void stop_orphans(World& world, const std::vector<std::string>& loaded, const std::vector<store::Claim>& live,
                  Recovered& recovered);

}  // namespace orchd::engine
