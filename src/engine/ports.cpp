#include "engine/ports.h"

#include "core/names.h"

namespace orchd::engine {

Paths host_paths() {
    return {.mirrors_dir = std::string(names::mirrors_dir),
            .releases_dir = std::string(names::releases_dir),
            .runs_dir = std::string(names::runs_dir),
            .left_dir = std::string(names::inside_left),
            .backups_dir = std::string(names::backups_dir),
            .agent_states_dir = std::string(names::agent_states_dir),
            .deploy_states_dir = std::string(names::deploy_states_dir)};
}

}  // namespace orchd::engine
