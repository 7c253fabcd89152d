#include <algorithm>
#include <iterator>
#include <utility>

#include "core/boundary.h"
#include "core/names.h"
#include "core/planted.h"
#include "engine/claim_limits.h"
#include "engine/disabled.h"
#include "engine/events.h"
#include "engine/runs.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

Result<std::vector<store::Claim>> claim(World& world, int at_most) {
    auto limits = limits_of(view_of(world));
    if (!limits) return fail(limits.error());
    boundary("dispatch.claim.before");
    auto claims = world.db.write([&](store::Tx& tx) -> Result<std::vector<store::Claim>> {
        auto taken = store::claim(tx, *limits, at_most, world.now());
        if (!taken) return taken;
        for (const auto& c : *taken)
            if (auto noted = job_changed(acting(world, tx), c.job, JobStatus::queued, JobStatus::running); !noted)
                return fail(noted.error());
        return taken;
    });
    if (claims) boundary("dispatch.claim.after");
    if (claims && !claims->empty()) world.poke_events();
    return claims;
}

// Whether a StartUnit of each claim would really start: one that meets a live unit merges with it, one that meets a
// deactivating agent starts it without prepare. Looks at its own unit and, of a run, its prepare; of all claims at once.
std::vector<bool> can_start(World& world, const std::vector<store::Claim>& claims) {
    std::vector<std::string> units;
    for (const auto& claim : claims) {
        units.push_back(claim.run.unit);
        if (claim.job.kind != JobKind::advance) units.push_back(names::unit(names::prepare, claim.work_item));
    }
    const auto seen = world.units->see_all(units);
    std::vector<bool> able;
    for (auto at = seen.begin(); const auto& claim : claims) {
        const auto last = at + (claim.job.kind == JobKind::advance ? 1 : 2);
        able.push_back(std::none_of(at, last, busy));
        at = last;
    }
    return able;
}

StartRequest request_for(const World& world, const store::Claim& claim) {
    StartRequest request{.unit = claim.run.unit, .limits = {}, .network_unit = {}, .network = false};
    if (claim.job.kind != JobKind::agent && claim.job.kind != JobKind::check) return request;
    request.network_unit = names::unit(names::network, claim.work_item);
    const auto* project = settings::find(world.projects, claim.project);
    const auto* worker = project == nullptr ? nullptr : settings::worker_of(*project, claim.job.role);
    if (worker == nullptr) return request;  // prepare says so
    request.limits = {worker->memory_bytes, worker->tasks_max, worker->cpu_percent};
    request.network = claim.job.kind == JobKind::agent && worker->network;
    return request;
}

// Recovery puts the job back with back-off once the units were seen empty.
Status give_up(World& world, const store::Claim& claim, const Error& error) {
    const auto why = claim.run.unit + " could not be started: " + error.text;
    const auto stop = [&](store::Tx& tx) -> Status {
        auto stopping = store::begin_stopping(tx, claim.job.id, claim.run.id, why);
        if (!stopping) return fail(stopping.error());
        if (!*stopping) return {};
        return job_changed(acting(world, tx), claim.job, JobStatus::running, JobStatus::stopping, why);
    };
    return bounded("dispatch.give_up", [&] { return world.db.write(stop); });
}

bool still_running(store::Db& db, const store::Claim& claim) {
    auto job = store::find_job(db, claim.job.id);
    return job && *job && (*job)->status == JobStatus::running && (*job)->run_id == claim.run.id;
}

// Starts the claims; how many systemd took.
int start(World& world, const std::vector<store::Claim>& claims) {
    std::vector<StartRequest> requests;
    requests.reserve(claims.size());
    for (const auto& c : claims) requests.push_back(request_for(world, c));
    if (!planted("start_unbounded")) boundary("dispatch.start.before");
    const auto answers = world.units->start(requests);
    boundary("dispatch.start.after");
    int started = 0;
    for (std::size_t i = 0; i < claims.size(); ++i) {
        if (answers[i]) {
            ++started;
            continue;
        }
        world.warn(claims[i].work_item, claims[i].run.unit + " could not be started: " + answers[i].error().text);
        if (auto put = give_up(world, claims[i], answers[i].error()); !put) world.warn(claims[i].work_item, put.error().text);
    }
    return started;
}

}  // namespace

Result<DispatchResult> Dispatcher::pass(int at_most) {
    const store::CheckpointLater after_the_starts(world_.db);
    if (auto heeded = heed_disabled(world_); !heeded) return fail(heeded.error());
    std::erase_if(waiting_, [&](const store::Claim& c) { return !still_running(world_.db, c); });
    auto claims = claim(world_, at_most);
    if (!claims) return fail(claims.error());
    DispatchResult result;
    result.more = static_cast<int>(claims->size()) == at_most;

    auto all = std::exchange(waiting_, {});
    // A run that was taken again has ended: recovery calls its finish.
    std::copy_if(std::move_iterator(claims->begin()), std::move_iterator(claims->end()), std::back_inserter(all),
                 [](const store::Claim& claim) { return !claim.run.exit; });
    std::vector<store::Claim> ready;
    const auto able = all.empty() ? std::vector<bool>() : can_start(world_, all);
    for (std::size_t i = 0; i < all.size(); ++i) (able[i] ? ready : waiting_).push_back(std::move(all[i]));
    if (!ready.empty()) result.started = start(world_, ready);
    result.waiting = static_cast<int>(waiting_.size());
    return result;
}

}  // namespace orchd::engine
