// One reading of the host's settings and projects, the same for every process of a boot: what stands in the files; and where
// that is wrong, the last good that the worker wrote down, and a condition that says so to people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "settings/last_good.h"
#include "settings/project.h"
#include "settings/settings.h"

namespace orchd::settings {

struct Condition {
    enum class State {
        in_force,  // what stands in the files
        kept,      // the files are wrong: the last good of this boot is in force
        none,      // nor is there a last good one: nothing is begun; the values are the defaults
    };
    State state = State::in_force;
    std::vector<std::string> problems;  // what is wrong with the files, one a line; of projects, see Projects
    std::vector<std::string> warnings;  // what is no setting and so changes nothing
    std::int64_t generation = 0;        // of the last good; 0: none is on record
    std::int64_t good_at = 0;           // UTC ms: written down then
    bool operator==(const Condition&) const = default;
};
[[nodiscard]] std::string_view to_text(Condition::State state);  // "in force", "kept", "none"
// What is to be said of settings that are wrong, in one sentence with the first problem; empty where they are in force.
[[nodiscard]] std::string said_of(const Condition& condition);

struct Reading {
    Settings settings;
    Projects projects;
    Condition condition;
};
struct Places {
    Sources sources;
    std::string projects_dir, last_good;
    std::string boot_id;
};
[[nodiscard]] Places host_places(Sources sources, std::string boot_id);
[[nodiscard]] Reading read(const Places& places);
// Of a process that ends work which began by a project's last good file: it goes on by it where the file is wrong now. Nobody
// begins anything by one.
void go_on_with_kept_projects(Projects& projects);

// Writes down what of the reading is good, with what was good before of the rest, if that says anything new. The reading's
// condition has the generation then.
[[nodiscard]] Status keep(Reading& reading, const Places& places, const Now& now);

}  // namespace orchd::settings
