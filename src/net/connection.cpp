#include "net/connection.h"

#include <sys/socket.h>
#include <boost/asio/dispatch.hpp>
#include <boost/beast/http/status.hpp>
#include <cerrno>
#include <utility>

namespace orchd::net {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

std::string head_of(const Response& response, std::string_view framing, bool keep) {
    const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    head.append(reason.data(), reason.size()).append("\r\nContent-Type: ").append(response.content_type);
    head.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n").append(framing);
    for (const auto& field : response.fields) head.append(field.name).append(": ").append(field.value).append("\r\n");
    return head.append(keep ? "\r\n" : "Connection: close\r\n\r\n");
}

// A piece as a chunk.
std::string chunk(std::string_view piece) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (auto left = piece.size(); left > 0; left >>= 4) text.insert(text.begin(), digits[left & 15]);
    return text.append("\r\n").append(piece).append("\r\n");
}

}  // namespace

Connection::Connection(std::shared_ptr<Core> core, int fd, std::string source)
    : core_(std::move(core)), socket_(core_->io, fd), source_(std::move(source)), parser_(core_->limits.head_bytes) {}

void Connection::start() {
    enter(Phase::idle);
    await_bytes();
}

void Connection::enter(Phase phase) {
    phase_ = phase;
    since_ = Clock::now();
    const auto& limits = core_->limits;
    switch (phase) {
        case Phase::idle:
            deadline_ = since_ + limits.idle_time;
            break;
        case Phase::head:
            deadline_ = since_ + limits.head_time;
            break;
        case Phase::body:
            deadline_ = since_ + limits.body_time;
            break;
        case Phase::writing:
            deadline_ = since_ + limits.write_time;
            break;
        case Phase::lingering:
            deadline_ = since_ + limits.linger_time;
            break;
        case Phase::handling:
        case Phase::streaming:
        case Phase::closed:
            deadline_ = never;
    }
}

Connection::Rank Connection::rank() const {
    switch (phase_) {
        case Phase::idle:
        case Phase::head:
        case Phase::body:
        case Phase::lingering:
            return trusted_.load(std::memory_order_relaxed) ? Rank::known : Rank::stranger;
        case Phase::writing:
            return Rank::known;
        case Phase::streaming:
            return Rank::stream;
        case Phase::handling:
        case Phase::closed:
            break;
    }
    return Rank::stays;
}

void Connection::drain(Clock::time_point latest) {
    char byte = 0;
    if (phase_ == Phase::idle && ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        // Between two requests a connection may be closed; one that was just accepted has its first on the way.
        if (heard_) return close();
        latest = std::min(latest, Clock::now() + core_->limits.first_request_time);
    }
    if (phase_ == Phase::streaming) return finish_stream();
    deadline_ = std::min(deadline_, latest);
}

void Connection::check_deadline(Clock::time_point now) {
    if (now < deadline_) return;
    if (phase_ != Phase::head && phase_ != Phase::body) return close();
    unread_body_ = true;
    refuse(error_response(408, "the request took too long to arrive"));
}

void Connection::close() {
    if (phase_ == Phase::closed) return;
    const auto self = shared_from_this();
    enter(Phase::closed);
    open_.store(false, std::memory_order_relaxed);
    error_code ignored;
    socket_.close(ignored);
    if (auto& of_source = core_->per_source[source_]; --of_source == 0) core_->per_source.erase(source_);
    core_->connections.erase(place);
    if (std::exchange(paused_, false)) --core_->paused;
    discharge();
    core_->on_close();
}

void Connection::await_bytes() {
    if (waiting_to_read_ || paused_ || phase_ == Phase::closed) return;
    waiting_to_read_ = true;
    socket_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](const error_code& failed) {
        self->waiting_to_read_ = false;
        if (!failed && self->phase_ != Phase::closed) self->read();
    });
}

void Connection::read() {
    if (phase_ == Phase::handling || phase_ == Phase::writing) return;  // asked for before; the answer's end asks again
    auto& scratch = core_->scratch;
    const auto got = ::recv(socket_.native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return await_bytes();
    if (got <= 0) return close();
    if (phase_ == Phase::lingering || phase_ == Phase::streaming) return await_bytes();  // nobody wants it
    proceed({scratch.data(), static_cast<std::size_t>(got)});
}

void Connection::proceed(std::string_view bytes) {
    proceeding_ = true;
    while (!bytes.empty() && reading()) take(bytes);
    proceeding_ = false;
    if (phase_ == Phase::handling || phase_ == Phase::writing)
        ahead_.append(bytes);  // no more than one read's: nothing is read meanwhile
    else if (phase_ != Phase::closed)
        await_bytes();
}

void Connection::resume() {
    const auto bytes = std::exchange(ahead_, {});
    proceed(bytes);
}

void Connection::take(std::string_view& bytes) {
    const auto used = parser_.put(bytes);
    bytes.remove_prefix(used);
    if (phase_ == Phase::body) count(used);
    if (phase_ == Phase::idle && parser_.begun()) enter(Phase::head);
    if (!parser_.refusal() && parser_.head_complete() && !judged_) judge_head();
    if (const auto& refusal = parser_.refusal(); refusal && reading()) {
        unread_body_ = true;
        return refuse(error_response(refusal->status, refusal->text));
    }
    if (phase_ == Phase::body) charge();
    if (reading() && parser_.complete()) hand_over();
}

// Everything that the head alone decides.
void Connection::judge_head() {
    judged_ = true;
    auto& request = parser_.request();
    head_only_ = request.method == "HEAD";
    unread_body_ = parser_.has_body();
    auto match = core_->router.match(request.method, request.path);
    if (match.route == nullptr) return refuse(match.refusal);
    route_ = match.route;
    request.wildcard = std::move(match.wildcard);
    request.source = source_;
    if (route_->admission) {
        if (auto refused = route_->admission(request)) return refuse(*refused);
    }
    parser_.limit_body(route_->most_body);
    if (parser_.refusal()) return;
    if (route_->open_body) {
        body_ = route_->open_body(request, parser_.announced_bytes());
        parser_.hand_body_to([this](std::string_view piece) {
            if (body_) body_->put(piece);
        });
    }
    if (parser_.complete()) return;
    enter(Phase::body);
    counted_since_ = last_came_ = since_;
    came_ = 0;
    came_slowly_ = false;
    if (!parser_.expects_continue()) return;
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto sent = ::send(socket_.native_handle(), go_on.data(), go_on.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(go_on.size())) close();  // it reads nothing: nor would it read the answer
}

void Connection::hand_over() {
    unread_body_ = false;
    enter(Phase::handling);
    if (const auto body = std::move(body_)) return body->finish(std::move(parser_.request()), Reply(shared_from_this()));
    route_->handler(std::move(parser_.request()), Reply(shared_from_this()));
}

void Connection::refuse(const Response& response) {
    body_.reset();
    enter(Phase::handling);
    answer(response);
}

void Connection::answer(const Response& response) {
    if (phase_ != Phase::handling) return;
    keep_ = parser_.head_complete() && parser_.keep_alive() && !parser_.http_1_0() && !unread_body_ && !core_->draining;
    if (core_->on_answer) core_->on_answer(response.status, source_);
    out_ = head_of(response, "Content-Length: " + std::to_string(response.body.size()) + "\r\n", keep_);
    if (!head_only_) out_ += response.body;
    enter(Phase::writing);
    discharge();
    flush();
}

void Connection::open_stream(const Response& head) {
    if (phase_ != Phase::handling) return;
    keep_ = false;
    chunked_ = !parser_.http_1_0();
    if (core_->on_answer) core_->on_answer(head.status, source_);
    out_ = head_of(head, chunked_ ? "Transfer-Encoding: chunked\r\n" : "", false);
    piled_.fetch_add(out_.size(), std::memory_order_relaxed);
    enter(Phase::streaming);
    discharge();
    if (head_only_ || core_->draining) return finish_stream();
    await_bytes();  // its end is how we learn that the client is gone
    if (head.body.empty())
        flush();
    else
        append_piece(head.body);
}

void Connection::append_piece(std::string_view piece) {
    if (phase_ != Phase::streaming || ending_ || piece.empty()) return;
    const auto before = out_.size();
    if (chunked_)
        out_ += chunk(piece);
    else
        out_ += piece;
    piled_.fetch_add(out_.size() - before, std::memory_order_relaxed);
    flush();
}

void Connection::finish_stream() {
    if (phase_ != Phase::streaming || std::exchange(ending_, true)) return;
    open_.store(false, std::memory_order_relaxed);
    if (chunked_ && !head_only_) out_ += "0\r\n\r\n";
    flush();
}

void Connection::flush() {
    while (out_sent_ < out_.size()) {
        const auto sent =
            ::send(socket_.native_handle(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN) return close();
        if (sent < 0) break;
        out_sent_ += static_cast<std::size_t>(sent);
        if (phase_ == Phase::streaming) {
            piled_.fetch_sub(static_cast<std::size_t>(sent), std::memory_order_relaxed);
            deadline_ = Clock::now() + core_->limits.write_time;
        }
    }
    if (out_sent_ == out_.size()) return sent();
    out_.erase(0, std::exchange(out_sent_, 0));
    if (std::exchange(waiting_to_write_, true)) return;
    socket_.async_wait(stream_descriptor::wait_write, [self = shared_from_this()](const error_code& failed) {
        self->waiting_to_write_ = false;
        if (!failed && self->phase_ != Phase::closed) self->flush();
    });
}

// All of `out_` is on its way.
void Connection::sent() {
    out_.clear();
    out_sent_ = 0;
    if (phase_ == Phase::streaming && !ending_) {
        deadline_ = never;
        if (const auto then = std::exchange(when_sent_, nullptr)) then();
        return;
    }
    if (keep_) return next_request();
    // With something unread a plain close would reset the connection, and the client might never see the answer.
    if (!unread_body_ && ahead_.empty()) return close();
    ahead_.clear();
    enter(Phase::lingering);
    ::shutdown(socket_.native_handle(), SHUT_WR);
    if (!proceeding_) await_bytes();
}

void Connection::next_request() {
    parser_ = RequestParser(core_->limits.head_bytes);
    body_.reset();
    route_ = nullptr;
    judged_ = head_only_ = unread_body_ = false;
    heard_ = true;
    enter(Phase::idle);
    if (!proceeding_) resume();
}

void Connection::respond(Response response) {
    boost::asio::dispatch(core_->io, [self = shared_from_this(), response = std::move(response)] { self->answer(response); });
}

void Connection::begin_stream(Response head) {
    boost::asio::dispatch(core_->io, [self = shared_from_this(), head = std::move(head)] { self->open_stream(head); });
}

bool Connection::write(std::string piece) {
    if (!open()) return false;
    if (piled_.load(std::memory_order_relaxed) + piece.size() > core_->limits.stream_bytes) {
        open_.store(false, std::memory_order_relaxed);
        boost::asio::dispatch(core_->io, [self = shared_from_this()] { self->close(); });
        return false;
    }
    boost::asio::dispatch(core_->io, [self = shared_from_this(), piece = std::move(piece)] { self->append_piece(piece); });
    return true;
}

void Connection::when_sent(std::function<void()> then) {
    boost::asio::dispatch(core_->io, [self = shared_from_this(), then = std::move(then)]() mutable {
        if (self->phase_ != Phase::streaming || self->ending_) return;
        if (self->out_.empty()) return then();
        self->when_sent_ = std::move(then);
    });
}

void Connection::end_stream() {
    boost::asio::dispatch(core_->io, [self = shared_from_this()] { self->finish_stream(); });
}

}  // namespace orchd::net
