// What the operations of a person share (operate.cpp, operate_queue.cpp).
#pragma once

#include "core/boundary.h"
#include "engine/events.h"
#include "engine/ports.h"

namespace orchd::engine {

// One operation: one transaction, and a sign to those who look at its result.
template <class Work>
auto operate(World& world, const std::string& by, Work&& work) {
    boundary("operate.commit.before");
    auto result = world.db.write([&](store::Tx& tx) { return work(Acting{tx, by, world.now()}); });
    if (!result) return result;
    boundary("operate.commit.after");
    world.wake();
    world.poke_events();
    return result;
}

// Errc::no_such, and for open_task() Errc::conflict where it is done or cancelled.
[[nodiscard]] Result<store::Task> known_task(store::Db& db, const std::string& work_item);
[[nodiscard]] Result<store::Task> open_task(store::Db& db, const std::string& work_item);
[[nodiscard]] Result<const settings::Project*> valid_project(const World& world, const std::string& name);

// Errc::conflict where the task waits for one that was cancelled: without its hold it would wait for ever, and nobody be told.
[[nodiscard]] Status refuse_waiting_in_vain(store::Db& db, const store::Task& task);
// The task was cancelled: holds those that wait for it.
[[nodiscard]] Status hold_those_waiting_for(World& world, const Acting& who, const store::Task& cancelled);

[[nodiscard]] Status cancel_queued(const Acting& who, const store::Job& job, const std::string& why,
                                   store::Comes comes = store::Comes::no_more);
// Ends a live job: at once if it is queued, otherwise through `stopping`. A running advance is left to see for itself; a deploy
// under way is Errc::conflict, since nobody could tell what it leaves.
[[nodiscard]] Status end_job(const Acting& who, const store::Job& job, const std::string& why);

}  // namespace orchd::engine
