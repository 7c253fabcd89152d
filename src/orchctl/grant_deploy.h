// `orchctl project grant-deploy NAME` (R30): what the shipped deploy hook needs on this host, and nothing more.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/names.h"
#include "settings/project.h"

namespace orchd::orchctl {

struct GrantTo {  // tests point elsewhere
    std::string drop_ins = "/etc/systemd/system/orchd-deploy@.service.d";
    std::string rules = "/etc/polkit-1/rules.d";
    std::string user{names::deploy_user};
    std::function<Status()> reload_manager;  // called where a unit's settings changed; empty: systemctl daemon-reload
};
// For a project whose hook is deploy-systemd, with its configuration's ROOT and UNIT: makes ROOT for the deploy user, lets the
// deploy unit write there, and lets the deploy user start, stop and restart exactly UNIT. Needs root. Idempotent: returns one
// sentence for each thing that was done, and none where all was done before. Errc::invalid_argument with what is wrong in the
// project or the configuration; conflict where ROOT is somebody else's.
[[nodiscard]] Result<std::vector<std::string>> grant_deploy(const settings::Project& project, const GrantTo& to = {});

}  // namespace orchd::orchctl
