#include "orchctl/repository.h"

#include <pwd.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "git/call.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;

Status give_to(const std::string& path, uid_t user, gid_t group) {
    std::error_code error;
    if (::lchown(path.c_str(), user, group) != 0) return fail(Errc::io, path + ": " + std::strerror(errno));
    for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
        if (::lchown(entry->path().c_str(), user, group) != 0) {
            return fail(Errc::io, entry->path().string() + ": " + std::strerror(errno));
        }
    }
    if (error) return fail(Errc::io, path + ": " + error.message());
    return {};
}

}  // namespace

Status make_repository(const std::string& path, const std::string& branch) {
    if (::geteuid() != 0) return fail(Errc::not_permitted, "Only root can give a repository to the user orchd: use sudo.");
    std::error_code error;
    if (fs::exists(fs::symlink_status(path, error))) return fail(Errc::conflict, path + " is there already: leave --init out.");
    const auto* owner = ::getpwnam("orchd");
    if (owner == nullptr) return fail(Errc::no_such, "There is no user orchd: is the package installed?");
    fs::create_directories(fs::path(path).parent_path(), error);
    if (error) return fail(Errc::not_permitted, path + ": " + error.message());
    // Group orchd pushes; what it adds stays the group's.
    auto made = git::output(
        {.repository = "",
         .args = {"init", "--quiet", "--bare", "--template=", "--shared=group", "--initial-branch=" + branch, path}});
    if (!made) return fail(made.error());
    // --shared denies what every rebased branch of a task is: a push that is no fast-forward.
    made = git::output({.repository = path, .args = {"config", "receive.denyNonFastforwards", "false"}});
    if (!made) return fail(made.error());
    return give_to(path, owner->pw_uid, owner->pw_gid);
}

}  // namespace orchd::orchctl
