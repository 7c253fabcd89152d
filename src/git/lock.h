// Who may write references of a repository of ours, or of a local forge: one process of this user at a time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/error.h"
#include "host/fd.h"

namespace orchd::git {

// flock(2) on REPOSITORY/orchd.lock, held until the object goes. The descriptor is inherited by git children on purpose: where
// the holder is killed and its git lives on for a moment, the lock is still taken. So who holds it knows that any lock file of
// git's own made by this user is a leftover of a killed git, which would block that reference for ever.
class RepositoryLock {
public:
    // Errc::unavailable after `timeout_s`; refused where the repository may not be written.
    [[nodiscard]] static Result<RepositoryLock> take(const std::string& repository, std::int64_t timeout_s);
    // Removes git's lock files of this user from the repository. How many references have a file of their own there.
    int remove_leftovers() const;

private:
    RepositoryLock(std::string repository, host::Fd fd) : repository_(std::move(repository)), fd_(std::move(fd)) {}
    std::string repository_;
    host::Fd fd_;
};

// Whether a repository's objects may be packed and pruned: flock(2) on its folder, shared by every process that has it open as
// a Mirror, alone for who packs it. Inherited by git children like the one above.
class UseLock {
public:
    // Errc::unavailable after `timeout_s`.
    [[nodiscard]] static Result<UseLock> shared(const std::string& repository, std::int64_t timeout_s);
    [[nodiscard]] static Result<UseLock> alone(const std::string& repository, std::int64_t timeout_s);

private:
    explicit UseLock(host::Fd fd) : fd_(std::move(fd)) {}
    host::Fd fd_;
};

// Removes regular files NAME.lock, and packed-refs.new, of this user in the repository's folder and under refs/. How many other
// files are under refs/.
int remove_lock_files(const std::string& repository);

}  // namespace orchd::git
