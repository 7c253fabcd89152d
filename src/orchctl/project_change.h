// The commands that change a project which is there: edit, remove, disable, enable.
#pragma once

#include "orchctl/command.h"

namespace orchd::orchctl {

void add_project_changes(Command project, Session& session);

}  // namespace orchd::orchctl
