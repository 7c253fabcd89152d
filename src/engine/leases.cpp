#include "engine/leases.h"

#include <string_view>

#include "engine/advance.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

constexpr std::string_view staging = "staging:";
constexpr std::string_view production = "production:";

const char* waiting_for(store::LeaseKind kind, std::string_view key) {
    if (kind == store::LeaseKind::merge) return wait_merge_lease;
    return key.starts_with(staging) ? wait_staging_target : wait_deploy_target;
}

Status ask_oldest_waiter(World& world, store::Tx& tx, const std::string& what, std::int64_t project_id) {
    auto waiting = store::waiting_tasks(tx.db(), what, project_id);
    if (!waiting) return fail(waiting.error());
    for (const auto& task : *waiting) {
        if (task.hold == Hold::none && !task.paused_at) return ask_advance(world, tx, task);
    }
    return {};
}

}  // namespace

std::string staging_target(const std::string& project) { return std::string(staging) + project; }
std::string production_target(const std::string& project) { return std::string(production) + project; }

Status release_leases(World& world, store::Tx& tx, const store::Task& task, store::LeaseKind kind) {
    auto leases = store::all_held(tx.db(), kind);
    if (!leases) return fail(leases.error());
    for (const auto& lease : *leases) {
        if (lease.task_id != task.id) continue;
        if (auto released = store::release_held(tx, kind, lease.key, task.id); !released) return released;
        if (auto asked = ask_oldest_waiter(world, tx, waiting_for(kind, lease.key), task.project_id); !asked) return asked;
    }
    return {};
}

Status release_leases(World& world, store::Tx& tx, const store::Task& task) {
    if (auto released = release_leases(world, tx, task, store::LeaseKind::merge); !released) return released;
    return release_leases(world, tx, task, store::LeaseKind::target);
}

}  // namespace orchd::engine
