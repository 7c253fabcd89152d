#include "orchctl/project_check.h"

#include <pwd.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace orchd::orchctl {
namespace {

bool there(const std::string& path) {
    struct stat seen {};
    return ::stat(path.c_str(), &seen) == 0;
}

bool has_branch(const std::string& repository, const std::string& branch) {
    if (there(repository + "/refs/heads/" + branch)) return true;
    std::ifstream packed(repository + "/packed-refs");
    for (std::string line; std::getline(packed, line);) {
        if (line.ends_with(" refs/heads/" + branch)) return true;
    }
    return false;
}

bool writable(const std::string& path, const struct passwd& user) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return false;
    const auto bit = seen.st_uid == user.pw_uid ? S_IWUSR : seen.st_gid == user.pw_gid ? S_IWGRP : S_IWOTH;
    return (seen.st_mode & bit) != 0;
}

std::optional<std::string> repository_problem(const settings::Project& project, const ForgeHome& home) {
    const auto& path = project.forge_path;
    const std::string give = "chown -R " + home.user + ':' + home.user + ' ' + path;
    if (!path.starts_with(home.folder + '/'))
        return path + " is not under " + home.folder + ", where alone the units may write, and where no run can look";
    if (!there(path))
        return path + " is not there; make it: git init --bare --shared=group --initial-branch=" + project.target + ' ' + path +
               " && " + give + " && orchctl project check --fix " + project.name;
    if (!there(path + "/HEAD") || !there(path + "/objects")) return path + " is no bare git repository";
    const auto* user = ::getpwnam(home.user.c_str());
    if (user == nullptr) return "there is no user " + home.user + " to write to it: is the package installed?";
    for (const auto* part : {"", "/objects", "/refs/heads"})
        if (!writable(path + part, *user))
            return path + part + " may not be written by the user " + home.user + ": " + give +
                   ", or, where it stays its members', orchctl project check --fix " + project.name;
    if (!has_branch(path, project.target)) return path + " has no branch " + project.target + " yet; push one";
    return std::nullopt;
}

// A program that the trusted side hands to a unit: an administrator's, and only an administrator's to change.
std::optional<std::string> program_problem(const std::string& path) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return path + ": " + std::strerror(errno);
    if (!S_ISREG(seen.st_mode) || (seen.st_mode & 0111U) == 0) return path + " is no program";
    if (seen.st_uid != 0) return path + " does not belong to root";
    if ((seen.st_mode & 0022U) != 0) return path + " can be written by others than its owner";
    return std::nullopt;
}

}  // namespace

std::vector<std::string> host_problems(const settings::Project& project, const ForgeHome& home) {
    std::vector<std::string> problems;
    const auto note = [&](const std::string& key, const std::optional<std::string>& problem) {
        if (problem) problems.push_back(project.file + ": " + key + ": " + *problem);
    };
    note("forge.path", repository_problem(project, home));
    for (const auto& [role, worker] : project.workers) {
        const auto& program = worker.command.front();
        const bool agent = kind_of(role) == JobKind::agent;
        if (program.starts_with('/') && role != Role::retest) {
            note((agent ? "roles." : "") + std::string(to_text(role)) + ".command", program_problem(program));
        }
    }
    if (project.deploy) {
        note("deploy.hook", program_problem(project.deploy->hook));
        if (!project.deploy->config.empty() && !there(project.deploy->config)) {
            note("deploy.config", project.deploy->config + " is not there");
        }
    }
    return problems;
}

}  // namespace orchd::orchctl
