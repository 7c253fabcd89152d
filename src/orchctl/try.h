// A project's checks, run as a run of them would be, without a task: from the target's present commit, in the same sandbox
// (orchd-try.service has the body of orchd-agent@.service), with nothing queued and nothing pushed.
#pragma once

#include <string>

#include "core/error.h"
#include "orchctl/session.h"
#include "settings/project.h"
#include "settings/settings.h"

namespace orchd::orchctl {

// [ci], [test], [staging] and [build], those that the project has, in this order, or the one that is named; shows what each
// says, and how it ended. One host tries one project at a time. Errc::conflict where one of them failed, or another try is
// under way; not_permitted for who is not root.
[[nodiscard]] Status try_checks(Session& session, const settings::Project& project, const settings::Settings& settings,
                                const std::string& only);

}  // namespace orchd::orchctl
