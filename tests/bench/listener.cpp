// The listener's load, and what the same rows cost bare.
//
//   bench_listener load PORT PATH CONNECTIONS SECONDS [WAKE]   signed deliveries over loopback connections, each waiting for
//   its
//                                                              answer; WAKE: the worker's socket, to count commits by
//   bench_listener bare DATABASE BATCH SECONDS                 group commits of the same rows, BATCH at a time
//   bench_listener start PORT                                  milliseconds from connect() to the first answer
//   bench_listener slow PORT COUNT                             holds COUNT silent and half-sent connections until it is killed
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "store/deliveries.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace orchd;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}
double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Two kilobytes, as a push of one commit has.
const std::string& body() {
    static const std::string text = [] {
        std::string json = R"({"ref": "refs/heads/main", "commits": [)";
        while (json.size() < 1950)
            json += R"({"id": "0123456789abcdef0123456789abcdef01234567", "message": "A line of text\n", "added": ["a/b"]}, )";
        return json + R"({}], "repository": {"id": 7, "full_name": "acme/app"}})";
    }();
    return text;
}

std::string signature() {
    unsigned char code[32];
    unsigned size = 0;
    ::HMAC(EVP_sha256(), "s3cret", 6, reinterpret_cast<const unsigned char*>(body().data()), body().size(), code, &size);
    std::string hex;
    for (const auto byte : code) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", byte);
        hex += digits;
    }
    return hex;
}

int connect_to(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
    return fd;
}

// Ids as Gitea gives them, of this run alone.
class Ids {
public:
    std::string next() {
        char id[40];
        std::snprintf(id, sizeof id, "%08x-%04x-4000-8000-%012llx", static_cast<unsigned>(::getpid()), stamp_ & 0xffffU,
                      static_cast<unsigned long long>(++count_) * 0x9e3779b97f4aULL % 0xffffffffffffULL);
        return id;
    }

private:
    unsigned stamp_ = static_cast<unsigned>(Clock::now().time_since_epoch().count());
    std::uint64_t count_ = 0;
};

struct Sender {
    int fd = -1;
    Clock::time_point sent;
    std::string got;
};

class Load {
public:
    Load(int port, std::string path, int connections, const char* wake)
        : port_(port),
          path_(std::move(path)),
          senders_(static_cast<std::size_t>(connections)),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (wake != nullptr) listen_for_wakes(wake);
        head_ = "POST " + path_ +
                " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Gitea-Event: push\r\n"
                "X-Gitea-Event-Type: push\r\nX-Gitea-Signature: " +
                signature() + "\r\nX-Hub-Signature-256: sha256=" + signature() +
                "\r\nContent-Length: " + std::to_string(body().size()) + "\r\nX-Gitea-Delivery: ";
    }
    void run(double seconds) {
        for (std::size_t n = 0; n < senders_.size(); ++n) open(n);
        const auto begin = Clock::now();
        begin_ = begin + std::chrono::milliseconds(500);  // the first half second is for warming up
        for (std::size_t n = 0; n < senders_.size(); ++n) send(senders_[n]);
        while (seconds_since(begin_) < seconds) turn();
        took_ = seconds_since(begin_);
    }
    void report() {
        std::sort(micros_.begin(), micros_.end());
        const auto at = [&](double part) {
            return micros_.empty() ? 0.0
                                   : micros_[static_cast<std::size_t>(part * static_cast<double>(micros_.size() - 1))] / 1000;
        };
        std::printf("%zu connections: %.0f a second, p50 %.2f ms, p99 %.2f ms, refused %d", senders_.size(),
                    static_cast<double>(micros_.size()) / took_, at(0.5), at(0.99), refused_);
        if (wakes_ > 0) std::printf(", batch %.1f", static_cast<double>(micros_.size()) / wakes_);
        std::printf("\n");
    }

private:
    static constexpr std::uint64_t wake_mark = ~std::uint64_t{0};

    void listen_for_wakes(const char* path) {
        ::unlink(path);
        wake_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        if (::bind(wake_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("bind");
        (void)::chmod(path, 0666);
        watch(wake_, wake_mark);
    }
    void watch(int fd, std::uint64_t mark) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = mark;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    }
    void open(std::size_t n) {
        senders_[n].fd = connect_to(port_);
        watch(senders_[n].fd, n);
    }
    void send(Sender& sender) {
        const auto request = head_ + ids_.next() + "\r\n\r\n" + body();
        sender.sent = Clock::now();
        if (::send(sender.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
            die("send");
    }
    void turn() {
        epoll_event events[256];
        const int count = ::epoll_wait(epoll_, events, 256, 100);
        for (int n = 0; n < count; ++n) {
            if (events[n].data.u64 == wake_mark)
                drain_wakes();
            else
                receive(events[n].data.u64);
        }
    }
    void drain_wakes() {
        char byte = 0;
        while (::recv(wake_, &byte, 1, 0) > 0) wakes_ += Clock::now() >= begin_ ? 1 : 0;
    }
    void receive(std::size_t n) {
        auto& sender = senders_[n];
        char bytes[4096];
        const auto got = ::recv(sender.fd, bytes, sizeof bytes, 0);
        if (got <= 0) {  // some servers close after an answer
            ::close(sender.fd);
            sender.got.clear();
            open(n);
            return send(sender);
        }
        sender.got.append(bytes, static_cast<std::size_t>(got));
        if (!complete(sender.got)) return;
        const auto now = Clock::now();
        if (sender.got.compare(9, 1, "2") != 0)
            ++refused_;
        else if (sender.sent >= begin_)
            micros_.push_back(std::chrono::duration<double, std::micro>(now - sender.sent).count());
        sender.got.clear();
        send(sender);
    }
    static bool complete(const std::string& answer) {
        const auto end = answer.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        auto at = answer.find("Content-Length: ");
        if (at == std::string::npos) at = answer.find("content-length: ");
        return at == std::string::npos || answer.size() >= end + 4 + std::strtoul(answer.c_str() + at + 16, nullptr, 10);
    }

    int port_;
    std::string path_, head_;
    std::vector<Sender> senders_;
    int epoll_, wake_ = -1, wakes_ = 0, refused_ = 0;
    Ids ids_;
    Clock::time_point begin_;
    double took_ = 1;
    std::vector<double> micros_;
};

int bare(const std::string& path, int batch, double seconds) {
    auto db = store::Db::open(path, {.mode = store::Mode::create});
    if (!db) {
        std::fprintf(stderr, "%s\n", db.error().text.c_str());
        return 1;
    }
    Ids ids;
    const auto hash = signature();
    int rows = 0;
    std::vector<double> millis;
    const auto begin = Clock::now();
    while (seconds_since(begin) < seconds) {
        std::vector<store::NewDelivery> deliveries;
        for (int n = 0; n < batch; ++n)
            deliveries.push_back({.source = "gitea",
                                  .dedup_key = ids.next(),
                                  .body_hash = hash,
                                  .event = "push",
                                  .body = body(),
                                  .received_at = 1});
        const auto one = Clock::now();
        auto added = db->write([&](store::Tx& tx) { return store::add_deliveries(tx, deliveries); });
        if (!added) return 1;
        millis.push_back(1000 * seconds_since(one));
        rows += batch;
    }
    if (millis.empty()) return 0;
    const auto took = seconds_since(begin);
    std::sort(millis.begin(), millis.end());
    std::printf("bare, %d at a time: %.0f a second, p50 %.2f ms, p99 %.2f ms a commit\n", batch, rows / took,
                millis[millis.size() / 2], millis[millis.size() * 99 / 100]);
    return 0;
}

int start(int port) {
    const auto begin = Clock::now();
    const int fd = connect_to(port);
    constexpr std::string_view request = "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    (void)!::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char bytes[512];
    if (::recv(fd, bytes, sizeof bytes, 0) <= 0) die("recv");
    std::printf("%.1f\n", 1000 * seconds_since(begin));
    return 0;
}

int slow(int port, int count) {
    std::vector<int> fds;
    for (int n = 0; n < count; ++n) {
        fds.push_back(connect_to(port));
        if (n % 2 == 0) (void)!::send(fds.back(), "POST /webhooks/gitea HT", 23, MSG_NOSIGNAL);
    }
    std::printf("%d slow sockets\n", count);
    std::fflush(stdout);
    ::pause();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "load" && argc >= 6) {
        Load load(std::atoi(argv[2]), argv[3], std::atoi(argv[4]), argc > 6 ? argv[6] : nullptr);
        load.run(std::atof(argv[5]));
        load.report();
        return 0;
    }
    if (what == "bare" && argc == 5) return bare(argv[2], std::max(1, std::atoi(argv[3])), std::atof(argv[4]));
    if (what == "start" && argc == 3) return start(std::atoi(argv[2]));
    if (what == "slow" && argc == 4) return slow(std::atoi(argv[2]), std::atoi(argv[3]));
    std::fprintf(stderr, "usage: see the head of tests/bench/listener.cpp\n");
    return 2;
}
