// Who gives way: where connections run out, and where the bodies of all have too much memory.
#include <sys/ioctl.h>
#include <algorithm>
#include <utility>

#include "net/connection.h"

namespace orchd::net {
namespace {

// A body comes slowly if it brings less than this in such a while: nobody who sends a large one in time does.
constexpr auto slow_while = milliseconds(1000);
constexpr std::size_t slow_bytes = 32u << 10;

}  // namespace

bool Core::evict(const std::string* source) {
    Connection* victim = nullptr;
    for (const auto& connection : connections) {
        if (connection->rank() == Connection::Rank::stays) continue;
        if (source != nullptr && connection->source() != *source) continue;
        if (victim == nullptr ||
            std::pair(connection->rank(), connection->since()) < std::pair(victim->rank(), victim->since()))
            victim = connection.get();
    }
    if (victim != nullptr) victim->close();
    return victim != nullptr;
}

bool Core::evict_slow_body(Clock::time_point now, const Connection* spared) {
    Connection* victim = nullptr;
    for (const auto& connection : connections) {
        if (connection.get() == spared || !connection->hardly_sends(now)) continue;
        if (victim == nullptr || connection->since() < victim->since()) victim = connection.get();
    }
    if (victim == nullptr) return false;
    if (on_answer) on_answer(408, victim->source());  // its room is wanted at once: it is counted, not answered
    victim->close();
    return true;
}

void Core::make_room(Clock::time_point now) {
    while (paused > 0 && buffered > limits.buffered_bytes && evict_slow_body(now, nullptr)) continue;
    go_on();
}

void Core::go_on() {
    if (paused == 0) return;
    if (buffered <= limits.buffered_bytes) {
        for (const auto& connection : connections) connection->unpause();
    } else if (auto* const first = first_body(); first != nullptr) {
        first->unpause();
    }
}

Connection* Core::first_body() const {
    Connection* first = nullptr;
    for (const auto& connection : connections) {
        if (connection->has_body_in_work()) return nullptr;
        if (connection->sends_body() && (first == nullptr || connection->since() < first->since())) first = connection.get();
    }
    return first;
}

// Counts what has come of the body, until it is answered. Where all of them together are too large, whoever hardly sends gives
// way; else the one that began first goes on, so that it ends, and the others wait: closing one that comes well would lose what
// it brings for good. A whole one that waits for its answer, as all do when the disk is slow, makes room soon: until then
// nobody goes on, for otherwise each in its turn would be the first.
void Connection::charge() {
    const auto size = body_ ? body_->held() : parser_.request().body.size();
    core_->buffered += size - charged_;
    charged_ = size;
    if (parser_.complete()) return;
    const auto now = Clock::now();
    while (core_->buffered > core_->limits.buffered_bytes && core_->evict_slow_body(now, this)) continue;
    if (paused_ || core_->buffered <= core_->limits.buffered_bytes || core_->first_body() == this) return;
    paused_ = true;
    ++core_->paused;
    // It is we who are slow: its time stands still.
    time_left_ = deadline_ - now;
    deadline_ = never;
}

void Connection::discharge() {
    core_->buffered -= std::exchange(charged_, 0);
    core_->go_on();
}

void Connection::unpause() {
    if (!std::exchange(paused_, false)) return;
    --core_->paused;
    counted_since_ = last_came_ = Clock::now();
    came_ = 0;
    came_slowly_ = false;
    if (phase_ == Phase::body)
        deadline_ = std::min(deadline_, last_came_ + time_left_);  // a server that is stopped does not wait
    await_bytes();
}

// What came of the body in the last while, if that was while enough.
void Connection::count(std::size_t bytes) {
    const auto now = last_came_ = Clock::now();
    came_ += bytes;
    if (now - counted_since_ < slow_while) return;
    came_slowly_ = came_ < slow_bytes || now - counted_since_ > 2 * slow_while;
    counted_since_ = now;
    came_ = 0;
}

bool Connection::hardly_sends(Clock::time_point now) {
    if (phase_ != Phase::body || paused_ || trusted_.load(std::memory_order_relaxed)) return false;
    const bool stalls = now - last_came_ >= slow_while;
    if (!stalls && !(now - counted_since_ < slow_while ? came_slowly_ : came_ < slow_bytes)) return false;
    int waits_for_us = 0;  // what came and was not read yet: then it is we who are slow
    return ::ioctl(socket_.native_handle(), FIONREAD, &waits_for_us) != 0 || waits_for_us < 4096;
}

}  // namespace orchd::net
