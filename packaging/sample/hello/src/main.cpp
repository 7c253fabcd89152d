// Serves one request after another on the loopback: enough for a sample, and no more.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "hello.h"

namespace {

constexpr std::size_t max_request = 8192;

int listen_on_loopback(unsigned short port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 16) != 0) {
        std::perror("hello: cannot listen");
        std::exit(1);
    }
    return fd;
}

// The head of the request, or nothing from a client that is slow, rude or gone.
std::string read_head(int fd) {
    const timeval patience{5, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string head;
    char buffer[1024];
    while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = read(fd, buffer, sizeof buffer);
        if (got <= 0 || head.size() > max_request) return {};
        head.append(buffer, static_cast<std::size_t>(got));
    }
    return head;
}

void serve(int fd) {
    const std::string head = read_head(fd);
    const auto target = head.find(' ');
    if (head.empty() || target == std::string::npos) return;
    const auto end = head.find(' ', target + 1);
    hello::Answer answer{405, "only GET\n"};
    if (head.starts_with("GET ") && end != std::string::npos) {
        answer = hello::answer(std::string_view(head).substr(target + 1, end - target - 1), HELLO_VERSION);
    }
    const std::string reply = "HTTP/1.0 " + std::to_string(answer.status) +
                              " hello\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(answer.body.size()) +
                              "\r\nConnection: close\r\n\r\n" + answer.body;
    for (std::size_t sent = 0; sent < reply.size();) {
        const ssize_t now = write(fd, reply.data() + sent, reply.size() - sent);
        if (now <= 0) return;
        sent += static_cast<std::size_t>(now);
    }
}

}  // namespace

int main() {
    std::signal(SIGPIPE, SIG_IGN);
    const char* port = std::getenv("HELLO_PORT");
    const int listener = listen_on_loopback(static_cast<unsigned short>(port ? std::atoi(port) : 8480));
    std::puts("hello: listening, version " HELLO_VERSION);
    std::fflush(stdout);
    for (;;) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        serve(client);
        close(client);
    }
}
