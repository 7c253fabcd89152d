// Merge and target leases as the engine names them, and who is told when one comes free.
#pragma once

#include <string>

#include "engine/ports.h"
#include "store/leases.h"
#include "store/records.h"

namespace orchd::engine {

[[nodiscard]] std::string staging_target(const std::string& project);     // "staging:hello"
[[nodiscard]] std::string production_target(const std::string& project);  // "production:hello"

// What a task waits for (Task::waiting_for) while another holds such a lease.
inline constexpr const char* wait_merge_lease = "merge_lease";
inline constexpr const char* wait_staging_target = "staging_target";
inline constexpr const char* wait_deploy_target = "deploy_target";

// Gives up the task's leases of a kind and asks for the advance of the oldest task of the project that waits for one and can
// move.
[[nodiscard]] Status release_leases(World& world, store::Tx& tx, const store::Task& task, store::LeaseKind kind);
// Of both kinds: for whoever ends, holds or cancels a task's work.
[[nodiscard]] Status release_leases(World& world, store::Tx& tx, const store::Task& task);

}  // namespace orchd::engine
