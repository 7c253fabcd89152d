#include "daemons/service_user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "core/names.h"

namespace orchd::daemons {

Status leave_root(const std::string& user) {
    if (::geteuid() != 0) return {};
    errno = 0;
    const auto* known = ::getpwnam(user.c_str());
    if (known == nullptr)
        return fail(Errc::no_such, "there is no user " + user + ", as whom this works: run `systemd-sysusers orchd.conf`");
    const auto uid = known->pw_uid;
    const std::string group(names::database_group);
    const auto* of_database = ::getgrnam(group.c_str());
    if (of_database == nullptr)
        return fail(Errc::no_such, "there is no group " + group + ": run `systemd-sysusers orchd.conf`");
    const auto gid = of_database->gr_gid;
    if (::initgroups(user.c_str(), gid) != 0 || ::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0)
        return fail(Errc::not_permitted, "cannot become the user " + user + ": " + std::strerror(errno));
    ::umask(0007);  // UMask= of the units
    return {};
}

}  // namespace orchd::daemons
