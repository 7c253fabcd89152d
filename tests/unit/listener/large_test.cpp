// Large bodies (R18): what is signed is taken up to the limit, and refused over it with a durable trace; strangers leave none.
#include <malloc.h>
#include <unistd.h>
#include <atomic>
#include <fstream>
#include <iostream>
#include <thread>

#include "house.h"
#include "store/facts.h"

namespace orchd::listener::tests {
namespace {

constexpr std::size_t mib = 1u << 20;

std::string json_of(std::size_t bytes) {
    const std::string head = R"({"ref":"refs/heads/main","files":")", tail = "\"}";
    return head + std::string(bytes - head.size() - tail.size(), 'f') + tail;
}
std::string chunked(std::string_view path, std::string_view body, std::string_view fields, std::size_t chunk = 70'000) {
    std::string request =
        "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" + std::string(fields) + "\r\n";
    for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
        const auto piece = body.substr(0, chunk);
        std::array<char, 20> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
        request.append(size.data()).append(piece).append("\r\n");
    }
    return request + "0\r\n\r\n";
}
std::string as_form(std::string_view json) {
    std::string form = "payload=";
    for (const char c : json) {
        std::array<char, 4> escape{c, 0, 0, 0};
        if (c == ' ') escape[0] = '+';
        if (c == '{' || c == '}' || c == '"' || c == ':' || c == '/' || c == ',')
            std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned>(c));
        form += escape.data();
    }
    return form;
}
std::string headers(std::string_view type, std::string_view covered, std::string_view id, std::string_view secret = "s3cret") {
    return "Content-Type: " + std::string(type) + "\r\nX-Gitea-Signature: " + signed_by(secret, covered) +
           "\r\nX-Gitea-Delivery: " + std::string(id) + "\r\nX-Gitea-Event-Type: push\r\n";
}
constexpr std::string_view json_media = "application/json", form_media = "application/x-www-form-urlencoded";

class LargeTest : public ::testing::Test {
protected:
    // Sends from another thread: an answer may come before all was sent.
    static int send(const House& house, const std::string& request) {
        auto client = house.client();
        std::thread sender([&] { client.send(request); });
        const auto answer = client.response();
        sender.join();
        return status_of(answer);
    }
    store::Folder folder;
};

TEST_F(LargeTest, WhatIsWithinTheLimitIsTakenHoweverItIsSent) {
    House house(folder);
    const auto body = json_of(8 * mib);
    EXPECT_EQ(send(house, post("/webhooks/gitea", body, headers(json_media, body, "plain"))), 200);
    EXPECT_EQ(send(house, chunked("/webhooks/gitea", body, headers(json_media, body, "chunked"))), 200);
    EXPECT_EQ(send(house, post("/webhooks/gitea", as_form(body), headers(form_media, body, "form"))), 200);
    EXPECT_EQ(send(house, chunked("/webhooks/gitea", as_form(body), headers(form_media, body, "both"))), 200);
    const auto stored = house.stored();
    ASSERT_EQ(stored.size(), 4U);
    for (const auto& d : stored) EXPECT_TRUE(d.body == body) << d.dedup_key;
    EXPECT_TRUE(house.refused().empty());
}

TEST_F(LargeTest, WhatIsSignedAndTooLargeIsOnRecordAsRefused) {
    House house(folder, {.most_body = mib});
    const auto body = json_of(mib + 1);
    EXPECT_EQ(send(house, post("/webhooks/gitea", body, headers(json_media, body, "plain"))), 413);
    EXPECT_EQ(send(house, chunked("/webhooks/gitea", body, headers(json_media, body, "chunked"))), 413);
    EXPECT_EQ(send(house, post("/webhooks/gitea/hello", as_form(body), headers(form_media, body, "form"))), 413);
    EXPECT_EQ(send(house, post("/webhooks/gitea", body, headers(json_media, body, "plain"))), 413)
        << "the same again is no other";
    EXPECT_TRUE(house.stored().empty());
    const auto refused = house.refused();
    ASSERT_EQ(refused.size(), 3U);
    EXPECT_EQ(refused[2].dedup_key, "plain");
    EXPECT_EQ(refused[2].event, "push");
    EXPECT_EQ(refused[2].peer, "127.0.0.1");
    EXPECT_EQ(refused[2].size, static_cast<std::int64_t>(body.size()));
    EXPECT_EQ(refused[2].received_at, house.utc_ms);
    EXPECT_EQ(refused[2].outcome,
              "413: the body has 1048577 bytes, 1048576 is the most (webhook_max_bytes) (1048577 bytes from 127.0.0.1)");
    EXPECT_EQ(refused[0].source, "gitea/hello");
    EXPECT_EQ(refused[0].size, static_cast<std::int64_t>(as_form(body).size()));
    auto db = must(store::Db::open(house.path, {}));
    EXPECT_EQ(must(store::count_deliveries(db)).refused, 3);
    EXPECT_EQ(store::number_of(must(store::find_state(db, store::refused_total))), 4);
    EXPECT_EQ(db.write([&](store::Tx& tx) { return store::replay_delivery(tx, refused[0].id); }).error().code, Errc::conflict);
    // Sent again within the limit, it is kept out by nothing.
    const auto fits = json_of(mib);
    EXPECT_EQ(send(house, post("/webhooks/gitea", fits, headers(json_media, fits, "plain"))), 200);
}

TEST_F(LargeTest, StrangersLeaveNoTraceHoweverLarge) {
    House house(folder, {.most_body = mib});
    for (const auto size : {mib / 2, mib + 1, 3 * mib}) {
        const auto body = json_of(size);
        EXPECT_EQ(send(house, post("/webhooks/gitea", body, headers(json_media, body, "x", "guessed"))), 401);
        EXPECT_EQ(send(house, chunked("/webhooks/gitea", as_form(body), headers(form_media, body, "x", "guessed"))), 401);
        EXPECT_EQ(send(house, post("/webhooks/gitea", body, json_type)), 401) << "not read at all";
    }
    auto endless = house.client();
    endless.send("POST /webhooks/gitea HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(Webhooks::most_read + 1) +
                 "\r\n" + headers(json_media, "x", "x", "guessed") + "\r\n");
    EXPECT_EQ(status_of(endless.response()), 413) << "told by the head: nobody reads that far";
    EXPECT_TRUE(house.refused().empty());
    EXPECT_TRUE(house.stored().empty());
}

TEST_F(LargeTest, EveryRefusalOfWhatWasSignedLeavesATrace) {
    House house(folder);
    const std::string good = R"({"a": 1})", bad = "no json", twice = "payload=%7B%7D&payload=1";
    const auto to = [&](const std::string& path, const std::string& body, const std::string& fields) {
        return house.send(post(path, body, fields));
    };
    EXPECT_EQ(to("/webhooks/gitea", bad, headers(json_media, bad, "bad")), 400);
    EXPECT_EQ(to("/webhooks/gitea", good, headers("text/plain", good, "type")), 415);
    EXPECT_EQ(to("/webhooks/gitea", good, headers(json_media, good, "coding") + "Content-Encoding: gzip\r\n"), 415);
    EXPECT_EQ(to("/webhooks/gitea/..", good, headers(json_media, good, "project")), 404);
    EXPECT_EQ(to("/webhooks/gitea", twice, headers(form_media, "{}", "twice")), 400);
    ASSERT_EQ(house.refused().size(), 5U);
    EXPECT_EQ(house.refused()[1].outcome, "404: this is no name of a project (8 bytes from 127.0.0.1)");
    EXPECT_EQ(house.refused()[1].source, "gitea");
    EXPECT_EQ(house.refused()[3].outcome.substr(0, 5), "415: ");
    // The same of strangers.
    EXPECT_EQ(to("/webhooks/gitea", bad, headers(json_media, bad, "bad", "guessed")), 401);
    EXPECT_EQ(to("/webhooks/gitea", good, headers("text/plain", good, "type", "guessed")), 415);
    EXPECT_EQ(to("/webhooks/gitea", twice, headers(form_media, "{}", "twice", "guessed")), 400);
    EXPECT_EQ(house.refused().size(), 5U);
}

TEST_F(LargeTest, WhatCouldNotBePutOnRecordIsTracedOnceItCan) {
    House house(folder, {.make_database = false});
    const std::string body = R"({"a": 1})";
    EXPECT_EQ(house.send(post("/webhooks/gitea", body, headers(json_media, body, "lost"))), 503);
    (void)must(store::Db::open(house.path, {.mode = store::Mode::create}));
    EXPECT_EQ(house.send(post("/webhooks/gitea", body, headers(json_media, body, "next"))), 200);
    while (house.refused().empty()) std::this_thread::yield();  // by the writer, behind the one that was answered
    EXPECT_EQ(house.refused()[0].dedup_key, "lost");
    EXPECT_EQ(house.refused()[0].outcome.substr(0, 32), "503: it could not be put on reco");
}

TEST_F(LargeTest, WhatTheDatabaseRefusesKeepsNoOtherFromTheRecord) {
    House house(folder, {.make_database = false});
    const std::string body = R"({"a": 1})";
    for (const auto* id : {"first", "never", "last"})
        EXPECT_EQ(house.send(post("/webhooks/gitea", body, headers(json_media, body, id))), 503);
    auto db = must(store::Db::open(house.path, {.mode = store::Mode::create}));
    must(
        db.execute("CREATE TRIGGER never BEFORE INSERT ON deliveries WHEN NEW.dedup_key = 'never'"
                   " BEGIN SELECT RAISE(ABORT, 'never'); END"));
    EXPECT_EQ(house.send(post("/webhooks/gitea", body, headers(json_media, body, "next"))), 200);
    while (house.refused().size() < 2) std::this_thread::yield();  // by the writer, behind the one that was answered
    EXPECT_EQ(house.refused()[0].dedup_key, "last");
    EXPECT_EQ(house.refused()[1].dedup_key, "first");
}

std::int64_t resident_kib(const char* key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key)) return std::stoll(line.substr(std::string_view(key).size() + 1));
    return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int many = 16;  // what is freed is kept: memory says nothing
constexpr bool measured = false;
#else
constexpr int many = 48;
constexpr bool measured = true;
#endif

// Says on stderr what came of many that come at once; the peak of this process counts from before them.
void send_many(const store::Folder& folder) {
    ::mallopt(M_PERTURB, 0);  // else, as meson has it, memory that is only kept free for a body is written to
    const auto body = json_of(8 * mib);
    House house(folder);
    const auto before = resident_kib("VmHWM:");
    std::vector<std::thread> senders;
    std::atomic<int> accepted{0};
    for (int n = 0; n < many; ++n)
        senders.emplace_back([&, n] {
            auto client = house.client();
            client.send("POST /webhooks/gitea HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                        headers(json_media, body, "big-" + std::to_string(n)) + "\r\n");
            client.send(body);
            if (status_of(client.response()) == 200) ++accepted;
        });
    for (auto& sender : senders) sender.join();
    const auto grown = resident_kib("VmHWM:") - before;
    const bool bounded = !measured || grown < many * 4 * 1024;  // half of what they have
    const bool all = accepted == many && house.stored().size() == many;
    std::cerr << (all ? "all accepted and stored" : "some lost") << (bounded ? ", bounded" : ", not bounded") << " (" << grown
              << " KiB)\n";
}

// None is lost, and they are not all in memory. In a process of its own, whose peak is of nothing else.
TEST_F(LargeTest, ManyLargeBodiesAtOnceAreAllTakenInBoundedMemory) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            send_many(folder);
            ::_exit(0);
        },
        testing::ExitedWithCode(0), "all accepted and stored, bounded");
}

TEST_F(LargeTest, LargeBodiesThatStallGiveWayToThoseThatCome) {
    House house(folder, {.buffered = 4 * mib});
    const auto body = json_of(3 * mib);
    std::vector<net::tests::Client> stalled;
    for (int n = 0; n < 4; ++n) {
        stalled.push_back(house.client());
        stalled.back().send("POST /webhooks/gitea HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
                            "\r\n" + headers(json_media, body, "x", "guessed") + "\r\n" + body.substr(0, 2 * mib));
    }
    EXPECT_EQ(send(house, post("/webhooks/gitea", body, headers(json_media, body, "good"))), 200);
}

}  // namespace
}  // namespace orchd::listener::tests
