// What clients meet, well-behaved and other (R18, R37).
#include <sys/resource.h>
#include <atomic>
#include <future>
#include <mutex>
#include <vector>

#include "http.h"

namespace orchd::net::tests {
namespace {

std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(more) + "\r\n" + std::string(body);
}
const std::string get_hello = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";

class ServerTest : public ::testing::Test {
protected:
    ServerTest() {
        router_.add({.method = "GET", .path = "/hello", .handler = [](Request, Reply reply) { reply.send({.body = "hi"}); }});
        router_.add({.method = "GET", .path = "/items/*", .handler = [](Request request, Reply reply) {
                         reply.send({.body = request.wildcard + '?' + request.query});
                     }});
        router_.add({.method = "POST",
                     .path = "/echo",
                     .handler = [](Request request, Reply reply) { reply.send({.body = std::move(request.body)}); },
                     .most_body = 1u << 20});
        router_.add({.method = "POST",
                     .path = "/known",
                     .handler =
                         [](Request, Reply reply) {
                             reply.trust();
                             reply.send({.body = "known"});
                         },
                     .most_body = 1u << 20});
        router_.add({.method = "POST",
                     .path = "/never",
                     .handler = [](Request, Reply reply) { reply.send({}); },
                     .most_body = 1u << 20,
                     .admission = [](const Request&) { return std::optional(error_response(401, "never")); }});
        router_.add({.method = "GET", .path = "/forgotten", .handler = [](Request, const Reply&) {}});
        const Handler later = [this](Request, Reply reply) {
            const std::lock_guard lock(mutex_);
            later_.push_back(std::move(reply));
        };
        router_.add({.method = "GET", .path = "/later", .handler = later});
        router_.add({.method = "POST", .path = "/later", .handler = later, .most_body = 1u << 20});
        router_.add({.method = "GET", .path = "/stream", .handler = [this](Request, Reply reply) {
                         streams_.set_value(reply.stream({.content_type = "text/event-stream", .body = "first\n"}));
                     }});
    }
    std::size_t waiting() {
        const std::lock_guard lock(mutex_);
        return later_.size();
    }
    static bool soon(const std::function<bool()>& true_now) {
        for (int n = 0; n < 2000 && !true_now(); ++n) std::this_thread::sleep_for(5ms);
        return true_now();
    }

    std::mutex mutex_;
    std::vector<Reply> later_;
    std::promise<Stream> streams_;
    Router router_;
};

TEST_F(ServerTest, ARequestIsAnsweredAndTheConnectionStaysOpenForTheNext) {
    Running running(router_);
    Client client(running.port());
    for (int n = 0; n < 3; ++n) {
        client.send(get_hello);
        const auto response = client.response();
        EXPECT_EQ(status_of(response), 200);
        EXPECT_TRUE(response.ends_with("\r\n\r\nhi")) << response;
        EXPECT_EQ(response.find("Connection: close"), std::string::npos);
    }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInTheirOrder) {
    Running running(router_);
    Client client(running.port());
    std::string requests;
    for (int n = 0; n < 500; ++n) requests += post("/echo", std::to_string(n)) + get_hello;
    std::thread sender([&] { client.send(requests); });
    for (int n = 0; n < 500; ++n) {
        EXPECT_TRUE(client.response().ends_with("\r\n\r\n" + std::to_string(n)));
        EXPECT_TRUE(client.response().ends_with("\r\n\r\nhi"));
    }
    sender.join();
}

TEST_F(ServerTest, WhatIsPipelinedBehindALaterAnswerWaitsForIt) {
    Running running(router_);
    Client client(running.port());
    client.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n" + get_hello);
    ASSERT_TRUE(soon([&] { return waiting() == 1; }));
    EXPECT_TRUE(client.some(50ms).empty());
    later_[0].send({.body = "late"});
    EXPECT_TRUE(client.response().ends_with("late"));
    EXPECT_TRUE(client.response().ends_with("hi"));
}

TEST_F(ServerTest, ARequestMayComeByteByByte) {
    Running running(router_);
    Client client(running.port());
    for (const char c : post("/echo", "body")) client.send({&c, 1});
    EXPECT_TRUE(client.response().ends_with("\r\n\r\nbody"));
}

TEST_F(ServerTest, HeadIsGetWithoutItsBody) {
    Running running(router_);
    Client client(running.port());
    client.send("HEAD /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const auto response = client.all();
    EXPECT_EQ(status_of(response), 200);
    EXPECT_NE(response.find("Content-Length: 2\r\n"), std::string::npos);
    EXPECT_TRUE(response.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, UnknownPathsAndMethodsAreToldApartAndNothingRedirects) {
    Running running(router_);
    Client client(running.port());
    const auto answer = [&](const std::string& line) {
        client.send(line + " HTTP/1.1\r\nHost: h\r\n\r\n");
        return client.response();
    };
    EXPECT_EQ(status_of(answer("GET /nothing")), 404);
    EXPECT_EQ(status_of(answer("GET /hello/")), 404);
    EXPECT_EQ(status_of(answer("GET //hello")), 404);
    EXPECT_EQ(status_of(answer("GET /items/")), 404);
    EXPECT_EQ(status_of(answer("GET /items/a/b")), 404);
    const auto not_allowed = answer("DELETE /hello");
    EXPECT_EQ(status_of(not_allowed), 405);
    EXPECT_NE(not_allowed.find("Allow: GET, HEAD\r\n"), std::string::npos);
    EXPECT_NE(answer("GET /echo").find("Allow: POST\r\n"), std::string::npos);
    EXPECT_EQ(status_of(answer("OPTIONS /hello")), 405);
    EXPECT_TRUE(answer("GET /items/a%20b?q=1").ends_with("\r\n\r\na b?q=1"));
    EXPECT_EQ(status_of(answer("GET /items/a%2")), 400);
    EXPECT_EQ(status_of(answer("GET /items/%00")), 400);
    EXPECT_EQ(status_of(answer("GET http://elsewhere/hello")), 200);
}

TEST_F(ServerTest, AReplyThatIsForgottenIsA500) {
    Running running(router_);
    Client client(running.port());
    client.send("GET /forgotten HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(status_of(client.response()), 500);
}

TEST_F(ServerTest, AReplyMayComeFromAnotherThreadAndAfterItsClientIsGone) {
    Running running(router_);
    {
        Client client(running.port());
        client.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_TRUE(soon([&] { return waiting() == 1; }));
        later_[0].send({.body = "late"});
        EXPECT_TRUE(client.response().ends_with("late"));
        client.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_TRUE(soon([&] { return waiting() == 2; }));
    }
    later_[1].send({.body = "late"});
    Client client(running.port());
    client.send(get_hello);
    EXPECT_EQ(status_of(client.response()), 200);
}

TEST_F(ServerTest, ABodyOverItsLimitIsRefusedBeforeItIsReadAndTheClientSeesWhy) {
    Running running(router_);
    Client announced(running.port());
    announced.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2147483648\r\n\r\n");
    EXPECT_EQ(status_of(announced.all()), 413);

    Client chunked(running.port());
    chunked.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
    for (int n = 0; n < 20; ++n) chunked.send(chunk);
    chunked.half_close();
    EXPECT_EQ(status_of(chunked.all()), 413);

    Client just_fits(running.port());
    const std::string body(1u << 20, 'x');
    std::thread sender([&] { just_fits.send(post("/echo", body)); });
    EXPECT_TRUE(just_fits.response().ends_with(body));
    sender.join();
    Client with_body(running.port());
    with_body.send("GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_EQ(status_of(with_body.all()), 413);
}

TEST_F(ServerTest, ARefusalByTheHeadAloneWaitsForNoBody) {
    Running running(router_);
    Client client(running.port());
    client.send("POST /never HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    EXPECT_EQ(status_of(client.all()), 401);
}

TEST_F(ServerTest, ExpectationOfContinueIsMetWhereTheBodyIsWanted) {
    Running running(router_);
    Client client(running.port());
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    EXPECT_TRUE(client.response().ends_with("\r\n\r\nbody"));
}

TEST_F(ServerTest, AnOldClientIsAnsweredAndItsConnectionClosed) {
    Running running(router_);
    Client client(running.port());
    client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(client.all().ends_with("hi"));
}

TEST_F(ServerTest, EachPhaseHasItsTime) {
    Running running(router_, {.idle_time = 300ms, .head_time = 300ms, .body_time = 300ms, .linger_time = 100ms});
    Client silent(running.port());
    Client slow_head(running.port());
    slow_head.send("GET /hel");
    Client slow_body(running.port());
    slow_body.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx");
    EXPECT_EQ(status_of(slow_head.all()), 408);
    EXPECT_EQ(status_of(slow_body.all()), 408);
    EXPECT_EQ(silent.all(), "");
}

TEST_F(ServerTest, WhereConnectionsRunOutTheSlowestStrangerGivesWay) {
    Running running(router_, {.connections = 8});
    Client known(running.port());
    known.send(post("/known", "x"));
    EXPECT_TRUE(known.response().ends_with("known"));
    Client oldest(running.port());
    oldest.send("POST");
    std::vector<Client> strangers;
    for (int n = 0; n < 20; ++n) strangers.emplace_back(running.port());
    Client late(running.port());
    late.send(get_hello);
    EXPECT_EQ(status_of(late.response()), 200);
    EXPECT_TRUE(oldest.closed());
    known.send(get_hello);
    EXPECT_EQ(status_of(known.response()), 200) << "who has proven itself stays";
}

// While it lives, this process gets no file descriptor more.
class NoDescriptors {
public:
    NoDescriptors() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const int lowest_free = ::dup(STDERR_FILENO);
        ::close(lowest_free);
        auto none = before_;
        none.rlim_cur = static_cast<rlim_t>(lowest_free);
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    }
    NoDescriptors(const NoDescriptors&) = delete;
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST_F(ServerTest, WhereDescriptorsRunOutItWaitsForThemAndServesThoseItHas) {
    std::atomic<int> tries = 0;
    Running running(router_, {}, 0ms, [&](const std::string& why) {
        if (why == "Too many open files") ++tries;
    });
    Client served(running.port());
    served.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(soon([&] { return waiting() == 1; }));  // it is being worked on, and so gives way to nobody
    Client late;
    {
        const NoDescriptors none;
        const auto began = std::chrono::steady_clock::now();
        late.connect(running.port());
        late.send(get_hello);
        ASSERT_TRUE(soon([&] { return tries >= 3; })) << "it tries again";
        later_[0].send({.body = "served"});
        EXPECT_EQ(status_of(served.response()), 200);
        const int counted = tries;
        EXPECT_LE(counted, (std::chrono::steady_clock::now() - began) / 100ms + 1) << "and not all the time";
    }
    EXPECT_EQ(status_of(late.response()), 200);
}

TEST_F(ServerTest, OneSourceCannotTakeAllConnections) {
    Running running(router_, {.connections_per_source = 4});
    std::vector<Client> strangers;
    for (int n = 0; n < 12; ++n) strangers.emplace_back(running.port());
    EXPECT_TRUE(strangers[0].closed());
    Client late(running.port());
    late.send(get_hello);
    EXPECT_EQ(status_of(late.response()), 200);
}

TEST_F(ServerTest, BodiesThatTrickleCannotFillTheMemory) {
    std::atomic<int> told{0};
    Running running(router_, {.buffered_bytes = 2u << 20}, 0ms, {}, [&](int status, const std::string& source) {
        if (status == 408 && source == "127.0.0.1") ++told;
    });
    const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n";
    std::vector<Client> slow;
    for (int n = 0; n < 4; ++n) {
        slow.emplace_back(running.port());
        slow.back().send(head + std::string(700'000, 'x'));
    }
    EXPECT_TRUE(slow[0].closed());
    EXPECT_GE(told, 1) << "who gave way is counted";
    const std::string body(900'000, 'y');
    Client quick(running.port());
    std::thread sender([&] { quick.send(post("/echo", body)); });
    EXPECT_TRUE(quick.response().ends_with(body));
    sender.join();
}

TEST_F(ServerTest, WhileABodyWaitsForRoomItsTimeStandsStill) {
    Running running(router_, {.buffered_bytes = 1u << 20, .body_time = 900ms});
    const std::string body(900'000, 'y');
    Client stalled(running.port());
    stalled.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(700'000, 'x'));
    Client comes_well(running.port());
    std::thread sender([&] { comes_well.send(post("/echo", body)); });
    (void)stalled.all();  // it is refused when its time is over, which is as long as the other's
    EXPECT_TRUE(comes_well.response().ends_with(body));
    sender.join();
}

TEST_F(ServerTest, WhileAWholeBodyWaitsForItsAnswerNoOtherGoesBeyondTheRoom) {
    Running running(router_, {.buffered_bytes = 256u << 10});
    const std::string body(900'000, 'y');
    std::vector<Client> clients;
    for (int n = 0; n < 3; ++n) clients.emplace_back(running.port());
    std::vector<std::thread> senders;
    for (auto& client : clients) senders.emplace_back([&] { client.send(post("/later", body)); });
    for (std::size_t n = 1; n <= clients.size(); ++n) {
        ASSERT_TRUE(soon([&] { return waiting() == n; }));
        Client other(running.port());
        for (int turn = 0; turn < 200; ++turn) {  // a read of 64 KiB for each who waits, in each
            other.send(get_hello);
            (void)other.response();
        }
        EXPECT_EQ(waiting(), n) << "of three whole bodies one is in memory";
        const std::lock_guard lock(mutex_);
        later_[n - 1].send({});
    }
    for (auto& client : clients) EXPECT_TRUE(client.response().starts_with("HTTP/1.1 200"));
    for (auto& sender : senders) sender.join();
}

TEST_F(ServerTest, AStreamReachesItsClientPieceByPieceUntilItEnds) {
    Running running(router_);
    Client client(running.port());
    client.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    auto stream = streams_.get_future().get();
    EXPECT_NE(client.until("\r\n\r\n").find("Transfer-Encoding: chunked"), std::string::npos);
    EXPECT_EQ(client.until("first\n\r\n"), "6\r\nfirst\n\r\n");
    EXPECT_TRUE(stream.write("second\n"));
    EXPECT_EQ(client.until("second\n\r\n"), "7\r\nsecond\n\r\n");
    EXPECT_TRUE(stream.open());
    { const auto gone = std::move(stream); }
    EXPECT_EQ(client.all(), "0\r\n\r\n");
}

TEST_F(ServerTest, AStreamLearnsThatItsClientIsGone) {
    Running running(router_);
    auto client = std::make_unique<Client>(running.port());
    client->send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    auto stream = streams_.get_future().get();
    client.reset();
    EXPECT_TRUE(soon([&] { return !stream.open(); }));
    EXPECT_FALSE(stream.write("x"));
}

TEST_F(ServerTest, AStreamWhoseClientDoesNotReadIsDropped) {
    Running running(router_, {.stream_bytes = 100'000});
    Client client(running.port());
    client.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    auto stream = streams_.get_future().get();
    int written = 0;
    while (stream.write(std::string(10'000, 'x')) && written < 10'000) ++written;
    EXPECT_LT(written, 10'000);
    EXPECT_FALSE(stream.open());
}

TEST_F(ServerTest, NobodyConnectedForAWhileEndsItAndAConnectionKeepsIt) {
    Running running(router_, {}, 1s);
    {
        Client client(running.port());
        std::this_thread::sleep_for(1500ms);
        client.send(get_hello);
        EXPECT_EQ(status_of(client.response()), 200);
    }
    running.join();
}

TEST_F(ServerTest, AStopAnswersWhatHasBegunAndClosesTheRest) {
    Running running(router_);
    Client idle(running.port());
    idle.send(get_hello);
    EXPECT_EQ(status_of(idle.response()), 200);
    Client in_work(running.port());
    in_work.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    Client half(running.port());
    half.send(get_hello);
    EXPECT_EQ(status_of(half.response()), 200);
    half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo");
    ASSERT_TRUE(soon([&] { return waiting() == 1; }));
    Client fresh(running.port());
    Client after(running.port());
    after.send(get_hello);
    EXPECT_EQ(status_of(after.response()), 200) << "and so those before it were accepted";
    running.server().stop();
    EXPECT_EQ(idle.all(), "");
    fresh.send(get_hello);
    EXPECT_TRUE(fresh.all().ends_with("hi")) << "its request was on the way";
    half.send("dy");
    EXPECT_TRUE(half.all().ends_with("\r\n\r\nbody"));
    later_[0].send({.body = "late"});
    const auto response = in_work.all();
    EXPECT_TRUE(response.ends_with("late"));
    EXPECT_NE(response.find("Connection: close"), std::string::npos);
    running.join();
}

}  // namespace
}  // namespace orchd::net::tests
