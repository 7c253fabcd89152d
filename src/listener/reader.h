// Reading for HTTP, on a thread of its own, so that nothing that is read delays a delivery. Pages are made from one snapshot
// each, and those who ask for the same page at the same time get the same one.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "listener/event_feed.h"
#include "listener/view_source.h"

namespace orchd::listener {

class Reader {
public:
    using Make = std::function<Result<std::string>(const views::WorldView&)>;
    using Answer = std::function<void(const Result<std::string>&)>;

    // `warn` is told, once a minute at most, what could not be read.
    Reader(ReadOptions options, std::function<void(const std::string&)> warn);
    Reader(const Reader&) = delete;
    ~Reader();

    // The page of that name, as `make` makes it from a snapshot that was taken after this call. Any thread; `answer` is called
    // on the reader's. A page is made fifty times a second at most: who asks more often waits for the next one.
    void ask(const std::string& name, Make make, Answer answer);
    // Follows the history.
    void follow(net::Reply reply, std::optional<std::int64_t> after);

private:
    using Clock = std::chrono::steady_clock;
    struct Question {
        Make make;
        std::vector<Answer> answers;
    };
    struct Page {
        std::string text;
        std::int64_t version = 0;  // store::data_version when it was made
        Clock::time_point made_at;
    };
    struct Newcomer {
        net::Reply reply;
        std::optional<std::int64_t> after;
    };
    void run();
    void wait();
    void wake();
    [[nodiscard]] std::optional<Clock::time_point> next_page_due();
    void answer_due();
    [[nodiscard]] Result<std::string> page(const std::string& name, const Make& make);
    void admit();
    void pump();
    void complain(const Error& error);

    ViewSource source_;
    std::function<void(const std::string&)> warn_;
    host::Fd wakeup_;
    EventFeed feed_;
    std::map<std::string, Page> pages_;  // made lately
    std::optional<Clock::time_point> complained_;

    std::mutex mutex_;  // of what follows
    std::map<std::string, Question> questions_;
    std::vector<Newcomer> newcomers_;
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

}  // namespace orchd::listener
