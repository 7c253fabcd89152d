#include "store/worker_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <utility>

namespace orchd::store {
namespace {

std::string path_of(const std::string& database) { return database + "-worker"; }

struct flock whole_file(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

Result<WorkerLock> WorkerLock::take(const std::string& database) {
    const auto path = path_of(database);
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0) return fail(errno == EACCES ? Errc::not_permitted : Errc::io, path + ": " + std::strerror(errno));
    WorkerLock lock(fd);
    struct stat seen {};
    // Whatever the umask of who made it, the group's members open it too.
    if (::fstat(fd, &seen) == 0 && seen.st_uid == ::geteuid()) (void)::fchmod(fd, 0660);
    // Of the open file and not of the process: nothing else that this process opens and closes lets go of it.
    auto shared = whole_file(F_RDLCK);
    if (::fcntl(fd, F_OFD_SETLK, &shared) == 0) return lock;
    return fail(Errc::io, path + ": " + std::strerror(errno));
}

WorkerLock::WorkerLock(WorkerLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
WorkerLock& WorkerLock::operator=(WorkerLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}
WorkerLock::~WorkerLock() {
    if (fd_ >= 0) ::close(fd_);
}

std::optional<bool> worker_lives(const std::string& database) {
    const int fd = ::open(path_of(database).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return std::nullopt;
    // Only asked whether it could be had alone, never taken: who looks keeps no worker out.
    auto alone = whole_file(F_WRLCK);
    const int asked = ::fcntl(fd, F_OFD_GETLK, &alone);
    ::close(fd);
    if (asked != 0) return std::nullopt;
    return alone.l_type != F_UNLCK;
}

}  // namespace orchd::store
