// One recovery pass at a time on this host, whoever makes it: what a pass has read of the living stays true until it has acted
// on it. A second pass that requeued and restarted a job meanwhile would have the first one stop the new run's unit.
#pragma once

#include <optional>
#include <string>

#include "core/error.h"

namespace orchd::store {

class PassLock {
public:
    // flock(2) on DATABASE-pass, held until the object goes; nothing while another process has it.
    [[nodiscard]] static Result<std::optional<PassLock>> try_take(const std::string& database);
    PassLock(PassLock&& other) noexcept;
    PassLock& operator=(PassLock&& other) noexcept;
    ~PassLock();

private:
    explicit PassLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace orchd::store
