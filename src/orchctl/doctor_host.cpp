#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>

#include "core/names.h"
#include "host/host.h"
#include "orchctl/doctor.h"

namespace orchd::orchctl {
namespace {

// What a program says, without its last line end; nothing where it cannot be run. Its exit status is not looked at:
// `systemctl is-active` says "inactive" with one of 3.
std::optional<std::string> output_of(const std::vector<std::string>& argv) {
    host::Child child;
    child.argv = argv;
    child.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
    child.timeout_ms = 10'000;
    auto ended = host::run(child);
    if (!ended || ended->timed_out) return std::nullopt;
    while (!ended->out.empty() && ended->out.back() == '\n') ended->out.pop_back();
    return ended->out;
}

std::vector<std::string> lines(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) all.push_back(line);
    return all;
}

std::string first_word(const std::string& line) { return line.substr(0, line.find(' ')); }

// The first "MAJOR.MINOR" or "MAJOR" of the text, as MAJOR * 1000 + MINOR.
int version_in(const std::string& text) {
    const auto at = text.find_first_of("0123456789");
    if (at == std::string::npos) return 0;
    char* end = nullptr;
    const auto major = std::strtol(text.c_str() + at, &end, 10);
    const auto minor = *end == '.' ? std::strtol(end + 1, nullptr, 10) : 0;
    return static_cast<int>(major * 1000 + minor);
}

void look_at_program(Findings& findings, const std::string& name, const std::vector<std::string>& argv, int least,
                     const std::string& least_text) {
    const auto text = output_of(argv);
    if (!text || text->empty()) {
        findings.push_back({name, Health::fail, argv.front() + " cannot be run.", "Install it."});
        return;
    }
    const auto said = lines(*text).front();
    if (version_in(said) >= least)
        findings.push_back({name, Health::ok, said + ".", {}});
    else
        findings.push_back({name, Health::fail, said + ".", "orchd needs " + least_text + " or newer."});
}

bool in_group(const char* group, const char* user) {
    const auto* found = ::getgrnam(group);
    if (found == nullptr) return false;
    for (char** member = found->gr_mem; *member != nullptr; ++member)
        if (std::string(*member) == user) return true;
    return false;
}

struct Folder {
    std::string path;
    const char *user, *group;
    unsigned mode;
};

std::string mode_text(unsigned mode) {
    std::ostringstream out;
    out << std::oct << mode;
    return out.str();
}

void look_at_folder(Findings& findings, const Folder& folder) {
    struct stat seen {};
    constexpr const char* advice = "Run: systemd-tmpfiles --create orchd.conf";
    if (::lstat(folder.path.c_str(), &seen) != 0 || !S_ISDIR(seen.st_mode)) {
        findings.push_back({"folders", Health::fail, folder.path + " is no folder that can be seen.", advice});
        return;
    }
    const auto* user = ::getpwuid(seen.st_uid);
    const auto* group = ::getgrgid(seen.st_gid);
    const std::string owner =
        std::string(user == nullptr ? "?" : user->pw_name) + ':' + (group == nullptr ? "?" : group->gr_name);
    const std::string wanted = std::string(folder.user) + ':' + folder.group;
    if (owner == wanted && (seen.st_mode & 07777U) == folder.mode) return;
    findings.push_back({"folders", Health::fail,
                        folder.path + " is " + owner + " " + mode_text(seen.st_mode & 07777U) + ", not " + wanted + " " +
                            mode_text(folder.mode) + ".",
                        advice});
}

}  // namespace

void look_at_programs(Findings& findings) {
    look_at_program(findings, "systemd", {"/usr/bin/systemctl", "--version"}, 252'000, "252");
    look_at_program(findings, "git", {"/usr/bin/git", "--version"}, 2'038, "2.38");
}

void look_at_users(Findings& findings) {
    const auto before = findings.size();
    for (const auto* user : {"orchd", "orchd-worker", "orchd-listener", "orchd-deploy"})
        if (::getpwnam(user) == nullptr)
            findings.push_back(
                {"users", Health::fail, std::string("There is no user ") + user + ".", "Run: systemd-sysusers orchd.conf"});
    for (const auto* user : {"orchd", "orchd-worker", "orchd-listener"})
        if (!in_group("orchd-db", user))
            findings.push_back({"users", Health::fail, std::string(user) + " is not in the group orchd-db.",
                                "Run: systemd-sysusers orchd.conf"});
    if (findings.size() == before) findings.push_back({"users", Health::ok, "Users and groups are there.", {}});
    std::error_code error;
    if (std::filesystem::exists("/usr/share/polkit-1/rules.d/50-orchd.rules", error))
        findings.push_back({"polkit", Health::ok, "The worker's rule is in place.", {}});
    else
        findings.push_back({"polkit", Health::fail, "The rule 50-orchd.rules is not there: the worker may start nothing.",
                            "Install the package again."});
}

void look_at_folders(Findings& findings) {
    const auto before = findings.size();
    for (const auto& folder : {Folder{std::string(names::state_dir), "orchd", "orchd-db", 02770},
                               Folder{std::string(names::mirrors_dir), "orchd", "orchd", 0750},
                               Folder{std::string(names::releases_dir), "orchd", "orchd", 0755},
                               Folder{std::string(names::backups_dir), "orchd", "orchd-db", 02770},
                               Folder{std::string(names::run_dir), "orchd", "orchd-db", 0755}})
        look_at_folder(findings, folder);
    if (findings.size() == before) findings.push_back({"folders", Health::ok, "Folders have their owners and modes.", {}});
}

// An administrator who disabled a timer wanted it so; a failed one was not.
Finding idle_unit(const std::string& unit, const std::string& state, const std::string& enabled) {
    const bool masked = enabled.starts_with("masked");  // for good, or until the next boot: masked-runtime
    const auto unmask = "Run: systemctl unmask " + std::string(enabled == "masked" ? "" : "--runtime ") + unit + " && ";
    if ((masked || enabled == "disabled") && state != "failed" && unit.ends_with(".timer"))
        return {"units", Health::warn, unit + " is " + enabled + ": what it starts is not done by itself.",
                (masked ? unmask : "Run: ") + "systemctl enable --now " + unit};
    if (masked) return {"units", Health::fail, unit + " is masked: nobody can start it.", unmask + "systemctl start " + unit};
    return {"units", Health::fail, unit + " is " + state + ".", "Run: systemctl start orchd.target"};
}

void look_at_units(Findings& findings) {
    const auto enabled = output_of({"/usr/bin/systemctl", "is-enabled", "orchd.target"});
    if (!enabled) return findings.push_back({"units", Health::fail, "systemctl cannot be run.", {}});
    const auto before = findings.size();
    if (*enabled != "enabled")
        findings.push_back({"units", Health::warn, "orchd.target is " + *enabled + ": it does not start with the host.",
                            "Run: systemctl enable orchd.target"});
    std::vector<std::string> wanted{"orchd.target", "orchd-worker.service"};
    for (const auto& line : lines(output_of({"/usr/bin/systemctl", "list-unit-files", "--no-legend", "--no-pager",
                                             "orchd-*.socket", "orchd-*.timer"})
                                      .value_or("")))
        wanted.push_back(first_word(line));
    for (const auto& unit : wanted) {
        const auto state = output_of({"/usr/bin/systemctl", "is-active", unit}).value_or("unknown");
        if (state == "active") continue;
        const auto wanted_by_admin = output_of({"/usr/bin/systemctl", "is-enabled", unit}).value_or("unknown");
        findings.push_back(idle_unit(unit, state, wanted_by_admin));
    }
    for (const auto& line :
         lines(output_of({"/usr/bin/systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager", "orchd*"})
                   .value_or("")))
        findings.push_back(
            {"units", Health::warn, first_word(line) + " has failed.", "See: journalctl -u " + first_word(line)});
    if (findings.size() == before)
        findings.push_back({"units", Health::ok, std::to_string(wanted.size()) + " units are active, none has failed.", {}});
}

void look_at_clock(Findings& findings) {
    const auto said = output_of({"/usr/bin/timedatectl", "show", "--property=NTPSynchronized", "--value"});
    if (said && *said == "yes") return findings.push_back({"clock", Health::ok, "The clock is kept by the network.", {}});
    findings.push_back({"clock", Health::warn, "The clock is not known to be kept by the network.",
                        "Times in histories may be wrong; run limits do not depend on it."});
}

}  // namespace orchd::orchctl
