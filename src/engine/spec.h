// What prepare hands to a run: runs_dir/TASK/spec.json, read by the launcher inside the unit. A run's view
// (docs/run-contract.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/words.h"

namespace orchd::engine {

struct Spec {
    std::int64_t run_id = 0;
    std::string work_item, project, stage;
    Role role = Role::developer;
    JobKind kind = JobKind::agent;
    std::string branch;  // task/ORCH-053
    std::string commit;  // what is checked out (agent, check) or deployed (deploy)
    std::string base;    // merge base with the target, ORCHD_BASE
    std::vector<std::string> command;
    std::int64_t timeout_s = 3600;
    // deploy only
    std::string release;  // path of release.tar inside the unit
    std::string config;   // of the hook
};
[[nodiscard]] std::string to_json(const Spec& spec);
[[nodiscard]] Result<Spec> spec_from_json(const std::string& text);

}  // namespace orchd::engine
