#include "orchctl/sight.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "core/names.h"
#include "core/pipeline.h"
#include "core/text.h"
#include "orchctl/eyes.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;

// One of each user that reads the settings and writes the database.
constexpr std::array services{"orchd-worker.service", "orchd-step@.service", "orchd-listener.service"};

struct Needed {
    std::string path;
    int mode;
};

// The paths among them that `eyes` may not use so, each with the reason. One child for all of them.
std::map<std::string, std::string> refused_to(const Eyes& eyes, const std::vector<Needed>& all) {
    std::map<std::string, std::string> refused;
    const auto seen = seen_by(eyes, [&] {
        std::string lines;
        for (const auto& [path, mode] : all)
            if (::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) != 0) lines += path + '\t' + std::strerror(errno) + '\n';
        return lines;
    });
    if (!seen) return {{eyes.unit, seen.error().text}};
    std::istringstream in(*seen);
    for (std::string line; std::getline(in, line);) {
        const auto tab = line.rfind('\t');
        refused.emplace(line.substr(0, tab), line.substr(tab + 1));
    }
    return refused;
}

// One line a path, with everybody who may not use it.
std::vector<std::string> refused_to_services(const std::vector<Needed>& all, const std::string& what) {
    if (::geteuid() != 0) return {};
    struct Refused {
        std::vector<std::string> users;
        std::string reason;
    };
    std::map<std::string, Refused> by_path;
    for (const auto* unit : services) {
        const auto eyes = eyes_of(unit);
        // Not installed, or not to be asked: then nobody knows who it would be.
        if (eyes.user.empty()) continue;
        for (const auto& [path, reason] : refused_to(eyes, all)) {
            by_path[path].users.push_back(eyes.user);
            by_path[path].reason = reason;
        }
    }
    std::vector<std::string> problems;
    problems.reserve(by_path.size());
    for (const auto& [path, refused] : by_path)
        problems.push_back(path + ": cannot be " + what + " by " + joined(refused.users, ", ") + " (" + refused.reason +
                           "); look at the modes of it and of the folders above it");
    return problems;
}

void add_folder(const std::string& folder, std::vector<Needed>& all) {
    std::error_code absent;
    if (!fs::is_directory(folder, absent)) return;
    all.push_back({folder, R_OK | X_OK});
    for (fs::directory_iterator entry(folder, absent), end; !absent && entry != end; entry.increment(absent)) {
        const auto name = entry->path().filename().string();
        if (!name.starts_with('.') && entry->path().extension() == ".toml") all.push_back({entry->path().string(), R_OK});
    }
}

bool there(const std::string& path) {
    struct stat seen {};
    return ::stat(path.c_str(), &seen) == 0;
}

}  // namespace

std::vector<std::string> unseen_by_units(const settings::Project& project) {
    std::vector<std::string> problems;
    const auto note = [&](const std::string& key, const std::optional<std::string>& problem) {
        if (problem) problems.push_back(project.file + ": " + key + ": " + *problem);
    };
    const auto agent = eyes_of("orchd-agent@.service");
    const auto prepare = eyes_of("orchd-prepare@.service");
    for (const auto& [role, worker] : project.workers) {
        if (role == Role::retest) continue;  // works by the test's command
        const auto table = (kind_of(role) == JobKind::agent ? "roles." : "") + std::string(to_text(role));
        const auto& program = worker.command.front();
        // What is not there at all is told by whom the file is looked at as it is.
        if (program.starts_with('/') && there(program)) note(table + ".command", unusable_program(agent, program));
        if (!worker.prompt_file.empty()) note(table + ".prompt", unusable(prepare, worker.prompt_file, R_OK));
    }
    if (!project.deploy) return problems;
    const auto deploy = eyes_of("orchd-deploy@.service");
    if (there(project.deploy->hook)) note("deploy.hook", unusable_program(deploy, project.deploy->hook));
    if (!project.deploy->config.empty() && there(project.deploy->config))
        note("deploy.config", unusable(deploy, project.deploy->config, R_OK));
    return problems;
}

std::vector<std::string> unreadable_files() {
    std::vector<Needed> all;
    if (const std::string file(names::settings_file); there(file)) all.push_back({file, R_OK});
    add_folder(std::string(names::settings_dir), all);
    add_folder(std::string(names::projects_dir), all);
    return refused_to_services(all, "read");
}

std::vector<std::string> unwritable_database() {
    const std::string database(names::database);
    std::vector<Needed> all{{std::string(names::state_dir), R_OK | W_OK | X_OK}};
    for (const auto* beside : {"", "-wal", "-shm"})
        if (there(database + beside)) all.push_back({database + beside, R_OK | W_OK});
    return refused_to_services(all, "read and written");
}

}  // namespace orchd::orchctl
