// Projects: /etc/orchd/projects.d/NAME.toml, the truth about a project. Read by root's tools and by the trusted units.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/words.h"
#include "settings/settings.h"

namespace orchd::settings {

struct Worker {  // how one role is worked: a [roles.NAME] table, or [ci] [test] [staging] [build] (retest uses [test])
    std::vector<std::string> command;  // argv, no shell; the first is absolute, or "./…" inside the clone
    std::string prompt_file;           // absolute; agents only; empty for none
    std::int64_t timeout_s = 0;        // 0: run_timeout_s
    std::uint64_t memory_bytes = 0;    // 0: the unit's own
    std::int64_t tasks_max = 0;        // 0: the unit's own
    std::int64_t cpu_percent = 0;      // 100 is one processor; 0: no limit of its own
    bool network = false;              // the host's network; checks never
    int max_concurrency = 0;           // of this role in this project; 0: no limit of its own
};

struct Project {
    std::string name, prefix, target = "main";
    int max_concurrency = 0;                       // 0: none of its own
    bool self = false;                             // it is orchd itself
    std::string disabled;                          // why nothing new is started for it; empty: it serves
    std::string file;                              // where it was read
    std::string forge_kind = "local", forge_path;  // forge_path: the bare repository of a local forge
    bool forge_accept_history = false;             // its history is taken though git's checks of objects refuse some of it
    std::string forge_repository;        // "acme/app": whose webhooks are this project's; empty: only those to its address
    std::string tracker_kind = "local";  // "local" or "plane"
    std::string tracker_project;         // plane: the project's UUID, in lower case
    // Names (or ids) of the tracker's states that ask for something, by their logical keys (R35).
    struct TrackerStates {
        std::string to_analyse = "To Analyse", approved = "Approved", rejected = "Rejected";
    };
    TrackerStates tracker_states;
    std::map<Role, Worker> workers;  // analyst … tester, ci, test, staging, build; retest is test's
    struct Deploy {
        std::string hook, config;
        std::int64_t timeout_s = 300;
    };
    std::optional<Deploy> deploy;  // none: the deploy stage has nothing to do and says so
};

// How a role is worked in a project: re-tests by the test command. Null where the project does not work it.
[[nodiscard]] inline const Worker* worker_of(const Project& project, Role role) {
    const auto found = project.workers.find(role == Role::retest ? Role::test : role);
    return found == project.workers.end() ? nullptr : &found->second;
}

struct ProjectProblem {  // of one file; text as settings' problems, one a line: file, line, key, what is allowed
    std::string file, text;
};
struct ProjectText {  // a project file as it was when it was right
    std::string file, text;
    bool operator==(const ProjectText&) const = default;
};
struct Projects {
    std::vector<Project> good;             // by name; a bad file never hides a good one (R40)
    std::vector<ProjectProblem> problems;  // unreadable files, unknown keys, a prefix that an earlier file has, …
    std::vector<Project> kept = {};        // of the bad ones, as they were last right: what is under way ends by them
    std::vector<ProjectText> texts = {};   // of good and kept ones
};
// Whether a setting that lists projects (ORCH_…_REPOS) covers this one: by name, or all with "*"; where the list is empty, a
// project marked `self`.
[[nodiscard]] bool covers(const std::vector<std::string>& list, const Project& project);
// The host's settings are asked for the budgets that time limits of a project must fit into (R17).
// `last_good` is where the bad ones that are kept come from.
[[nodiscard]] Projects load_projects(const std::string& dir, const Settings& settings,
                                     const std::vector<ProjectText>& last_good = {});
[[nodiscard]] Result<Project> load_project(const std::string& file, const Settings& settings);
// What load_project would say if `text` stood in `file`.
[[nodiscard]] Result<Project> parse_project(std::string_view text, const std::string& file, const Settings& settings);
// Errc::conflict where a prefix, a repository or a tracker's project that may be one's alone is another's already.
[[nodiscard]] Status check_own(const Projects& others, const Project& project);
// The project that owns the work item's prefix.
[[nodiscard]] const Project* owner_of(const Projects& projects, std::string_view prefix);
[[nodiscard]] const Project* find(const Projects& projects, std::string_view name);
// The project whose [forge] repository is this "OWNER/NAME"; a forge tells no upper from lower case.
[[nodiscard]] const Project* project_of_repository(const Projects& projects, std::string_view repository);
// The project whose [tracker] project is this UUID.
[[nodiscard]] const Project* project_of_tracker(const Projects& projects, std::string_view uuid);

}  // namespace orchd::settings
