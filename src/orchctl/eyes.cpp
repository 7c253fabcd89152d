#include "orchctl/eyes.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/fd.h"
#include "host/host.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;

// Of systemd's dynamic users: nobody's files are theirs.
constexpr ::uid_t some_dynamic_user = 61184;

constexpr const char* asked =
    "User,Group,DynamicUser,ProtectHome,PrivateTmp,TemporaryFileSystem,InaccessiblePaths,BindPaths,"
    "BindReadOnlyPaths";
// What every unit of ours ships with, for a host where PID 1 cannot be asked.
constexpr const char* as_shipped = "ProtectHome=yes\nPrivateTmp=yes\n";

std::string value_of(const std::string& shown, std::string_view key) {
    std::istringstream in(shown);
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(std::string(key) + '=')) return line.substr(key.size() + 1);
    return {};
}

// The paths of a list such as "-/etc/orchd /run:ro,mode=755 /a:/b:rbind": with `which`, the part between the colons.
std::vector<std::string> paths(const std::string& list, std::size_t which) {
    std::vector<std::string> all;
    std::istringstream in(list);
    for (std::string word; in >> word;) {
        word.erase(0, word.find_first_not_of("-+"));
        std::vector<std::string> parts;
        std::istringstream fields(word);
        for (std::string part; std::getline(fields, part, ':');) parts.push_back(part);
        const auto& part = which < parts.size() && parts[which].starts_with('/') ? parts[which]
                           : parts.empty()                                       ? word
                                                                                 : parts[0];
        if (part.starts_with('/')) all.push_back(part);
    }
    return all;
}

// How deep the folder lies above the path; 0 where it does not.
std::size_t depth_above(const std::string& folder, const std::string& path) {
    return path == folder || path.starts_with(folder + '/') ? folder.size() : 0;
}

bool hides(const Eyes& eyes, const std::string& path) {
    const auto deepest = [&](const std::vector<std::string>& folders) {
        std::size_t depth = 0;
        for (const auto& folder : folders) depth = std::max(depth, depth_above(folder, path));
        return depth;
    };
    return deepest(eyes.hidden) > deepest(eyes.shown);
}

Status become(const Eyes& eyes) {
    auto uid = some_dynamic_user;
    auto gid = static_cast<::gid_t>(some_dynamic_user);
    if (!eyes.user.empty()) {
        const auto* user = ::getpwnam(eyes.user.c_str());
        if (user == nullptr) return fail(Errc::no_such, "there is no user " + eyes.user);
        uid = user->pw_uid;
        gid = user->pw_gid;
        if (!eyes.group.empty()) {
            const auto* group = ::getgrnam(eyes.group.c_str());
            if (group == nullptr) return fail(Errc::no_such, "there is no group " + eyes.group);
            gid = group->gr_gid;
        }
        if (::initgroups(eyes.user.c_str(), gid) != 0) return fail(Errc::not_permitted, std::strerror(errno));
    } else if (::setgroups(0, nullptr) != 0) {
        return fail(Errc::not_permitted, std::strerror(errno));
    }
    if (::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0)
        return fail(Errc::not_permitted, std::strerror(errno));
    return {};
}

// In the child: '+' and what was seen, or '-' and why nobody looked.
[[noreturn]] void look_and_leave(const Eyes& eyes, const std::function<std::string()>& look, int to) {
    std::string answer;
    try {
        const auto status = become(eyes);
        answer = status ? '+' + look() : '-' + status.error().text;
    } catch (const std::exception& thrown) {
        answer = std::string("-") + thrown.what();
    }
    for (std::string_view left = answer; !left.empty();) {
        const auto n = ::write(to, left.data(), left.size());
        if (n < 0 && errno != EINTR) break;
        if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
    }
    ::_exit(0);
}

std::string who(const Eyes& eyes) { return eyes.user.empty() ? "the user of a run" : "the user " + eyes.user; }

std::string verb(int mode) {
    if ((mode & W_OK) != 0) return "written";
    return (mode & X_OK) != 0 && (mode & R_OK) == 0 ? "entered or run" : "read";
}

}  // namespace

Eyes eyes_from(const std::string& unit, const std::string& shown) {
    Eyes eyes{.unit = unit};
    if (value_of(shown, "DynamicUser") != "yes") {
        eyes.user = value_of(shown, "User");
        eyes.group = value_of(shown, "Group");
    }
    const auto hide = [&](const std::vector<std::string>& folders, const char* by) {
        if (folders.empty()) return;
        eyes.hidden.insert(eyes.hidden.end(), folders.begin(), folders.end());
        eyes.hidden_by += (eyes.hidden_by.empty() ? "" : ", ") + std::string(by);
    };
    const auto home = value_of(shown, "ProtectHome");
    if (home == "yes" || home == "tmpfs") hide({"/home", "/root", "/run/user"}, "ProtectHome=");
    if (value_of(shown, "PrivateTmp") == "yes") hide({"/tmp", "/var/tmp"}, "PrivateTmp=");
    hide(paths(value_of(shown, "TemporaryFileSystem"), 0), "TemporaryFileSystem=");
    hide(paths(value_of(shown, "InaccessiblePaths"), 0), "InaccessiblePaths=");
    for (const auto* key : {"BindPaths", "BindReadOnlyPaths"})
        for (auto& path : paths(value_of(shown, key), 1)) eyes.shown.push_back(std::move(path));
    return eyes;
}

Eyes eyes_of(const std::string& unit) {
    auto instance = unit;
    if (const auto at = instance.find("@."); at != std::string::npos) instance.insert(at + 1, "CHECK-1");
    host::Child child;
    child.argv = {"/usr/bin/systemctl", "show", "--property=" + std::string(asked), instance};
    child.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
    child.timeout_ms = 10'000;
    const auto ended = host::run(child);
    const bool told = ended && ended->status == 0 && ended->out.find("ProtectHome=") != std::string::npos;
    return eyes_from(unit, told ? ended->out : as_shipped);
}

Result<std::string> seen_by(const Eyes& eyes, const std::function<std::string()>& look) {
    if (::geteuid() != 0) return fail(Errc::not_permitted, "only root can look with other eyes: use sudo");
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Errc::io, std::strerror(errno));
    host::Fd from(ends[0]), to(ends[1]);
    const auto child = ::fork();
    if (child < 0) return fail(Errc::io, std::strerror(errno));
    if (child == 0) look_and_leave(eyes, look, to.get());
    to.reset();
    std::string answer;
    std::array<char, 4096> part{};
    for (;;) {
        const auto n = ::read(from.get(), part.data(), part.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        answer.append(part.data(), static_cast<std::size_t>(n));
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    if (answer.starts_with('+')) return answer.substr(1);
    return fail(Errc::no_such, answer.empty() ? "nobody could look as " + who(eyes) : answer.substr(1));
}

std::optional<std::string> unusable(const Eyes& eyes, const std::string& path, int mode) {
    std::error_code ignored;
    const auto real = fs::weakly_canonical(path, ignored).string();
    for (const auto& seen : {path, real})
        if (hides(eyes, seen))
            return path + " is not seen by " + eyes.unit + (seen == path ? "" : " (it leads to " + seen + ")") +
                   ", whose sandbox hides it (" + eyes.hidden_by + "); keep it elsewhere, such as in /usr/local or /opt";
    if (::geteuid() != 0) return std::nullopt;
    const auto wrong = seen_by(eyes, [&] {
        return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 ? std::string() : std::string(std::strerror(errno));
    });
    if (!wrong) return path + ": " + wrong.error().text;
    if (wrong->empty()) return std::nullopt;
    return path + " cannot be " + verb(mode) + " by " + who(eyes) + " of " + eyes.unit + ": " + *wrong +
           "; look at the modes of it and of the folders above it";
}

std::optional<std::string> unusable_program(const Eyes& eyes, const std::string& path) {
    std::ifstream in(path);
    std::string first;
    if (in) std::getline(in, first);
    const bool script = first.starts_with("#!");
    if (auto wrong = unusable(eyes, path, script ? R_OK | X_OK : X_OK)) return wrong;
    if (!script) return std::nullopt;
    std::istringstream words(first.substr(2));
    std::string interpreter;
    words >> interpreter;
    if (!interpreter.starts_with('/')) return std::nullopt;
    const auto wrong = unusable(eyes, interpreter, X_OK);
    if (!wrong) return std::nullopt;
    return path + " is run by " + interpreter + ": " + *wrong;
}

}  // namespace orchd::orchctl
