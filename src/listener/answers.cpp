#include "listener/answers.h"

#include <utility>

#include "core/time.h"

namespace orchd::listener {
namespace {

using namespace std::chrono_literals;

constexpr auto tell_every = 60s;

// What a healthy client never gets. A page that is not there, or a database that cannot be read, says nothing of who asked;
// the reader tells of the second itself.
bool refusal(int status) { return status >= 400 && status != 404 && status < 500; }

}  // namespace

void Answers::count(int status, const std::string& source, Clock::time_point now) {
    Refusals refusals{.status = status, .last_source = source};
    {
        const std::lock_guard lock(mutex_);
        auto& of = by_status_[status];
        ++of.total;
        if (!refusal(status)) return;
        ++of.untold;
        of.last_source = source;
        if (!due_again(of.told_at, now, tell_every)) return;
        refusals.count = std::exchange(of.untold, 0);
    }
    tell_(refusals);
}

void Answers::tell_rest(bool all, Clock::time_point now) {
    std::vector<Refusals> due;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [status, of] : by_status_) {
            if (of.untold == 0) continue;
            if (!due_again(of.told_at, now, tell_every) && !all) continue;
            due.push_back({.status = status, .count = std::exchange(of.untold, 0), .last_source = of.last_source});
        }
    }
    for (const auto& refusals : due) tell_(refusals);
}

views::HttpAnswers Answers::totals() const {
    const std::lock_guard lock(mutex_);
    views::HttpAnswers all;
    for (const auto& [status, of] : by_status_) all[status] = of.total;
    return all;
}

}  // namespace orchd::listener
