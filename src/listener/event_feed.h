// Those who follow the history (GET /events). Each gets one page at a time and the next when that is sent, so that a client
// that reads slowly costs a page, and is dropped by the server when it does not read at all. Used on the reader's thread;
// outlives the server's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "host/fd.h"
#include "net/router.h"
#include "views/views.h"

namespace orchd::listener {

class EventFeed {
public:
    using Clock = std::chrono::steady_clock;

    // `wake` may be called from any thread; the reader then calls pump(). The database's WAL, `wal`, is watched while anybody
    // follows.
    EventFeed(std::string wal, std::function<void()> wake);

    // Follows from the event `after`, or from now on. Answers 503 where there are too many already.
    void add(store::Db& db, net::Reply reply, std::optional<std::int64_t> after);
    // Readable when the WAL was written; -1 where that cannot be watched.
    [[nodiscard]] int watched() const { return inotify_.get(); }
    void written();
    // When pump() is to be called next, if anybody follows.
    [[nodiscard]] std::optional<Clock::time_point> due() const;
    // Sends what is new, and a sign of life where nothing was for a while. An error leaves everybody where they are.
    [[nodiscard]] Status pump(store::Db& db);

private:
    struct Follower {
        net::Stream stream;
        std::int64_t last;                           // the id of the last event that was sent
        std::shared_ptr<std::atomic<bool>> sending;  // its last page is on its way
    };
    void watch();
    void forget_the_gone();
    [[nodiscard]] Status send_new(store::Db& db);
    void send_signs_of_life();
    std::string wal_;
    std::function<void()> wake_;
    host::Fd inotify_;
    int watch_ = -1;
    std::list<Follower> followers_;
    Clock::time_point next_sign_;
    std::optional<Clock::time_point> next_look_;
    std::size_t looks_ = 0;              // since the WAL was last written
    std::atomic<bool> resumed_ = false;  // somebody's page is sent: the next may be due
};

}  // namespace orchd::listener
