// Webhook deliveries: each on record once, settled once with what became of it, counted without being read.
#include "store/deliveries.h"

#include "counting.h"
#include "store/facts.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

NewDelivery push(const std::string& key, const std::string& source = "gitea") {
    return {.source = source, .dedup_key = key, .body_hash = "h-" + key, .event = "push", .body = "{}", .received_at = 5};
}

class DeliveriesTest : public StoreTest {
protected:
    std::vector<Accepted> add(const std::vector<NewDelivery>& deliveries) {
        return write([&](Tx& tx) { return add_deliveries(tx, deliveries); });
    }
    void settle(std::int64_t id, DeliveryState state, const std::string& outcome = "so it is") {
        must(db.write([&](Tx& tx) { return settle_delivery(tx, id, state, outcome); }));
    }
    Status replay(std::int64_t id) {
        return db.write([&](Tx& tx) { return replay_delivery(tx, id); });
    }
    Delivery delivery(std::int64_t id) { return must(find_delivery(db, id)).value(); }
    std::vector<std::int64_t> counts() {
        const auto n = must(count_deliveries(db));
        return {n.pending, n.done, n.ignored, n.failed};
    }
};

TEST_F(DeliveriesTest, AKeyIsOnRecordOnceAndEachIsAnsweredInOrder_R18) {
    const auto answers = add({push("a"), push("b"), push("a"), push("a", "gitea/hello")});
    EXPECT_EQ(answers, (std::vector{Accepted::stored, Accepted::stored, Accepted::duplicate, Accepted::stored}));
    EXPECT_EQ(add({push("b")}), (std::vector{Accepted::duplicate}));
    EXPECT_EQ(must(pending_deliveries(db, 0, 10)).size(), 3U);
    EXPECT_EQ(must(pending_deliveries(db, 0, 2)), (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(must(pending_deliveries(db, 1, 1)), (std::vector<std::int64_t>{2}));
}

TEST_F(DeliveriesTest, ABodyIsKeptByteForByte) {
    auto odd = push("odd");
    odd.body = "{\"\xff\xc3(\x1b\r\n\":1}";
    (void)add({odd});
    EXPECT_EQ(delivery(1).body, odd.body);
    EXPECT_EQ(delivery(1).received_at, 5);
    EXPECT_EQ(delivery(1).body_hash, "h-odd");
}

TEST_F(DeliveriesTest, WhatWasRefusedIsOnRecordWithoutItsBodyAndKeepsNothingOut_R18) {
    auto large = push("a");
    large.refused = "413: too large";
    large.peer = "192.0.2.1";
    large.size = 9'000'000;
    EXPECT_EQ(add({large, large}), (std::vector{Accepted::refused, Accepted::refused}));
    EXPECT_EQ(must(count_deliveries(db)).refused, 1) << "the same again is no other row";
    EXPECT_EQ(number_of(must(find_state(db, refused_total))), 2) << "but counted";
    EXPECT_EQ(delivery(1).state, DeliveryState::refused);
    EXPECT_EQ(delivery(1).outcome, "413: too large (9000000 bytes from 192.0.2.1)");
    EXPECT_EQ(delivery(1).body, "");
    EXPECT_EQ(delivery(1).peer, "192.0.2.1");
    EXPECT_EQ(delivery(1).size, 9'000'000);
    EXPECT_TRUE(must(pending_deliveries(db, 0, 10)).empty());
    EXPECT_EQ(replay(1).error().code, Errc::conflict);
    EXPECT_FALSE(db.execute("UPDATE deliveries SET state = 'pending', outcome = '' WHERE id = 1"));
    EXPECT_EQ(add({push("a")}), (std::vector{Accepted::stored})) << "sent again, and small enough";
    EXPECT_FALSE(db.execute("UPDATE deliveries SET state = 'refused', outcome = 'x' WHERE state = 'pending'"));
}

TEST_F(DeliveriesTest, WhatIsKnownUnderAnOlderKeyIsADuplicateToo_R18) {
    (void)add({push("window-1")});
    auto again = push("window-2");
    again.also_known_as = {"window-0", "window-1"};
    EXPECT_EQ(add({again}), (std::vector{Accepted::duplicate}));
    settle(1, DeliveryState::failed);
    EXPECT_EQ(add({again}), (std::vector{Accepted::stored}));
}

TEST_F(DeliveriesTest, AFailedOneKeepsNoLaterOneOut_R18) {
    (void)add({push("a")});
    settle(1, DeliveryState::failed);
    EXPECT_EQ(add({push("a"), push("a")}), (std::vector{Accepted::stored, Accepted::duplicate}));
    // Then the failed one cannot come back beside it.
    const auto refused = replay(1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
}

TEST_F(DeliveriesTest, IsSettledOnceAndSaysWhatBecameOfIt) {
    (void)add({push("a")});
    settle(1, DeliveryState::ignored, "no project has this repository");
    EXPECT_EQ(delivery(1).state, DeliveryState::ignored);
    EXPECT_EQ(delivery(1).outcome, "no project has this repository");
    EXPECT_TRUE(must(pending_deliveries(db, 0, 10)).empty());
    const auto twice = db.write([&](Tx& tx) { return settle_delivery(tx, 1, DeliveryState::done, "no"); });
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, Errc::conflict);
}

TEST_F(DeliveriesTest, AReplayedOneIsPendingAgainWhateverBecameOfIt) {
    (void)add({push("a"), push("b"), push("c")});
    settle(1, DeliveryState::done);
    settle(2, DeliveryState::failed);
    for (const std::int64_t id : {1, 2, 3}) must(replay(id));
    EXPECT_EQ(must(pending_deliveries(db, 0, 10)), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(delivery(2).outcome, "");
    const auto none = replay(99);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Errc::no_such);
}

TEST_F(DeliveriesTest, AreListedNewestFirstPageByPage) {
    (void)add({push("a"), push("b"), push("c"), push("d")});
    settle(2, DeliveryState::failed);
    settle(3, DeliveryState::failed);
    const auto ids = [&](const DeliveryFilter& filter) {
        std::vector<std::int64_t> all;
        for (const auto& d : must(list_deliveries(db, filter))) all.push_back(d.id);
        return all;
    };
    EXPECT_EQ(ids({.limit = 2}), (std::vector<std::int64_t>{4, 3}));
    EXPECT_EQ(ids({.before_id = 3, .limit = 2}), (std::vector<std::int64_t>{2, 1}));
    EXPECT_EQ(ids({.state = DeliveryState::failed}), (std::vector<std::int64_t>{3, 2}));
    EXPECT_EQ(ids({.state = DeliveryState::failed, .before_id = 3}), (std::vector<std::int64_t>{2}));
    EXPECT_EQ(ids({.state = DeliveryState::ignored}), std::vector<std::int64_t>());
}

TEST_F(DeliveriesTest, AreCountedThroughEveryChange) {
    (void)add({push("a"), push("b"), push("c"), push("d"), push("d")});
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{4, 0, 0, 0}));
    settle(1, DeliveryState::done);
    settle(2, DeliveryState::ignored);
    settle(3, DeliveryState::failed);
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{1, 1, 1, 1}));
    must(replay(3));
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{2, 1, 1, 0}));
    must(db.execute("DELETE FROM deliveries WHERE state = 'ignored'"));
    EXPECT_EQ(counts(), (std::vector<std::int64_t>{2, 1, 0, 0}));
}

// What the house has had before costs neither the listener nor the one who looks.
TEST_F(DeliveriesTest, WhatIsSettledIsNotRead) {
    const auto steps = [&](int settled) {
        must(db.execute("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " + std::to_string(settled) +
                        ") INSERT INTO deliveries (source, dedup_key, body_hash, event, body, received_at) SELECT 'gitea',"
                        " 'old-" +
                        std::to_string(settled) +
                        "-' || n, '', 'push', '{}', 0 FROM n;"
                        "UPDATE deliveries SET state = 'done', outcome = 'x' WHERE state = 'pending'"));
        (void)add({push("one"), push("two")});
        (void)work_done(db);
        (void)add({push("three")});
        (void)must(pending_deliveries(db, 0, 100));
        (void)must(count_deliveries(db));
        (void)must(list_deliveries(db, {.limit = 5}));
        (void)must(list_deliveries(db, {.state = DeliveryState::failed}));
        const auto work = work_done(db);
        must(db.execute("DELETE FROM deliveries"));
        return work.steps;
    };
    const auto few = steps(50);
    EXPECT_EQ(steps(5'000), few);
    EXPECT_LT(few, 1'000);
}

}  // namespace
}  // namespace orchd::store
