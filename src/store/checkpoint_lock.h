// The lock that keeps checkpoints and commits apart: SQLite before 3.51.3 can corrupt a WAL database when one connection
// checkpoints while another commits the transaction that resets the WAL.
//
// Two bytes of a file beside the database, locked with open-file-description locks: every write transaction holds `gate`
// shared, a checkpoint exclusively; whoever wants `gate` passes the turnstile first, where a waiting checkpoint stands, so that
// overlapping writers cannot starve it. Waiting is polling with a deadline, not F_OFD_SETLKW: a process stopped inside a
// transaction must make the others fail with Errc::unavailable, not hang beyond their watchdogs.
#pragma once

#include <string>

#include "core/error.h"

namespace orchd::store {

class CheckpointLock {
public:
    // Opens the lock file (made with mode 0660).
    [[nodiscard]] static Result<CheckpointLock> open(const std::string& path);
    CheckpointLock() = default;
    CheckpointLock(CheckpointLock&& other) noexcept;
    CheckpointLock& operator=(CheckpointLock&& other) noexcept;
    ~CheckpointLock();

    // Errc::unavailable when it could not be had within `wait_ms`; then nothing is held.
    [[nodiscard]] Status lock_for_write(int wait_ms);
    [[nodiscard]] Status lock_for_checkpoint(int wait_ms);
    void unlock();

private:
    int fd_ = -1;
};

// Holds the lock for a scope.
class CheckpointGuard {
public:
    explicit CheckpointGuard(CheckpointLock& lock) : lock_(&lock) {}
    CheckpointGuard(const CheckpointGuard&) = delete;
    CheckpointGuard& operator=(const CheckpointGuard&) = delete;
    ~CheckpointGuard() { lock_->unlock(); }

private:
    CheckpointLock* lock_;
};

}  // namespace orchd::store
