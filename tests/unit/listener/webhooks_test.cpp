// Who is let in, what is kept of it, and what is answered (R18).
#include "house.h"

namespace orchd::listener::tests {
namespace {

class WebhooksTest : public ::testing::Test {
protected:
    store::Folder folder;
};
const std::string push_body = R"({"ref": "refs/heads/main"})";

TEST_F(WebhooksTest, ASignedDeliveryIsOnRecordAsItCame) {
    House house(folder);
    const auto answer = house.answer(gitea(push_body, "id-1"));
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n{\"status\":\"stored\"}\n")) << answer;
    EXPECT_GT(house.commits, 0) << "the worker is woken";
    const auto stored = house.stored();
    ASSERT_EQ(stored.size(), 1U);
    EXPECT_EQ(stored[0].source, "gitea");
    EXPECT_EQ(stored[0].dedup_key, "id-1");
    EXPECT_EQ(stored[0].event, "push") << "by Event-Type, where Event is empty";
    EXPECT_EQ(stored[0].body, push_body);
    EXPECT_EQ(stored[0].body_hash, net::sha256_hex(push_body));
    EXPECT_EQ(stored[0].received_at, house.utc_ms);
}

TEST_F(WebhooksTest, TheSameDeliveryTwiceIsOne) {
    House house(folder);
    EXPECT_EQ(house.send(gitea(push_body, "id-1")), 200);
    EXPECT_TRUE(house.answer(gitea(push_body, "id-1")).ends_with("{\"status\":\"duplicate\"}\n"));
    EXPECT_EQ(house.send(gitea(push_body, "id-2")), 200);
    EXPECT_EQ(house.stored().size(), 2U);
}

TEST_F(WebhooksTest, WithoutAnIdItIsKnownByItsBody) {
    House house(folder);
    EXPECT_EQ(house.send(gitea(push_body, "")), 200);
    EXPECT_EQ(house.send(gitea(push_body, "")), 200);
    EXPECT_EQ(house.send(gitea(R"({"other": 1})", "")), 200);
    EXPECT_EQ(house.stored().size(), 2U);
}

TEST_F(WebhooksTest, WrongAndMissingSignaturesAreRefused) {
    House house(folder);
    const auto with = [&](const std::string& fields) {
        return house.send(post("/webhooks/gitea", push_body, std::string(json_type) + fields));
    };
    const auto right = signed_by("s3cret", push_body);
    EXPECT_EQ(with(""), 401);
    EXPECT_EQ(with("X-Gitea-Signature: \r\n"), 401);
    EXPECT_EQ(with("X-Gitea-Signature: \r\nX-Hub-Signature-256: sha256=\r\n"), 401);
    EXPECT_EQ(with("X-Gitea-Signature: " + right.substr(0, 63) + "\r\n"), 401);
    EXPECT_EQ(with("X-Gitea-Signature: " + right + "0\r\n"), 401);
    EXPECT_EQ(with("X-Gitea-Signature: " + std::string(64, 'g') + "\r\n"), 401);
    EXPECT_EQ(with("X-Gitea-Signature: " + signed_by("other", push_body) + "\r\n"), 401);
    EXPECT_EQ(with("X-Gitea-Signature: " + signed_by("", push_body) + "\r\n"), 401);
    EXPECT_EQ(with("X-Plane-Signature: " + right + "\r\n"), 401);
    EXPECT_EQ(
        house.send(post("/webhooks/gitea", push_body + " ", std::string(json_type) + "X-Gitea-Signature: " + right + "\r\n")),
        401);
    EXPECT_TRUE(house.stored().empty());
    EXPECT_EQ(with("X-Forgejo-Signature: " + right + "\r\n"), 200);
    EXPECT_EQ(with("X-Hub-Signature-256: sha256=" + right + "\r\n"), 200);
}

TEST_F(WebhooksTest, TheSignatureOfAFormCoversItsPayload) {
    House house(folder);
    const std::string form_type = "Content-Type: application/x-www-form-urlencoded\r\n";
    const auto send = [&](const std::string& form, const std::string& covered) {
        return house.send(
            post("/webhooks/gitea", form, form_type + "X-Gitea-Signature: " + signed_by("s3cret", covered) + "\r\n"));
    };
    const std::string form = "a=b&payload=%7B%22ref%22%3A+%22refs%2Fheads%2Fmain%22%7D";
    EXPECT_EQ(send(form, form), 401);
    EXPECT_EQ(send(form, push_body), 200);
    ASSERT_EQ(house.stored().size(), 1U);
    EXPECT_EQ(house.stored()[0].body, push_body);
    EXPECT_EQ(send("a=b", ""), 400);
    EXPECT_EQ(send(form + "&payload=1", push_body), 400);
    EXPECT_EQ(send("payload=%7", "x"), 400);
}

TEST_F(WebhooksTest, TwoSecretsCountWhileOneTakesTheOthersPlace) {
    House house(folder, {.gitea = "old \r\n\nnew"});
    EXPECT_EQ(house.send(gitea(push_body, "1", "old")), 200);
    EXPECT_EQ(house.send(gitea(push_body, "2", "new")), 200);
    EXPECT_EQ(house.send(gitea(push_body, "3", "old \r")), 401);
}

TEST_F(WebhooksTest, AProjectMayHaveASecretOfItsOwn) {
    House house(folder, {.project = "its-own\n"});
    const auto to = [&](const std::string& project, const std::string& secret) {
        return house.send(post("/webhooks/gitea/" + project, push_body,
                               std::string(json_type) + "X-Gitea-Signature: " + signed_by(secret, push_body) + "\r\n"));
    };
    EXPECT_EQ(to("hello", "s3cret"), 401);
    EXPECT_EQ(to("hello", "its-own"), 200);
    EXPECT_EQ(to("other", "s3cret"), 200);
    EXPECT_EQ(to("other", "its-own"), 401);
    EXPECT_EQ(to("..", "s3cret"), 404);
    EXPECT_EQ(to("a%2fb", "s3cret"), 404);
    EXPECT_EQ(house.stored()[0].source, "gitea/hello");
}

TEST_F(WebhooksTest, ASourceWithoutASecretIsRefusedAndTheOthersAreNot) {
    House house(folder, {.gitea = "", .plane = "  \n"});
    EXPECT_EQ(house.problems.size(), 1U);
    EXPECT_EQ(house.send(gitea(push_body, "1", "")), 401);
    EXPECT_EQ(house.send(plane(push_body)), 401);
}

TEST_F(WebhooksTest, OnlyJsonAndFormsAreTaken) {
    House house(folder);
    const auto as = [&](const std::string& type) {
        return house.send(
            post("/webhooks/gitea", push_body, type + "X-Gitea-Signature: " + signed_by("s3cret", push_body) + "\r\n"));
    };
    EXPECT_EQ(as(""), 415);
    EXPECT_EQ(as("Content-Type: text/plain\r\n"), 415);
    EXPECT_EQ(as("Content-Type: multipart/form-data; boundary=x\r\n"), 415);
    EXPECT_EQ(as("Content-Type: application/json\r\nContent-Encoding: gzip\r\n"), 415);
    EXPECT_EQ(as("Content-Type: Application/JSON ; charset=utf-8\r\n"), 200);
    EXPECT_EQ(status_of(house.answer("GET /webhooks/gitea HTTP/1.1\r\nHost: h\r\n\r\n")), 405);
    EXPECT_EQ(status_of(house.answer(post("/webhooks/github", push_body, json_type))), 404);
    EXPECT_EQ(status_of(house.answer(post("/webhooks", push_body, json_type))), 404);
}

TEST_F(WebhooksTest, WhatIsSignedAndNoJsonObjectIsRefused) {
    House house(folder);
    const std::string deep = std::string(100'000, '[');
    for (const std::string wrong : {"", "x", "[]", "1", "{", "{}x", "{\"a\":1,}", "{'a':1}", "{\"a\":NaN}", "{\"a\":\"\xff\"}",
                                    "\xef\xbb\xbf{}", "// c\n{}", "{\"a\":\"\n\"}"})
        EXPECT_EQ(house.send(gitea(wrong, "x")), 400) << wrong;
    EXPECT_EQ(house.send(gitea("{\"a\":" + deep, "x")), 400);
    EXPECT_TRUE(house.stored().empty());
    EXPECT_EQ(house.send(gitea(" {\"a\": {}} \n", "x")), 200);
}

TEST_F(WebhooksTest, PlaneSendsOneBodyUnderManyIdsAndItIsOne) {
    House house(folder);
    const std::string one = R"({"event": "issue", "webhook_id": "w-1", "data": {"webhook_id": "inner"}})";
    EXPECT_EQ(house.send(plane(one)), 200);
    EXPECT_EQ(house.send(plane(one)), 200);
    house.utc_ms += Webhooks::window_ms;
    EXPECT_EQ(house.send(plane(one)), 200);
    EXPECT_EQ(house.stored().size(), 1U);
    house.utc_ms += 2 * Webhooks::window_ms;
    EXPECT_EQ(house.send(plane(one)), 200);
    EXPECT_EQ(house.stored().size(), 2U) << "much later it is another event with an equal body";
    EXPECT_EQ(house.send(plane(R"({"event": "issue", "webhook_id": "w-2", "data": {"webhook_id": "inner"}})")), 200);
    const auto stored = house.stored();
    ASSERT_EQ(stored.size(), 3U);
    EXPECT_TRUE(stored[0].dedup_key.starts_with("w-1:"));
    EXPECT_TRUE(stored[2].dedup_key.starts_with("w-2:"));
}

TEST_F(WebhooksTest, PlanesNewerFormIsKnownByItsEventId) {
    House house(folder);
    EXPECT_EQ(house.send(plane(R"({"version":"v2","delivery_id":"1","event_id":"e-1","webhook_id":"w"})")), 200);
    EXPECT_EQ(house.send(plane(R"({"version":"v2","delivery_id":"2","event_id":"e-1","webhook_id":"w"})")), 200);
    ASSERT_EQ(house.stored().size(), 1U);
    EXPECT_EQ(house.stored()[0].dedup_key, "event:e-1");
}

TEST_F(WebhooksTest, WhoKeepsFailingIsToldSoAndWhatItSignsIsTaken) {
    House house(folder);
    const auto forged = gitea(push_body, "1", "wrong");
    for (int n = 0; n < Failures::burst; ++n) ASSERT_EQ(house.send(forged), 401) << n;
    const auto answer = house.answer(forged);
    EXPECT_EQ(status_of(answer), 429);
    EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
    EXPECT_EQ(house.send(gitea(push_body, "1")), 200);
    house.boot_ms += 60'000;
    EXPECT_EQ(house.send(forged), 401);
}

TEST_F(WebhooksTest, AForgedSignatureFirstDoesNotKeepTheTrueOneOut) {
    House house(folder);
    EXPECT_EQ(house.send(gitea(push_body, "id-1", "forged")), 401);
    EXPECT_EQ(house.send(gitea(push_body, "id-1")), 200);
    EXPECT_EQ(house.stored().size(), 1U);
}

TEST_F(WebhooksTest, WithoutADatabaseNothingIsAcceptedUntilItIsThere) {
    House house(folder, {.make_database = false});
    const auto answer = house.answer(gitea(push_body, "id-1"));
    EXPECT_EQ(status_of(answer), 503);
    EXPECT_NE(answer.find("Retry-After: 5\r\n"), std::string::npos);
    (void)must(store::Db::open(house.path, {.mode = store::Mode::create}));
    EXPECT_EQ(house.send(gitea(push_body, "id-1")), 200);
}

TEST_F(WebhooksTest, ADeliveryWaitsForADatabaseThatIsAboutToBeThere) {
    House house(folder, {.make_database = false, .patience = std::chrono::milliseconds(20'000)});
    auto client = house.client();
    client.send(gitea(push_body, "id-1"));
    EXPECT_TRUE(client.some(std::chrono::milliseconds(100)).empty());
    (void)must(store::Db::open(house.path, {.mode = store::Mode::create}));
    EXPECT_EQ(status_of(client.response()), 200);
}

TEST_F(WebhooksTest, ManySendersAtOnceAreEachOnRecordOnce) {
    House house(folder);
    std::vector<std::thread> senders;
    std::atomic<int> accepted{0};
    for (int sender = 0; sender < 8; ++sender)
        senders.emplace_back([&, sender] {
            auto client = house.client();
            for (int n = 0; n < 50; ++n) {
                client.send(gitea(push_body, std::to_string(sender) + "-" + std::to_string(n)));
                if (status_of(client.response()) == 200) ++accepted;
            }
        });
    for (auto& sender : senders) sender.join();
    EXPECT_EQ(accepted, 400);
    EXPECT_EQ(house.stored().size(), 400U);
    EXPECT_LT(house.commits, 400) << "what comes together is committed together";
}

TEST(Failures, ManySourcesCannotFillTheMemory) {
    Failures failures;
    int told = 0;
    for (std::size_t n = 0; n < 2 * Failures::most_sources; ++n) told += failures.one_more(std::to_string(n), 0) ? 1 : 0;
    EXPECT_EQ(told, static_cast<int>(Failures::most_sources));
    EXPECT_FALSE(failures.one_more("late", 10'000));
}

}  // namespace
}  // namespace orchd::listener::tests
