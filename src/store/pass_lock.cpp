#include "store/pass_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <utility>

namespace orchd::store {

Result<std::optional<PassLock>> PassLock::try_take(const std::string& database) {
    const auto path = database + "-pass";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0) return fail(errno == EACCES ? Errc::not_permitted : Errc::io, path + ": " + std::strerror(errno));
    PassLock lock(fd);
    struct stat seen {};
    // Whatever the umask of who made it, the group's members open it too.
    if (::fstat(fd, &seen) == 0 && seen.st_uid == ::geteuid()) (void)::fchmod(fd, 0660);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) return std::nullopt;
    return fail(Errc::io, path + ": " + std::strerror(errno));
}

PassLock::PassLock(PassLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
PassLock& PassLock::operator=(PassLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}
PassLock::~PassLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace orchd::store
