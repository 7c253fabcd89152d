// The operations of operate.h inside the caller's transaction: intake's, in which the delivery that asked for one is settled
// too. Errors as there; the transaction is then to be rolled back. Nobody is woken.
#pragma once

#include <string>

#include "engine/events.h"
#include "engine/operate.h"

namespace orchd::engine {

[[nodiscard]] Result<store::Task> create_task_within(World& world, const Acting& who, const TaskRequest& request);
// The verdict is for the commit alone, without the id of its patch, for which git would have to be asked: a rebase or a change
// of code asks the person again.
[[nodiscard]] Status judge_within(World& world, const Acting& who, const std::string& work_item, Colour colour,
                                  const std::string& reason);
[[nodiscard]] Status retry_within(World& world, const Acting& who, const std::string& work_item);
[[nodiscard]] Status release_hold_within(World& world, const Acting& who, const std::string& work_item);

}  // namespace orchd::engine
