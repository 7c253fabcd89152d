// One pass of recovery over what lives (recover.cpp, recover_stop.cpp, recover_leftovers.cpp).
#pragma once

#include "engine/events.h"
#include "engine/ports.h"
#include "engine/runs.h"
#include "store/jobs.h"
#include "store/leases.h"

namespace orchd::engine {

struct Handlers {  // the two units of which one finishes a run
    std::string ok, fail;
};
[[nodiscard]] Handlers handlers_of(const store::Claim& claim);
[[nodiscard]] inline bool is_step(const store::Claim& claim) { return claim.job.kind == JobKind::advance; }
// Whether anything of the run beside its own unit is at work. An active prepare without a process has done its part.
[[nodiscard]] bool helpers_busy(const std::function<UnitSeen(const std::string&)>& see, const store::Claim& claim);

// Takes a `stopping` job to its end: stops what is left of its units and, once they are seen empty, queues it again with
// back-off, holds its task where it cannot go on, or finishes it as cancelled. Leaves it as it is while a unit is still ending.
[[nodiscard]] Status finish_stopping(World& world, const store::Claim& claim, Recovered& recovered);

// How long ago the run began, in milliseconds; within this boot by the clock that nobody can step.
[[nodiscard]] inline std::int64_t age_ms(const Now& now, const store::Run& run) {
    return run.boot_id == now.boot_id ? now.boot_ms - run.started_boot : now.utc_ms - run.started_at;
}
[[nodiscard]] inline std::int64_t ceiling_ms(const World& world) { return world.settings.reaper_max_running_s * 1000; }
// Beyond the ceiling by so much that what should have ended long ago needs a person.
[[nodiscard]] inline bool hopeless(const World& world, const store::Claim& claim) {
    constexpr std::int64_t patience_ms = 10 * 60 * 1000;
    const auto now = world.now();
    const auto claimed_at = claim.job.started_at.value_or(claim.run.started_at);
    // A run that was taken again, to go on with its end, is as old as that.
    const bool again = claimed_at > claim.run.started_at;
    return (again ? now.utc_ms - claimed_at : age_ms(now, claim.run)) > ceiling_ms(world) + patience_ms;
}

// Holds the claim's task as `infra` for what only a person can mend; nothing if it is held already or over.
[[nodiscard]] Status call_a_person(World& world, const store::Claim& claim, const std::string& why);

// Whether nothing of the task will run any more: it has ended, and so has its last run.
[[nodiscard]] Result<bool> is_over(store::Db& db, const store::Task& task);

// Stops the unit of a lease's owner; success once it was seen empty, Errc::unavailable while it still ends.
[[nodiscard]] Status stop_owner(World& world, const store::LeaseOwner& owner);
// Leases whose owner is gone, of transitions also those held beyond the ceiling, by force: their owner's unit is stopped and
// seen empty first.
void reclaim_leases(World& world, Recovered& recovered);
// Units that no live job owns; of those that should end by themselves, what does not. `loaded` must be older than `live`.
void stop_orphans(World& world, const std::vector<std::string>& loaded, const std::vector<store::Claim>& live,
                  Recovered& recovered);

}  // namespace orchd::engine
