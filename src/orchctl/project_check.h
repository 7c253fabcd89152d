// What a project's file cannot say by itself: whether what it names is there on this host and fit for use.
#pragma once

#include <string>
#include <vector>

#include "core/names.h"
#include "core/pipeline.h"
#include "settings/project.h"

namespace orchd::orchctl {

// Where local forges are, and whose they are.
struct ForgeHome {
    std::string folder{names::git_dir};
    std::string user{"orchd"};
    std::string mirrors{names::mirrors_dir};
};

// Each as it is printed: "FILE: KEY: what is wrong". Looks at files alone; runs nothing that the project names.
[[nodiscard]] std::vector<std::string> host_problems(const settings::Project& project, const ForgeHome& home = {});

}  // namespace orchd::orchctl
