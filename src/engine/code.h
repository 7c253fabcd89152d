// What a verdict counts for: the code of a commit, apart from where its branch starts and from the artefacts (R03).
#pragma once

#include <string>

#include "engine/ports.h"

namespace orchd::engine {

struct Code {
    std::string target_head;  // of the target branch on the forge, as last fetched
    std::string base;         // where the commit left it (Mirror::fork_point)
    std::string patch_id;     // of base..commit without the artefacts folder: a clean rebase keeps it, a change does not
};
// Errc::refused if the forge has no target branch.
[[nodiscard]] Result<std::string> base_of(git::Mirror& mirror, const settings::Project& project, const std::string& commit);
[[nodiscard]] Result<Code> code_of(git::Mirror& mirror, const settings::Project& project, const std::string& work_item,
                                   const std::string& commit);

}  // namespace orchd::engine
