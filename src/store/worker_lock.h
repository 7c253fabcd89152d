// Whether there is a worker, as the kernel knows it: the worker holds a lock for as long as its loop turns, and whoever answers
// why nothing is started looks whether anybody does. No bus and no clock is needed for it, and no process that died is taken
// for alive.
#pragma once

#include <optional>
#include <string>

#include "core/error.h"

namespace orchd::store {

class WorkerLock {
public:
    // Shared, on DATABASE-worker, held until the object goes.
    [[nodiscard]] static Result<WorkerLock> take(const std::string& database);
    WorkerLock(WorkerLock&& other) noexcept;
    WorkerLock& operator=(WorkerLock&& other) noexcept;
    ~WorkerLock();

private:
    explicit WorkerLock(int fd) : fd_(fd) {}
    int fd_;
};

// Nothing where that cannot be seen: no worker of this version ever ran beside this database, or the file may not be read.
[[nodiscard]] std::optional<bool> worker_lives(const std::string& database);

}  // namespace orchd::store
