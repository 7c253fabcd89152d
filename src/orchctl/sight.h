// What the units of this host need to see, and do not.
#pragma once

#include <string>
#include <vector>

#include "settings/project.h"

namespace orchd::orchctl {

// Each as it is printed. Looks with the eyes of the units (eyes.h), where the caller is root.
//
// What a project's file names: agents' and checks' programs, prompts, the deploy hook and its configuration.
[[nodiscard]] std::vector<std::string> unseen_by_units(const settings::Project& project);
// Settings, drop-ins and project files.
[[nodiscard]] std::vector<std::string> unreadable_files();
// The database and what lies beside it.
[[nodiscard]] std::vector<std::string> unwritable_database();

}  // namespace orchd::orchctl
