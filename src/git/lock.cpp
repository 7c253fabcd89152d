#include "git/lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "git/budget.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

// False where it is none by its name.
bool remove_if_leftover(const fs::path& file) {
    struct stat st {};
    const bool leftover = file.extension() == ".lock" || file.filename() == "packed-refs.new";
    if (!leftover || file.filename() == "orchd.lock") return false;
    if (::lstat(file.c_str(), &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == ::geteuid()) ::unlink(file.c_str());
    return true;
}

// flock(2) with a limit. The descriptor goes to children too: no O_CLOEXEC, see the header.
Result<host::Fd> lock_file(const std::string& file, int flags, int operation, const std::string& repository,
                           std::int64_t timeout_s) {
    constexpr int step_ms = 2;
    host::Fd fd(::open(file.c_str(), flags | O_NOFOLLOW, 0600));
    if (!fd.open() && (errno == EACCES || errno == EROFS))
        return fail(Errc::refused, repository + " may not be written by this unit (" + std::strerror(errno) +
                                       "): 'orchctl project check' says what it takes");
    if (!fd.open()) return fail(Errc::io, file + ": " + std::strerror(errno));
    for (auto left_ms = patience_ms(timeout_s); ::flock(fd.get(), operation | LOCK_NB) != 0; left_ms -= step_ms) {
        if (errno != EWOULDBLOCK && errno != EINTR) return fail(Errc::io, file + ": " + std::strerror(errno));
        if (left_ms <= 0)
            return fail(Errc::unavailable, repository + " was in use for more than " + std::to_string(timeout_s) + " s");
        ::poll(nullptr, 0, step_ms);
    }
    return fd;
}

}  // namespace

Result<RepositoryLock> RepositoryLock::take(const std::string& repository, std::int64_t timeout_s) {
    auto locked = lock_file(repository + "/orchd.lock", O_RDWR | O_CREAT, LOCK_EX, repository, timeout_s);
    if (!locked) return fail(locked.error());
    return RepositoryLock(repository, std::move(*locked));
}

Result<UseLock> UseLock::shared(const std::string& repository, std::int64_t timeout_s) {
    auto locked = lock_file(repository, O_RDONLY | O_DIRECTORY, LOCK_SH, repository, timeout_s);
    if (!locked) return fail(locked.error());
    return UseLock(std::move(*locked));
}

Result<UseLock> UseLock::alone(const std::string& repository, std::int64_t timeout_s) {
    auto locked = lock_file(repository, O_RDONLY | O_DIRECTORY, LOCK_EX, repository, timeout_s);
    if (!locked) return fail(locked.error());
    return UseLock(std::move(*locked));
}

int RepositoryLock::remove_leftovers() const { return remove_lock_files(repository_); }

int remove_lock_files(const std::string& repository) {
    std::error_code ignored;
    int others = 0;
    for (fs::directory_iterator at(repository, ignored), end; at != end; at.increment(ignored))
        (void)remove_if_leftover(at->path());
    for (fs::recursive_directory_iterator at(repository + "/refs", ignored), end; at != end; at.increment(ignored))
        if (!remove_if_leftover(at->path()) && at->is_regular_file(ignored)) ++others;
    return others;
}

}  // namespace orchd::git
