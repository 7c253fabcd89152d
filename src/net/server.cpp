#include "net/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "net/connection.h"

namespace orchd::net {
namespace {

using boost::asio::steady_timer;
using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

constexpr milliseconds sweep_interval{250};
constexpr milliseconds room_interval{100};  // between tries to take a client for whom there was no room
constexpr int accepts_at_once = 64;         // then those that are connected have their turn

// Whose connections are counted together: an IPv4 address, an IPv6 network of one customer, all of a Unix socket.
std::string source_of(const sockaddr_storage& peer) {
    char text[INET6_ADDRSTRLEN] = "";
    if (peer.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof text);
        return text;
    }
    if (peer.ss_family != AF_INET6) return "local";
    auto address = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        ::inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
        return text;
    }
    std::memset(&address.s6_addr[8], 0, 8);
    ::inet_ntop(AF_INET6, &address, text, sizeof text);
    return std::string(text) + "/64";
}

// The process or the host has no file descriptor or memory for one more socket; the client still waits in the queue.
bool no_room(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

// The server as its connections do not know it: who accepts, who sweeps, when it ends.
class Acceptor {
public:
    explicit Acceptor(std::shared_ptr<Core> core) : core_(std::move(core)), sweep_(core_->io), signals_(core_->io) {
        core_->on_close = [this] { closed_one(); };
    }
    Acceptor(const Acceptor&) = delete;
    ~Acceptor() {
        core_->on_close = [] {};
    }

    Status listen(int fd) {
        const int flags = ::fcntl(fd, F_GETFL);
        if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
            return fail(Errc::invalid_argument, std::string("the listening socket: ") + std::strerror(errno));
        listening_.push_back({stream_descriptor(core_->io, fd), steady_timer(core_->io)});
        return {};
    }
    void stop_on_signals() {
        signals_.add(SIGTERM);
        signals_.add(SIGINT);
        signals_.async_wait([this](const error_code& failed, int) {
            if (!failed) stop();
        });
    }
    void run(milliseconds leave_after) {
        leave_after_ = leave_after;
        idle_since_ = Clock::now();
        for (auto& listening : listening_) await_client(listening);
        sweep_later();
        core_->io.run();
        for (auto& listening : listening_) listening.socket.close();
    }
    void stop() {
        if (std::exchange(core_->draining, true)) return;
        error_code ignored;
        for (auto& listening : listening_) listening.socket.cancel(ignored);
        const auto latest = Clock::now() + core_->limits.drain_time;
        for_each([&](Connection& connection) { connection.drain(latest); });
        end_if_empty();
    }
    void close_all() {
        core_->draining = true;
        for_each([](Connection& connection) { connection.close(); });
    }

private:
    struct Listening {
        stream_descriptor socket;
        steady_timer room;  // armed while a client waits for whom there is none
    };

    // Whatever becomes of the connection meanwhile.
    template <class Visit>
    void for_each(Visit visit) {
        for (auto at = core_->connections.begin(); at != core_->connections.end();) {
            const auto connection = *at++;
            visit(*connection);
        }
    }
    void await_client(Listening& listening) {
        listening.socket.async_wait(stream_descriptor::wait_read, [this, &listening](const error_code& failed) {
            if (failed || core_->draining) return;
            if (accept_some(listening.socket)) return await_client(listening);
            // The socket stays readable: to wait for it would be to ask again at once, for nothing.
            listening.room.expires_after(room_interval);
            listening.room.async_wait([this, &listening](const error_code& given_up) {
                if (!given_up && !core_->draining) await_client(listening);
            });
        });
    }
    // False where a client waits for whom there is no room, and nobody could give way.
    bool accept_some(stream_descriptor& socket) {
        for (int n = 0; n < accepts_at_once; ++n) {
            sockaddr_storage peer{};
            socklen_t size = sizeof peer;
            const int fd =
                ::accept4(socket.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
            const int error = errno;
            if (fd >= 0) {
                admit(fd, source_of(peer));
            } else if (no_room(error)) {
                if (core_->evict(nullptr)) continue;
                if (core_->on_no_room) core_->on_no_room(std::strerror(error));
                return false;
            } else if (error != ECONNABORTED) {
                return true;
            }
        }
        return true;
    }
    void admit(int fd, std::string source) {
        auto connection = std::make_shared<Connection>(core_, fd, std::move(source));
        const auto& limits = core_->limits;
        const auto& from = connection->source();
        const auto counted = core_->per_source.find(from);
        if (counted != core_->per_source.end() && counted->second >= limits.connections_per_source && !core_->evict(&from))
            return;
        if (core_->connections.size() >= limits.connections && !core_->evict(nullptr)) return;
        ++core_->per_source[from];
        connection->place = core_->connections.insert(core_->connections.end(), connection);
        connection->start();
    }
    void closed_one() {
        if (core_->connections.empty()) idle_since_ = Clock::now();
        end_if_empty();
    }
    void end_if_empty() {
        if (core_->draining && core_->connections.empty()) core_->io.stop();
    }
    void sweep_later() {
        sweep_.expires_after(sweep_interval);
        sweep_.async_wait([this](const error_code& failed) {
            if (failed) return;
            const auto now = Clock::now();
            for_each([&](Connection& connection) { connection.check_deadline(now); });
            core_->make_room(now);
            core_->on_sweep();
            if (leave_after_.count() > 0 && core_->connections.empty() && now - idle_since_ >= leave_after_) return stop();
            sweep_later();
        });
    }

    std::shared_ptr<Core> core_;
    std::list<Listening> listening_;
    steady_timer sweep_;
    boost::asio::signal_set signals_;
    milliseconds leave_after_{0};
    Clock::time_point idle_since_;
};

Server::Server(const Router& router, const Limits& limits)
    : core_(std::make_shared<Core>(router, limits)), acceptor_(std::make_unique<Acceptor>(core_)) {}
Server::~Server() {
    acceptor_->close_all();
    // What is due already finds everything there. What the acceptor then gives up only hears that it is given up, and what is
    // left of connections holds its connection and, by that, the core.
    core_->io.restart();
    core_->io.poll();
    acceptor_.reset();
    core_->io.restart();
    core_->io.poll();
}

Status Server::listen(int fd) { return acceptor_->listen(fd); }
void Server::run(milliseconds leave_after) { acceptor_->run(leave_after); }
void Server::stop_on_signals() { acceptor_->stop_on_signals(); }
void Server::stop() {
    boost::asio::post(core_->io, [this] {
        if (acceptor_) acceptor_->stop();  // not once the server goes
    });
}
void Server::on_answer(std::function<void(int status, const std::string& source)> heard) {
    core_->on_answer = std::move(heard);
}
void Server::on_no_room(std::function<void(const std::string& why)> heard) { core_->on_no_room = std::move(heard); }
void Server::on_sweep(std::function<void()> heard) { core_->on_sweep = std::move(heard); }
void Server::post(std::function<void()> work) { boost::asio::post(core_->io, std::move(work)); }

}  // namespace orchd::net
