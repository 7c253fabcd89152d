// Whether what would be put on record just now would be: the other half of GET /health, beside reading. A small row is written
// on a connection of its own, so that what a fresh process would meet is met: a file that may not be written, a lock that is
// not given back, a full disk, a database that was lost. On a thread of its own, for the tries that wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/inodes.h"
#include "store/db.h"

namespace orchd::listener {

struct HealthParts {
    std::function<Result<store::Db>()> open;  // for writing, with little patience
    std::function<std::int64_t()> free_bytes;
    std::function<Inodes()> inodes;
    std::function<std::int64_t()> utc_ms;
};

class Health {
public:
    using Answer = std::function<void(const Status&)>;  // Errc::no_space where it is the disk
    explicit Health(HealthParts parts);
    Health(const Health&) = delete;
    // Answers who waits.
    ~Health();

    // All who ask while one try is under way are answered by the next. A try that went well is good for a second, so that
    // asking often writes no more. Any thread; `answer` is called on this one's.
    void ask(Answer answer);

private:
    using Clock = std::chrono::steady_clock;
    void work();
    [[nodiscard]] Status look();
    [[nodiscard]] Status try_to_write() const;

    HealthParts parts_;
    std::optional<Clock::time_point> well_at_;
    std::mutex mutex_;  // of what follows
    std::condition_variable changed_;
    std::vector<Answer> waiting_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace orchd::listener
