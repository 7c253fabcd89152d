// The configuration of this host as its units read it, and how its problems are told.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "orchctl/session.h"
#include "settings/project.h"
#include "settings/reading.h"
#include "settings/settings.h"

namespace orchd::orchctl {

// Files, drop-ins, /etc/default/orchd and this process's environment. Errc::conflict with every problem, one a line.
[[nodiscard]] Result<settings::Loaded> host_settings();
// Those of names::projects_dir, in the budgets of the host's settings.
[[nodiscard]] Result<settings::Projects> host_projects();

// As the units read them: the last good ones where the files are wrong.
[[nodiscard]] settings::Reading host_reading();

[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);
// "3 projects are in order."
[[nodiscard]] std::string in_order(const settings::Projects& projects);
// Prints the problems, or `fine`. Errc::conflict where there is any.
[[nodiscard]] Status report(Session& session, const std::vector<std::string>& problems, const std::string& fine);

}  // namespace orchd::orchctl
