// The gates by name (R02): read-only, may be asked at any time.
#pragma once

#include <vector>

#include "core/pipeline.h"
#include "engine/ports.h"
#include "store/records.h"

namespace orchd::engine {

struct GateContext {
    World& world;
    const store::Task& task;
    const settings::Project& project;
    git::Mirror& mirror;                      // fetched already
    std::string head, target_head, patch_id;  // of the branch; code identity without the artefacts folder
};
[[nodiscard]] GateAnswer ask(Gate gate, const GateContext& context);
// Asks the stage's gates in order, up to and including the first that is not green.
[[nodiscard]] std::vector<GateAnswer> ask_all(const GateContext& context);

}  // namespace orchd::engine
