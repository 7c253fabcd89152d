#include "listener/health.h"

#include <utility>

#include "store/facts.h"

namespace orchd::listener {
namespace {

using namespace std::chrono_literals;

constexpr auto good_for = 1s;
// What a write takes where nothing is free to be used again: a page of the WAL, and what the file system needs for it.
constexpr std::int64_t least_bytes = 64 << 10;

}  // namespace

Health::Health(HealthParts parts) : parts_(std::move(parts)), thread_([this] { work(); }) {}

Health::~Health() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Health::ask(Answer answer) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(answer));
    }
    changed_.notify_one();
}

void Health::work() {
    for (;;) {
        std::vector<Answer> answers;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            answers.swap(waiting_);
        }
        const auto health = look();
        for (const auto& answer : answers) answer(health);
    }
}

Status Health::look() {
    if (well_at_ && Clock::now() - *well_at_ < good_for) return {};
    well_at_.reset();
    auto written = try_to_write();
    if (written) well_at_ = Clock::now();
    return written;
}

Status Health::try_to_write() const {
    // A write may still go through by what the WAL has room for; the next one may not.
    if (parts_.free_bytes() < least_bytes || parts_.inodes().free <= 0) return fail(Errc::no_space, "the disk is full");
    auto db = parts_.open();
    if (!db) return fail(db.error());
    return db->write([&](store::Tx& tx) {
        return store::put_state(tx,
                                {.key = "health", .value = "written", .by = "listener", .reason = "", .at = parts_.utc_ms()});
    });
}

}  // namespace orchd::listener
