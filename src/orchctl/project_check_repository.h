// A project's repository as people keep it: what of it would stop tasks, and what of that can be mended here.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "orchctl/project_check.h"
#include "settings/project.h"

namespace orchd::orchctl {

struct RepositoryFindings {
    std::vector<std::string> problems;  // each as it is printed, "FILE: forge.path: what is wrong"
    std::vector<std::string> notes;     // how things are, which may be meant so
};

enum class History { checked, taken_on_trust };
// Asks git and find(1), with the eyes of the user that the units run as where the caller is root. Takes as long as a check of
// the whole history where that is wanted and the project's mirror does not have it yet. Nothing of the repository is run.
[[nodiscard]] RepositoryFindings look_at_repository(const settings::Project& project, const ForgeHome& home = {},
                                                    History history = History::checked);

// As `project check` and the doctor have them: what the project names on this host, and, unless there is no repository to look
// at, what look_at_repository finds.
[[nodiscard]] RepositoryFindings all_findings(const settings::Project& project, History history);

// Gives the repository's folders to the group (decision 020) and the mirror to its user, and takes the rule away that forbids
// rebased branches. What was done; root alone may.
[[nodiscard]] Result<std::vector<std::string>> mend_repository(const settings::Project& project, const ForgeHome& home = {});

}  // namespace orchd::orchctl
