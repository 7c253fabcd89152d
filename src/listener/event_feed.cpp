#include "listener/event_feed.h"

#include <sys/inotify.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <map>

#include "store/facts.h"
#include "views/events.h"

namespace orchd::listener {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_followers = 64;
constexpr std::size_t page_bytes = 32u << 10;
constexpr auto sign_of_life_every = 15s;
// A commit is visible a little after it was written to the WAL, when it is synced: so the history is looked at at once, not
// more often than this, and a few times more.
constexpr std::array<std::chrono::milliseconds, 5> looks_after{20ms, 50ms, 200ms, 1000ms, 4000ms};

}  // namespace

EventFeed::EventFeed(std::string wal, std::function<void()> wake)
    : wal_(std::move(wal)), wake_(std::move(wake)), inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

// Again with every sign of life: the file may be another by then.
void EventFeed::watch() { watch_ = ::inotify_add_watch(inotify_.get(), wal_.c_str(), IN_MODIFY); }

void EventFeed::forget_the_gone() {
    std::erase_if(followers_, [](const Follower& f) { return !f.stream.open(); });
    if (followers_.empty() && watch_ >= 0) ::inotify_rm_watch(inotify_.get(), std::exchange(watch_, -1));
}

void EventFeed::add(store::Db& db, net::Reply reply, std::optional<std::int64_t> after) {
    forget_the_gone();
    if (followers_.size() >= most_followers) {
        auto refusal = net::error_response(503, "too many follow the history already");
        refusal.fields.push_back({"Retry-After", "10"});
        return reply.send(std::move(refusal));
    }
    const auto newest = store::newest_event_id(db);
    if (!newest) return reply.send(net::error_response(503, newest.error().text));
    if (followers_.empty()) {
        watch();
        next_sign_ = Clock::now() + sign_of_life_every;
    }
    // Of a database that was restored, the ids may begin anew.
    const auto from = std::min(after.value_or(*newest), *newest);
    auto stream = reply.stream({.status = 200, .content_type = "text/event-stream", .body = "retry: 2000\n\n", .fields = {}});
    followers_.push_back({std::move(stream), from, std::make_shared<std::atomic<bool>>(false)});
    next_look_ = Clock::now();
}

void EventFeed::written() {
    std::array<char, 4096> events{};
    while (::read(inotify_.get(), events.data(), events.size()) > 0) {
    }
    looks_ = 0;
    const auto soon = Clock::now() + looks_after.front();
    if (!next_look_ || *next_look_ > soon) next_look_ = soon;
}

std::optional<EventFeed::Clock::time_point> EventFeed::due() const {
    if (followers_.empty()) return std::nullopt;
    if (resumed_) return Clock::time_point();
    return next_look_ ? std::min(*next_look_, next_sign_) : next_sign_;
}

Status EventFeed::pump(store::Db& db) {
    forget_the_gone();
    const auto now = Clock::now();
    if (next_look_ && *next_look_ <= now) {
        next_look_.reset();
        if (looks_ + 1 < looks_after.size()) next_look_ = now + looks_after[++looks_];
    }
    resumed_ = false;
    auto sent = send_new(db);
    if (now >= next_sign_) send_signs_of_life();
    return sent;
}

Status EventFeed::send_new(store::Db& db) {
    std::map<std::int64_t, views::EventPage> pages;  // most stand at the same event
    for (auto& follower : followers_) {
        if (*follower.sending) continue;
        auto page = pages.find(follower.last);
        if (page == pages.end()) {
            auto made = views::events_after(db, follower.last, page_bytes);
            if (!made) return fail(made.error());
            page = pages.emplace(follower.last, std::move(*made)).first;
        }
        if (page->second.text.empty()) continue;
        *follower.sending = true;
        follower.last = page->second.last;
        if (!follower.stream.write(page->second.text)) continue;
        follower.stream.when_sent([this, sending = follower.sending] {
            *sending = false;
            resumed_ = true;
            wake_();
        });
    }
    return {};
}

void EventFeed::send_signs_of_life() {
    next_sign_ = Clock::now() + sign_of_life_every;
    watch();
    for (auto& follower : followers_)
        if (!*follower.sending) (void)follower.stream.write(":\n\n");
}

}  // namespace orchd::listener
