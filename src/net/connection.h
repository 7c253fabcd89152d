// One client of the server; private to net. Everything but Outlet's functions runs on the server's thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/request_parser.h"
#include "net/router.h"
#include "net/server.h"

namespace orchd::net {

using Clock = std::chrono::steady_clock;
inline constexpr auto never = Clock::time_point::max();

class Connection;

// What the connections of a server share.
struct Core {
    Core(const Router& its_router, const Limits& its_limits) : router(its_router), limits(its_limits), scratch(64u << 10) {}

    boost::asio::io_context io{1};
    const Router& router;
    const Limits limits;
    std::vector<char> scratch;  // what one read brings; nobody keeps it
    std::list<std::shared_ptr<Connection>> connections;
    std::unordered_map<std::string, std::size_t> per_source;
    std::size_t buffered = 0;  // bytes of bodies in memory
    std::size_t paused = 0;    // connections whose bodies wait for room
    bool draining = false;
    std::function<void(int status, const std::string& source)> on_answer;
    std::function<void(const std::string& why)> on_no_room;
    std::function<void()> on_close;  // after a connection has left `connections`
    std::function<void()> on_sweep = [] {};

    // Closes the connection that is due to give way, of `source` where one is given. False if there is none.
    bool evict(const std::string* source);
    // Closes one that holds a part of a body and hardly sends any more of it; never `spared`. False if there is none.
    bool evict_slow_body(Clock::time_point now, const Connection* spared);
    // Where bodies wait for room: has those give way that hardly come, and lets go on who may; go_on() closes nobody.
    void make_room(Clock::time_point now);
    void go_on();
    // Of those that send one, whose began first; nobody while a whole one has not been answered.
    [[nodiscard]] Connection* first_body() const;
};

class Connection final : public Outlet, public std::enable_shared_from_this<Connection> {
public:
    // Takes the socket, which does not block.
    Connection(std::shared_ptr<Core> core, int fd, std::string source);

    void start();
    // Reads on, where its body waited for room.
    void unpause();
    // For a server that is stopped: ends what has not begun.
    void drain(Clock::time_point latest);
    // Closes or refuses a connection whose phase has taken too long.
    void check_deadline(Clock::time_point now);
    void close();
    [[nodiscard]] const std::string& source() const { return source_; }

    // When connections run out, who is closed first: strangers that have us wait, then clients that have proven themselves and
    // those that read slowly, then streams; nobody whose request is being worked on. Among equals, who has waited longest.
    enum class Rank { stranger, known, stream, stays };
    [[nodiscard]] Rank rank() const;
    // Its body is whole, and not answered yet.
    [[nodiscard]] bool has_body_in_work() const { return phase_ == Phase::handling && charged_ > 0; }
    // It is sending a body; whether it could and hardly does.
    [[nodiscard]] bool sends_body() const { return phase_ == Phase::body; }
    [[nodiscard]] bool hardly_sends(Clock::time_point now);
    [[nodiscard]] Clock::time_point since() const { return since_; }

    void respond(Response response) override;
    void begin_stream(Response head) override;
    [[nodiscard]] bool write(std::string piece) override;
    void when_sent(std::function<void()> then) override;
    [[nodiscard]] bool open() const override { return open_.load(std::memory_order_relaxed); }
    void end_stream() override;
    void trust() override { trusted_.store(true, std::memory_order_relaxed); }

    std::list<std::shared_ptr<Connection>>::iterator place;  // in Core::connections

private:
    enum class Phase { idle, head, body, handling, writing, streaming, lingering, closed };

    void enter(Phase phase);
    void await_bytes();
    void read();
    void proceed(std::string_view bytes);
    void resume();
    void take(std::string_view& bytes);
    void judge_head();
    void charge();
    void discharge();
    void count(std::size_t bytes);
    void hand_over();
    void answer(const Response& response);
    void refuse(const Response& response);
    void open_stream(const Response& head);
    void append_piece(std::string_view piece);
    void finish_stream();
    void flush();
    void sent();
    void next_request();
    [[nodiscard]] bool reading() const { return phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body; }

    std::shared_ptr<Core> core_;
    boost::asio::posix::stream_descriptor socket_;
    std::string source_;
    Phase phase_ = Phase::idle;
    Clock::time_point since_, deadline_;
    Clock::duration time_left_{};  // of a body that waits for room
    RequestParser parser_;
    const Route* route_ = nullptr;
    std::unique_ptr<Body> body_;                   // of a route that takes them so
    Clock::time_point last_came_, counted_since_;  // of the bytes of a body that came in the last while
    std::size_t came_ = 0;
    bool came_slowly_ = false;  // in the while before
    std::string ahead_;         // bytes of requests behind the one in hand
    std::string out_;
    std::size_t out_sent_ = 0, charged_ = 0;
    std::function<void()> when_sent_;  // of a stream
    bool judged_ = false, head_only_ = false, chunked_ = false, keep_ = false, ending_ = false, unread_body_ = false;
    bool heard_ = false;  // a request of it was answered
    bool proceeding_ = false, waiting_to_write_ = false, waiting_to_read_ = false, paused_ = false;
    std::atomic<bool> open_{true}, trusted_{false};
    std::atomic<std::size_t> piled_{0};  // bytes of a stream that are not sent yet
};

}  // namespace orchd::net
