#include "store/checkpoint_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace orchd::store {
namespace {

using namespace std::chrono_literals;

enum Byte : off_t { gate = 0, turnstile = 1 };

int set_lock(int fd, Byte byte, short type) {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    return ::fcntl(fd, F_OFD_SETLK, &lock);
}

// The waits are far shorter than any deadline, so that the sum of sleeps is time enough to judge it by.
Status lock_byte(int fd, Byte byte, short type, std::chrono::microseconds& left) {
    auto pause = 50us;
    while (set_lock(fd, byte, type) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return fail_by_database(Errc::io, std::string("the checkpoint lock cannot be taken: ") + std::strerror(errno));
        if (left <= 0us)
            return fail_by_database(Errc::unavailable, "the database is busy: another process holds its checkpoint lock");
        std::this_thread::sleep_for(pause);
        left -= pause;
        pause = std::min(pause * 2, std::chrono::microseconds(2ms));
    }
    return {};
}

}  // namespace

Result<CheckpointLock> CheckpointLock::open(const std::string& path) {
    CheckpointLock lock;
    lock.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (lock.fd_ >= 0) {
        // Whatever the umask, the group's members write too.
        if (::fchmod(lock.fd_, 0660) != 0) return fail(Errc::io, path + ": " + std::strerror(errno));
        return lock;
    }
    lock.fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock.fd_ < 0) return fail(errno == EACCES ? Errc::not_permitted : Errc::io, path + ": " + std::strerror(errno));
    return lock;
}

CheckpointLock::CheckpointLock(CheckpointLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
CheckpointLock& CheckpointLock::operator=(CheckpointLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}
CheckpointLock::~CheckpointLock() {
    if (fd_ >= 0) ::close(fd_);
}

Status CheckpointLock::lock_for_write(int wait_ms) {
    std::chrono::microseconds left = std::chrono::milliseconds(wait_ms);
    if (auto passed = lock_byte(fd_, turnstile, F_RDLCK, left); !passed) return passed;
    auto entered = lock_byte(fd_, gate, F_RDLCK, left);
    (void)set_lock(fd_, turnstile, F_UNLCK);
    return entered;
}

Status CheckpointLock::lock_for_checkpoint(int wait_ms) {
    std::chrono::microseconds left = std::chrono::milliseconds(wait_ms);
    if (auto passed = lock_byte(fd_, turnstile, F_WRLCK, left); !passed) return passed;
    auto entered = lock_byte(fd_, gate, F_WRLCK, left);
    // Kept until the end where it succeeded: nobody else is to pass meanwhile.
    if (!entered) (void)set_lock(fd_, turnstile, F_UNLCK);
    return entered;
}

void CheckpointLock::unlock() {
    (void)set_lock(fd_, gate, F_UNLCK);
    (void)set_lock(fd_, turnstile, F_UNLCK);
}

}  // namespace orchd::store
