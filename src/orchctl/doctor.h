// What orchctl doctor looks at, each by itself: one that cannot be looked at is told and the others are.
#pragma once

#include <string>
#include <vector>

#include "settings/settings.h"

namespace orchd::orchctl {

enum class Health { ok, warn, fail };

struct Finding {
    std::string what;  // "units", "database", …
    Health health = Health::ok;
    std::string text;         // what was seen
    std::string advice = {};  // what to do; empty where all is well
};
using Findings = std::vector<Finding>;

// doctor_host.cpp: programs, units, users, folders, clock.
void look_at_programs(Findings& findings);
void look_at_units(Findings& findings);
void look_at_users(Findings& findings);
void look_at_folders(Findings& findings);
void look_at_clock(Findings& findings);
// What is said of a unit that is not active, as `systemctl is-active` and `is-enabled` say: a timer that was disabled is told,
// and is no failure.
[[nodiscard]] Finding idle_unit(const std::string& unit, const std::string& state, const std::string& enabled);
// doctor_state.cpp: configuration, database, backups, disk, what runs left.
void look_at_configuration(Findings& findings, settings::Settings& values);
void look_at_database(Findings& findings);
// Whether anybody does the work, and which runs cannot begin or end.
void look_at_work(Findings& findings);
void look_at_backups(Findings& findings, const settings::Settings& values);
void look_at_deliveries(Findings& findings, const settings::Settings& values);
void look_at_left_states(Findings& findings);
void look_at_disk(Findings& findings, const settings::Settings& values);

struct Space {
    std::string what, path;
    std::int64_t bytes = 0;
};
// What each thing that grows takes on the disk, in blocks; symlinks are not followed.
[[nodiscard]] std::vector<Space> spaces();

}  // namespace orchd::orchctl
