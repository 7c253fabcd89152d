#include "listener/reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <utility>

#include "core/time.h"
#include "store/totals.h"

namespace orchd::listener {
namespace {

using namespace std::chrono_literals;

constexpr auto page_every = 20ms;
// Of what changes without a commit (free space, the time) a page may be this old.
constexpr auto page_lives = 1s;
constexpr auto complain_every = 60s;

}  // namespace

Reader::Reader(ReadOptions options, std::function<void(const std::string&)> warn)
    : source_(std::move(options)),
      warn_(std::move(warn)),
      wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      feed_(source_.database() + "-wal", [this] { wake(); }),
      thread_([this] { run(); }) {}

Reader::~Reader() {
    ending_ = true;
    wake();
    thread_.join();
}

void Reader::wake() { (void)::eventfd_write(wakeup_.get(), 1); }

void Reader::ask(const std::string& name, Make make, Answer answer) {
    {
        const std::lock_guard lock(mutex_);
        auto& question = questions_[name];
        question.make = std::move(make);
        question.answers.push_back(std::move(answer));
    }
    wake();
}

void Reader::follow(net::Reply reply, std::optional<std::int64_t> after) {
    {
        const std::lock_guard lock(mutex_);
        newcomers_.push_back({std::move(reply), after});
    }
    wake();
}

void Reader::run() {
    while (!ending_) {
        wait();
        admit();
        answer_due();
        pump();
    }
}

// Until something is due, asked or written.
void Reader::wait() {
    auto due = next_page_due();
    if (const auto feed = feed_.due(); feed && (!due || *feed < *due)) due = feed;
    int timeout_ms = -1;
    if (due) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - Clock::now());
        timeout_ms = static_cast<int>(std::max(left, 0ms).count());
    }
    std::array<pollfd, 2> waiting{{{wakeup_.get(), POLLIN, 0}, {feed_.watched(), POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), timeout_ms) <= 0) return;
    eventfd_t count = 0;
    if (waiting[0].revents != 0) (void)::eventfd_read(wakeup_.get(), &count);
    if (waiting[1].revents != 0) feed_.written();
}

std::optional<Reader::Clock::time_point> Reader::next_page_due() {
    const std::lock_guard lock(mutex_);
    std::optional<Clock::time_point> due;
    for (const auto& [name, question] : questions_) {
        const auto page = pages_.find(name);
        const auto at = page == pages_.end() ? Clock::time_point() : page->second.made_at + page_every;
        if (!due || at < *due) due = at;
    }
    return due;
}

void Reader::answer_due() {
    std::map<std::string, Question> due;
    {
        const std::lock_guard lock(mutex_);
        const auto now = Clock::now();
        for (auto at = questions_.begin(); at != questions_.end();) {
            const auto page = pages_.find(at->first);
            const auto next = std::next(at);
            if (page == pages_.end() || page->second.made_at + page_every <= now) due.insert(questions_.extract(at));
            at = next;
        }
    }
    for (auto& [name, question] : due) {
        const auto made = page(name, question.make);
        if (!made && made.error().code != Errc::no_such) complain(made.error());
        for (const auto& answer : question.answers) answer(made);
    }
    std::erase_if(pages_, [now = Clock::now()](const auto& page) { return now - page.second.made_at > page_lives; });
}

Result<std::string> Reader::page(const std::string& name, const Make& make) {
    const auto view = source_.look();
    if (!view) return fail(view.error());
    const auto version = store::data_version(view->db);
    if (!version) return fail(version.error());
    const auto known = pages_.find(name);
    if (known != pages_.end() && known->second.version == *version && Clock::now() - known->second.made_at < page_lives)
        return known->second.text;
    auto made = make(*view);
    if (made) pages_[name] = {*made, *version, Clock::now()};
    return made;
}

void Reader::admit() {
    std::vector<Newcomer> newcomers;
    {
        const std::lock_guard lock(mutex_);
        newcomers.swap(newcomers_);
    }
    for (auto& [reply, after] : newcomers) {
        const auto view = source_.look();
        if (view)
            feed_.add(view->db, std::move(reply), after);
        else
            reply.send(net::error_response(503, view.error().text));
    }
}

void Reader::pump() {
    if (const auto due = feed_.due(); !due || *due > Clock::now()) return;
    const auto view = source_.look();
    const auto pumped = view ? feed_.pump(view->db) : fail(view.error());
    if (!pumped) complain(pumped.error());
}

void Reader::complain(const Error& error) {
    if (due_again(complained_, Clock::now(), complain_every)) warn_("reading for HTTP failed: " + error.text);
}

}  // namespace orchd::listener
