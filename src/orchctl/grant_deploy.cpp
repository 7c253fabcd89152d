#include "orchctl/grant_deploy.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string_view>

#include "host/host.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;
using Sentences = std::vector<std::string>;

struct Needs {
    std::string root, unit;
};

// The lines KEY=value of the hook's configuration; the hook itself refuses what is no such line.
Result<Needs> read_needs(const std::string& file) {
    std::ifstream in(file);
    if (!in) return fail(Errc::no_such, "cannot read the hook's configuration " + file);
    std::map<std::string, std::string> values;
    for (std::string line; std::getline(in, line);)
        if (const auto equals = line.find('='); equals != line.npos) values[line.substr(0, equals)] = line.substr(equals + 1);
    Needs needs{values["ROOT"], values["UNIT"]};
    // Both become part of a unit's settings and of a polkit rule.
    static const std::regex path("(/[A-Za-z0-9_-][A-Za-z0-9._-]*){2,}"), service("[A-Za-z0-9][A-Za-z0-9:_.@-]*\\.service");
    constexpr std::array<std::string_view, 15> not_for_releases{"/bin", "/boot", "/dev",  "/etc",           "/home",
                                                                "/lib", "/proc", "/root", "/run",           "/sbin",
                                                                "/sys", "/tmp",  "/usr",  "/var/lib/orchd", "/var/lib/private"};
    const bool reserved = std::ranges::any_of(not_for_releases, [&](std::string_view at) {
        return needs.root == at || needs.root.starts_with(std::string(at) + '/');
    });
    if (!std::regex_match(needs.root, path) || reserved)
        return fail(Errc::invalid_argument, file + ": ROOT='" + needs.root + "' is no place for releases; /srv/NAME is one");
    if (!std::regex_match(needs.unit, service) || needs.unit.starts_with("orchd"))
        return fail(Errc::invalid_argument, file + ": UNIT='" + needs.unit + "' is not the name of a service of yours");
    return needs;
}

// The file with this content, mode 0644; false where it was so already.
Result<bool> lay(const std::string& file, const std::string& content) {
    std::ifstream before(file, std::ios::binary);
    if (before && std::string(std::istreambuf_iterator<char>(before), {}) == content) return false;
    std::error_code failed;
    fs::create_directories(fs::path(file).parent_path(), failed);
    const auto unfinished = file + ".new";
    std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
    out << content;
    out.close();
    if (failed || !out || ::chmod(unfinished.c_str(), 0644) != 0 || ::rename(unfinished.c_str(), file.c_str()) != 0)
        return fail(Errc::io, "cannot write " + file + ": " + (failed ? failed.message() : std::strerror(errno)));
    return true;
}

Result<bool> make_root(const std::string& root, const std::string& user) {
    const auto* owner = ::getpwnam(user.c_str());
    if (owner == nullptr) return fail(Errc::no_such, "there is no user " + user + ": is the package installed?");
    std::error_code failed;
    fs::create_directories(root, failed);
    struct stat st {};
    if (failed || ::lstat(root.c_str(), &st) != 0) return fail(Errc::io, "cannot make " + root + ": " + failed.message());
    if (st.st_uid == owner->pw_uid) return false;
    if (!S_ISDIR(st.st_mode) || !fs::is_empty(root, failed) || failed)
        return fail(Errc::conflict,
                    root + " is in use and does not belong to " + user + ": give it to that user, or name another ROOT");
    if (::lchown(root.c_str(), owner->pw_uid, owner->pw_gid) != 0)
        return fail(Errc::io, "cannot give " + root + " to " + user + ": " + std::strerror(errno));
    return true;
}

Status reload_manager() {
    const auto ended = host::run({.argv = {"/usr/bin/systemctl", "daemon-reload"}, .timeout_ms = 60'000});
    if (!ended) return fail(ended.error());
    return ended->status == 0 ? Status{} : fail(Errc::unavailable, "systemctl daemon-reload failed: " + ended->err);
}

std::string drop_in(const std::string& project, const Needs& needs) {
    return "# Written by `orchctl project grant-deploy " + project + "`.\n[Service]\nReadWritePaths=-" + needs.root + '\n';
}

std::string rule(const std::string& project, const std::string& user, const Needs& needs) {
    return "// Written by `orchctl project grant-deploy " + project + "`: its deploy hook may manage this one unit.\n" +
           "polkit.addRule(function (action, subject) {\n"
           "    if (action.id == \"org.freedesktop.systemd1.manage-units\" && subject.user == \"" +
           user +
           "\" &&\n"
           "        action.lookup(\"unit\") == \"" +
           needs.unit +
           "\" &&\n"
           "        [\"start\", \"stop\", \"restart\", \"reset-failed\"].indexOf(action.lookup(\"verb\")) >= 0)\n"
           "        return polkit.Result.YES;\n"
           "    return polkit.Result.NOT_HANDLED;\n"
           "});\n";
}

}  // namespace

Result<Sentences> grant_deploy(const settings::Project& project, const GrantTo& to) {
    if (!project.deploy) return fail(Errc::invalid_argument, "project " + project.name + " has no [deploy] in " + project.file);
    if (project.deploy->hook != names::deploy_hook)
        return fail(Errc::invalid_argument, "the hook " + project.deploy->hook + " of project " + project.name +
                                                " is your own: grant what it needs by a drop-in in " + to.drop_ins);
    const auto needs = read_needs(project.deploy->config);
    if (!needs) return fail(needs.error());

    Sentences done;
    const auto say = [&](const Result<bool>& changed, const std::string& sentence) {
        if (changed && *changed) done.push_back(sentence);
        return changed ? Status{} : fail(changed.error());
    };
    const auto unit_settings = to.drop_ins + '/' + project.name + ".conf";
    const auto rules = to.rules + "/60-orchd-deploy-" + project.name + ".rules";
    if (auto ok = say(make_root(needs->root, to.user), "Gave " + needs->root + " to the user " + to.user + "."); !ok)
        return fail(ok.error());
    const auto laid = lay(unit_settings, drop_in(project.name, *needs));
    if (auto ok = say(laid, "Wrote " + unit_settings + ": deploys may write to " + needs->root + "."); !ok)
        return fail(ok.error());
    if (auto ok = say(lay(rules, rule(project.name, to.user, *needs)),
                      "Wrote " + rules + ": deploys may start, stop and restart " + needs->unit + ".");
        !ok)
        return fail(ok.error());
    if (!*laid) return done;
    if (auto ok = to.reload_manager ? to.reload_manager() : reload_manager(); !ok) {
        std::error_code ignored;
        fs::remove(unit_settings, ignored);  // so that the next call reloads
        return fail(ok.error());
    }
    return done;
}

}  // namespace orchd::orchctl
