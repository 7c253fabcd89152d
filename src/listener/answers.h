// How many requests were answered how, and what of it the journal hears: refusals by their status, each a line a minute at
// most, and each of them in the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "views/views.h"

namespace orchd::listener {

class Answers {
public:
    using Clock = std::chrono::steady_clock;
    struct Refusals {
        int status = 0;
        std::int64_t count = 0;   // since the last line of this status
        std::string last_source;  // of the newest
    };
    using Tell = std::function<void(const Refusals&)>;

    explicit Answers(Tell tell) : tell_(std::move(tell)) {}
    // One more. Any thread.
    void count(int status, const std::string& source, Clock::time_point now = Clock::now());
    // Tells what was held back and is due by now; `all`: whatever is due when, since nobody will ask again. Any thread.
    void tell_rest(bool all, Clock::time_point now = Clock::now());
    // All since the start, by status. Any thread.
    [[nodiscard]] views::HttpAnswers totals() const;

private:
    struct OfStatus {
        std::int64_t total = 0, untold = 0;
        std::string last_source;
        std::optional<Clock::time_point> told_at;
    };
    Tell tell_;
    mutable std::mutex mutex_;
    std::map<int, OfStatus> by_status_;
};

}  // namespace orchd::listener
