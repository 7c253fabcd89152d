// A server on the loopback for the tests of net, and a client that writes exactly what it is told.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

#include "net/server.h"

namespace orchd::net::tests {

using namespace std::chrono_literals;

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// A listening socket on a port of the system's choice.
struct Listening {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::uint16_t port = 0;
    Listening() {
        auto address = loopback(0);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(fd, plain, size), 0);
        EXPECT_EQ(::listen(fd, 4096), 0);
        EXPECT_EQ(::getsockname(fd, plain, &size), 0);
        port = ntohs(address.sin_port);
    }
};

class Client {
public:
    Client() = default;  // not connected yet
    explicit Client(std::uint16_t port) { connect(port); }
    void connect(std::uint16_t port) {
        auto address = loopback(port);
        EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
    }
    Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), rest_(std::move(other.rest_)) {}
    Client(const Client&) = delete;
    ~Client() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int fd() const { return fd_; }
    // False when the server has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void half_close() { ::shutdown(fd_, SHUT_WR); }
    // The next bytes, empty at the end of the connection or when nothing came in time.
    std::string some(std::chrono::milliseconds patience = 10s) {
        pollfd waiting{fd_, POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return {};
        std::string bytes(64u << 10, '\0');
        const auto got = ::recv(fd_, bytes.data(), bytes.size(), 0);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
    // Up to and with `mark`.
    std::string until(std::string_view mark) {
        std::size_t end = 0;
        while ((end = rest_.find(mark)) == std::string::npos) {
            const auto more = some();
            if (more.empty()) return std::exchange(rest_, {});
            rest_ += more;
        }
        auto bytes = rest_.substr(0, end + mark.size());
        rest_.erase(0, bytes.size());
        return bytes;
    }
    // Everything until the server closes.
    std::string all() {
        auto bytes = std::exchange(rest_, {});
        for (auto more = some(); !more.empty(); more = some()) bytes += more;
        return bytes;
    }
    // One response with a Content-Length.
    std::string response() {
        auto head = until("\r\n\r\n");
        const auto at = head.find("Content-Length: ");
        if (at == std::string::npos) return head;
        const auto size = std::stoul(head.substr(at + 16));
        while (rest_.size() < size) {
            const auto more = some();
            if (more.empty()) break;
            rest_ += more;
        }
        head += rest_.substr(0, size);
        rest_.erase(0, size);
        return head;
    }
    // Whether the server closes it, in time.
    bool closed(std::chrono::milliseconds patience = 10s) {
        pollfd waiting{fd_, POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return false;
        char byte = 0;
        return ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
    }

private:
    int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string rest_;
};

inline int status_of(std::string_view response) {
    return response.starts_with("HTTP/1.1 ") && response.size() > 12 ? std::stoi(std::string(response.substr(9, 3))) : 0;
}

// A server that runs while it lives.
class Running {
public:
    explicit Running(const Router& router, const Limits& limits = {}, milliseconds leave_after = 0ms,
                     std::function<void(const std::string&)> on_no_room = {},
                     std::function<void(int, const std::string&)> on_answer = {})
        : server_(router, limits) {
        EXPECT_TRUE(server_.listen(listening_.fd));
        server_.on_no_room(std::move(on_no_room));
        server_.on_answer(std::move(on_answer));
        thread_ = std::thread([this, leave_after] { server_.run(leave_after); });
    }
    ~Running() {
        server_.stop();
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const { return listening_.port; }
    [[nodiscard]] Server& server() { return server_; }
    void join() { thread_.join(); }

private:
    Listening listening_;
    Server server_;
    std::thread thread_;
};

}  // namespace orchd::net::tests
