// Reading over HTTP (R37): over a real database and real sockets.
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "listener/read_routes.h"
#include "net/http.h"
#include "store/store_fixture.h"

namespace orchd::listener {
namespace {

using namespace std::chrono_literals;
using net::tests::Client;
using net::tests::Running;
using net::tests::status_of;
using store::must;

class ReadingTest : public store::StoreTest {
protected:
    ReadingTest() { add_read_routes(router_, reader_, health_, answers_); }

    [[nodiscard]] std::string get(const std::string& target, const std::string& fields = "") const {
        Client client(server_.port());
        client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
        return client.response();
    }
    [[nodiscard]] boost::json::object object_of(const std::string& target) const {
        const auto response = get(target);
        EXPECT_EQ(status_of(response), 200) << response;
        return boost::json::parse(response.substr(response.find("\r\n\r\n") + 4)).as_object();
    }
    [[nodiscard]] Client following(const std::string& target, const std::string& fields = "") const {
        Client client(server_.port());
        client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
        EXPECT_NE(client.until("\r\n\r\n").find("Content-Type: text/event-stream"), std::string::npos);
        EXPECT_NE(client.until("retry: 2000\n\n").find("retry"), std::string::npos);
        return client;
    }
    static constexpr std::size_t most_followers = 64;
    // Whether one more who would follow is turned away.
    [[nodiscard]] bool is_full() const {
        Client client(server_.port());
        client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
        return status_of(client.until("\r\n\r\n")) == 503;
    }
    // The id of the next event.
    static std::int64_t next_id(Client& client) {
        (void)client.until("id: ");
        const auto line = client.until("\n");
        (void)client.until("\n\n");
        return line.empty() ? -1 : std::stoll(line);
    }
    std::int64_t append(const std::string& data = "{}") {
        return write([&](store::Tx& tx) {
            return store::append_event(
                tx, {.at = now.utc_ms, .actor = "worker", .task_id = {}, .job_id = {}, .kind = "k", .data = data});
        });
    }

    // Another file than the store's, where a test takes it away.
    ReadOptions options() {
        return {.database = path,
                .now = [this] { return now; },
                .read_settings = [this] { return reading; },
                .free_bytes = [] { return std::int64_t{1} << 30; }};
    }
    settings::Reading reading;
    std::atomic<int> warnings_ = 0, written_ = 0;
    std::atomic<std::int64_t> free_bytes_ = std::int64_t{1} << 30, free_inodes_ = 1'000'000;
    Health health_{{.open =
                        [this] {
                            ++written_;
                            return store::Db::open(path, {.busy_timeout_ms = 100});
                        },
                    .free_bytes = [this] { return free_bytes_.load(); },
                    .inodes = [this] { return Inodes{.free = free_inodes_, .total = 1'000'000}; },
                    .utc_ms = [this] { return now.utc_ms; }}};
    Reader reader_{options(), [this](const std::string&) { ++warnings_; }};
    Answers answers_{[](const Answers::Refusals&) {}};
    net::Router router_;
    Running server_{router_, {.write_time = 500ms}};
};

TEST_F(ReadingTest, EachPageIsThere) {
    (void)task("HELLO-1");
    EXPECT_EQ(object_of("/health").at("status").as_string(), "ok");
    EXPECT_EQ(object_of("/status").at("open_tasks").as_int64(), 1);
    EXPECT_TRUE(object_of("/queue").contains("counts"));
    EXPECT_EQ(object_of("/tasks/HELLO-1").at("stage").as_string(), "analysis");
    EXPECT_EQ(status_of(get("/tasks/HELLO-9")), 404);
    const auto health = get("/health");
    EXPECT_NE(health.find("Cache-Control: no-store"), std::string::npos);
    EXPECT_EQ(health.find("Cache-Control"), health.rfind("Cache-Control")) << "once";
    EXPECT_EQ(status_of(get("/tasks/hello")), 400);
    EXPECT_EQ(status_of(get("/")), 404);
    Client poster(server_.port());
    poster.send("POST /queue HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(status_of(poster.response()), 405);
}

TEST_F(ReadingTest, APageIsAsNewAsItsQuestion) {
    for (int n = 1; n <= 20; ++n) {
        (void)task("HELLO-" + std::to_string(n));
        EXPECT_EQ(object_of("/status").at("open_tasks").as_int64(), n);
    }
}

TEST_F(ReadingTest, MetricsAreInTheFormatThatIsAskedFor) {
    const auto plain = get("/metrics");
    EXPECT_NE(plain.find("Content-Type: text/plain; version=0.0.4"), std::string::npos) << plain;
    EXPECT_NE(plain.find("# TYPE orchd_tasks_created_total counter\n"), std::string::npos);
    const auto open = get("/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n");
    EXPECT_NE(open.find("Content-Type: application/openmetrics-text; version=1.0.0"), std::string::npos) << open;
    EXPECT_NE(open.find("# TYPE orchd_tasks_created counter\n"), std::string::npos);
    EXPECT_TRUE(open.ends_with("# EOF\n"));
}

TEST_F(ReadingTest, ADatabaseThatCannotBeReadIsToldAndReadAgainWhenItIsBack) {
    std::filesystem::rename(path, path + ".away");
    const auto sick = get("/health");
    EXPECT_EQ(status_of(sick), 503);
    EXPECT_NE(sick.find(R"("part":"database")"), std::string::npos) << sick;
    EXPECT_NE(sick.find("Retry-After: "), std::string::npos);
    EXPECT_EQ(status_of(get("/metrics")), 503);
    EXPECT_EQ(warnings_, 1) << "once a minute";
    std::filesystem::rename(path + ".away", path);
    EXPECT_EQ(status_of(get("/health")), 200);
}

TEST_F(ReadingTest, HealthIsThatSomethingCanBeWrittenToo) {
    const auto failing = [&](const std::string& part, const std::string& because) {
        std::this_thread::sleep_for(1s);  // a try that went well is good for so long
        const auto sick = get("/health");
        EXPECT_EQ(status_of(sick), 503) << because;
        EXPECT_NE(sick.find(R"("part":")" + part + '"'), std::string::npos) << sick;
        EXPECT_NE(sick.find("Retry-After: "), std::string::npos);
        EXPECT_NE(sick.find(because), std::string::npos) << sick;
    };
    EXPECT_EQ(status_of(get("/health")), 200);
    must(db.execute("BEGIN IMMEDIATE"));
    failing("database", "locked");
    EXPECT_EQ(status_of(get("/status")), 200) << "which reads";
    must(db.execute("ROLLBACK"));
    EXPECT_EQ(status_of(get("/health")), 200) << "again at once";
    free_bytes_ = 4096;
    failing("disk", "full");
    free_bytes_ = std::int64_t{1} << 30;
    free_inodes_ = 0;
    failing("disk", "full");
    free_inodes_ = 1000;
    EXPECT_EQ(status_of(get("/health")), 200);
}

TEST_F(ReadingTest, AProbeThatAsksOftenWritesOnceASecond) {
    const auto began = std::chrono::steady_clock::now();
    for (int n = 0; n < 50; ++n) EXPECT_EQ(status_of(get("/health")), 200);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_LE(written_, 1 + took / 1s);
}

TEST_F(ReadingTest, WhereThePagesFailSoDoesHealth) {
    (void)task("HELLO-1");
    must(db.checkpoint());
    EXPECT_EQ(status_of(get("/tasks/HELLO-2")), 404) << "it is open by now, and no page is kept";
    { const store::Db gone = std::move(db); }
    // All but the first page.
    const auto size = std::filesystem::file_size(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8192);
    file << std::string(size - 8192, '\xa5');
    file.close();
    for (const auto* target : {"/health", "/status", "/queue", "/metrics", "/tasks/HELLO-1"}) {
        const auto sick = get(target);
        EXPECT_EQ(status_of(sick), 503) << target << sick;
        EXPECT_NE(sick.find("Retry-After: "), std::string::npos) << target;
    }
}

TEST_F(ReadingTest, ManyWhoAskAtOnceAreAnsweredTogether) {
    std::atomic<int> made = 0, answered = 0;
    std::promise<void> asking;
    const auto all_asked = asking.get_future().share();
    for (int n = 0; n < 500; ++n)
        reader_.ask(
            "slow",
            [&](const views::WorldView&) -> Result<std::string> {
                ++made;
                all_asked.wait();
                return "page";
            },
            [&](const Result<std::string>& page) { answered += page ? 1 : 0; });
    asking.set_value();
    while (answered < 500) std::this_thread::yield();
    EXPECT_LE(made, 2) << "the first of them by itself, the others together";
}

TEST_F(ReadingTest, AReadingThatTakesTooLongIsBrokenOffAndTheNextOneIsNot) {
    const auto asked = [&](const std::string& name, const std::string& rows) {
        std::promise<Result<std::string>> answered;
        reader_.ask(
            name,
            [&](const views::WorldView& view) {
                return view.db.read([&](store::Db& reader) -> Result<std::string> {
                    auto statement =
                        reader.prepare("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " + rows +
                                       ") SELECT count(*) FROM n");
                    if (!statement) return fail(statement.error());
                    auto row = statement->step();
                    if (!row) return fail(row.error());
                    return (*row)->text(0);
                });
            },
            [&](const Result<std::string>& page) { answered.set_value(page); });
        return answered.get_future().get();
    };
    const auto endless = asked("endless", "100000000000");
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error().code, Errc::unavailable);
    EXPECT_EQ(must(asked("short", "10")), "10");
}

TEST_F(ReadingTest, WhatIsCommittedReachesThoseWhoFollow) {
    (void)append();
    auto client = following("/events");
    for (int n = 0; n < 5; ++n) {
        const auto id = append();
        EXPECT_EQ(next_id(client), id) << "from now on, each at once";
    }
}

TEST_F(ReadingTest, AClientResumesAfterTheEventThatItSawLast) {
    std::vector<std::int64_t> ids;
    for (int n = 0; n < 3; ++n) ids.push_back(append());
    auto by_header = following("/events", "Last-Event-ID: " + std::to_string(ids[1]) + "\r\n");
    EXPECT_EQ(next_id(by_header), ids[2]);
    auto from_the_first = following("/events?after=0");
    for (const auto id : ids) EXPECT_EQ(next_id(from_the_first), id);
    auto from_a_future = following("/events?after=999999");
    const auto next = append();
    EXPECT_EQ(next_id(from_a_future), next) << "of a database that was restored the ids begin anew";
    for (const auto* wrong : {"/events?after=x", "/events?after=-1", "/events?since=1", "/events?after="})
        EXPECT_EQ(status_of(get(wrong)), 400) << wrong;
}

TEST_F(ReadingTest, TheWholeHistoryComesInOrder) {
    const std::string data = R"({"text":")" + std::string(1000, 'x') + R"("})";
    must(db.write([&](store::Tx& tx) -> Status {
        for (int n = 0; n < 3000; ++n)
            if (auto id =
                    store::append_event(tx, {.at = 1, .actor = "a", .task_id = {}, .job_id = {}, .kind = "k", .data = data});
                !id)
                return fail(id.error());
        return {};
    }));
    auto client = following("/events?after=0");
    for (std::int64_t n = 1; n <= 3000; ++n) ASSERT_EQ(next_id(client), n);
    const auto id = append();
    EXPECT_EQ(next_id(client), id) << "and then what happens";
}

TEST_F(ReadingTest, AClientThatReadsNothingIsDroppedAndNobodyElseWaits) {
    const std::string data = R"({"text":")" + std::string(2000, 'x') + R"("})";
    must(db.write([&](store::Tx& tx) -> Status {
        for (int n = 0; n < 10'000; ++n)
            if (auto id =
                    store::append_event(tx, {.at = 1, .actor = "a", .task_id = {}, .job_id = {}, .kind = "k", .data = data});
                !id)
                return fail(id.error());
        return {};
    }));
    auto deaf = following("/events?after=0");
    auto listening = following("/events");
    const auto id = append();
    EXPECT_EQ(next_id(listening), id);
    // A client that does not read is told nothing either when it is dropped: all places are taken, and its own becomes free.
    std::vector<Client> others;
    while (others.size() < most_followers - 2) others.push_back(following("/events"));
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    auto full = is_full();
    while (full && std::chrono::steady_clock::now() < deadline) full = is_full();
    EXPECT_FALSE(full);
    EXPECT_LT(deaf.all().size(), 12u << 20) << "what the sockets hold of its 20 MB";
    EXPECT_EQ(object_of("/health").at("status").as_string(), "ok");
}

TEST_F(ReadingTest, WhoFollowsHoldsBackNoCheckpoint) {
    auto client = following("/events");
    const auto id = append();
    ASSERT_EQ(next_id(client), id);
    // Each of its looks takes a snapshot for a moment; one that it kept would be in the way for ever.
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    auto emptied = db.checkpoint();
    while (!emptied && emptied.error().code == Errc::unavailable && std::chrono::steady_clock::now() < deadline)
        emptied = db.checkpoint();
    must(emptied);
}

TEST_F(ReadingTest, NoMoreFollowThanAreAllowed) {
    std::vector<Client> all;
    while (all.size() < most_followers) all.push_back(following("/events"));
    EXPECT_TRUE(is_full());
    const auto refused = get("/events");
    EXPECT_EQ(status_of(refused), 503);
    EXPECT_NE(refused.find("Retry-After: "), std::string::npos);
}

}  // namespace
}  // namespace orchd::listener
