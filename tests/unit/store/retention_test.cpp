// What is forgotten, and what never is.
#include "store/retention.h"

#include "store/deliveries.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

class RetentionTest : public StoreTest {
protected:
    std::int64_t event(std::optional<std::int64_t> of, std::int64_t at) {
        return write(
            [&](Tx& tx) { return append_event(tx, {.at = at, .actor = "t", .task_id = of, .kind = "k", .data = "{}"}); });
    }
    void end(std::int64_t id) {
        must(db.write([&](Tx& tx) -> Status {
            const auto t = must(find_task(tx.db(), id)).value();
            must(write_stage(tx, id, t.stage, t.stage_seq, Stage::cancelled, t.retries, "", 0, now));
            return {};
        }));
    }
    std::int64_t events() { return number("SELECT count(*) FROM events"); }
};

TEST_F(RetentionTest, EventsOfTasksThatAreOverGoAfterTheirTimeAndNoOthers) {
    const auto over = task("HELLO-1");
    const auto open = task("HELLO-2");
    end(over);
    const auto before = events();
    for (int n = 0; n < 30; ++n) (void)event(over, 1000 + n);
    for (int n = 0; n < 5; ++n) (void)event(open, 1000);
    for (int n = 0; n < 7; ++n) (void)event(std::nullopt, 1000);
    for (int n = 0; n < 3; ++n) (void)event(over, 5000);
    std::int64_t removed = 0, behind = 0;
    int calls = 0;
    for (Pruned pruned{.more = true}; pruned.more; ++calls) {
        pruned = write([&](Tx& tx) { return prune_events(tx, 5000, behind, 10, now); });
        behind = pruned.looked_up_to;
        removed += pruned.removed;
    }
    EXPECT_EQ(removed, 37);
    EXPECT_GT(calls, 4);
    EXPECT_EQ(events(), before + 8);
    EXPECT_FALSE(db.execute("DELETE FROM events WHERE at >= 5000")) << "inside the retention the history is kept";
}

TEST_F(RetentionTest, DeliveriesThatWereDealtWithGoAndPendingOnesStay) {
    std::vector<NewDelivery> many;
    for (int n = 0; n < 6; ++n)
        many.push_back({.source = "gitea",
                        .dedup_key = std::to_string(n),
                        .body_hash = "h",
                        .event = "push",
                        .body = "{}",
                        .received_at = n < 4 ? 1000 : 9000});
    (void)write([&](Tx& tx) { return add_deliveries(tx, many); });
    for (const auto id : must(pending_deliveries(db, 1, 100)))  // all but the first
        must(db.write([&](Tx& tx) { return settle_delivery(tx, id, DeliveryState::done, "done"); }));
    EXPECT_EQ(write([&](Tx& tx) { return prune_deliveries(tx, 5000, 100); }).removed, 3);
    EXPECT_EQ(number("SELECT count(*) FROM deliveries"), 3);
    EXPECT_EQ(must(pending_deliveries(db, 0, 100)).size(), 1U);
}

TEST_F(RetentionTest, PostsOfAnOpenTaskStaySoThatNothingIsSentTwice_R23) {
    const auto over = task("HELLO-1");
    (void)task("HELLO-2");
    for (const auto* item : {"HELLO-1", "HELLO-2"})
        (void)write([&](Tx& tx) {
            return post(tx, "journal", std::string("k") + item, std::string("{\"task\":\"") + item + "\"}", now);
        });
    (void)write([&](Tx& tx) { return post(tx, "journal", "waits", "{\"task\":\"HELLO-1\"}", now); });
    end(over);
    for (const auto& row : must(due_posts(db, "journal", 10, now)))
        if (row.dedup_key != "waits") must(db.write([&](Tx& tx) { return mark_posted(tx, row.id, now); }));
    EXPECT_EQ(write([&](Tx& tx) { return prune_posts(tx, now.utc_ms + 1, 0, 100); }).removed, 1);
    EXPECT_EQ(number("SELECT count(*) FROM outbox WHERE dedup_key = 'kHELLO-1'"), 0);
    EXPECT_FALSE(write([&](Tx& tx) { return post(tx, "journal", "kHELLO-2", "{}", now); }));
}

TEST_F(RetentionTest, TheLiveReleaseItsPredecessorAndWhatWaitsToGoLiveAreNeverStale) {
    (void)project();
    const auto put = [&](const std::string& commit, const std::string& state, std::int64_t at) {
        must(db.write(
            [&](Tx& tx) { return put_release(tx, {.project = "hello", .commit = commit, .state = state, .at = at}); }));
    };
    for (int n = 1; n <= 4; ++n) put("c" + std::to_string(n), "live", n);  // each replaces the one before
    put("bad", "failed", 0);
    put("next", "built", 9);
    must(db.execute("UPDATE releases SET previous = 'c3' WHERE \"commit\" = 'c4'"));
    EXPECT_EQ(must(stale_releases(db, "hello", 0)), (std::vector<std::string>{"c2", "c1", "bad"}));
    EXPECT_EQ(must(stale_releases(db, "hello", 1)), (std::vector<std::string>{"c1", "bad"}));
}

}  // namespace
}  // namespace orchd::store
