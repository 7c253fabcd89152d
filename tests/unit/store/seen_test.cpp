// R18: what was seen outside is the newest of all that was told, whatever the order and however often.
#include "store/seen.h"

#include <algorithm>

#include "store_fixture.h"

namespace orchd::store {
namespace {

class SeenTest : public StoreTest {
protected:
    SeenTest() { (void)project(); }
};

PullRequestSeen pull(const std::string& state, std::int64_t at, const std::string& head) {
    return {
        .project = "hello", .number = 7, .branch = "task/HELLO-1", .head = head, .target = "main", .state = state, .at = at};
}

TEST_F(SeenTest, APullRequestIsTheSameInEveryOrder) {
    std::vector<PullRequestSeen> told{pull("open", 5, "a"), pull("open", 5, "b"), pull("closed", 7, "b"),
                                      pull("merged", 6, "b"), pull("open", 8, "b")};
    std::ranges::sort(told, {}, [](const auto& p) { return std::pair(p.state, p.head); });
    std::vector<int> order{0, 1, 2, 3, 4};
    do {
        must(db.execute("DELETE FROM pull_requests"));
        for (int round = 0; round < 2; ++round)
            for (const int n : order)
                (void)write([&](Tx& tx) { return put_pull_request(tx, told[static_cast<std::size_t>(n)]); });
        const auto seen = must(find_pull_request(db, "hello", 7)).value();
        ASSERT_EQ(seen.state, "merged");
        ASSERT_EQ(seen.at, 6);
        ASSERT_EQ(seen.head, "b");
    } while (std::ranges::next_permutation(order).found);
}

TEST_F(SeenTest, SaysWhetherItWasNews) {
    EXPECT_TRUE(write([&](Tx& tx) { return put_pull_request(tx, pull("open", 5, "a")); }));
    EXPECT_FALSE(write([&](Tx& tx) { return put_pull_request(tx, pull("open", 5, "a")); }));
    EXPECT_FALSE(write([&](Tx& tx) { return put_pull_request(tx, pull("closed", 4, "a")); }));
    EXPECT_TRUE(write([&](Tx& tx) { return put_pull_request(tx, pull("closed", 5, "a")); }));
}

TEST_F(SeenTest, OfEachReviewerTheLastWordStands) {
    const auto say = [&](const std::string& who, const std::string& state, std::int64_t at) {
        (void)write([&](Tx& tx) {
            return put_review(tx, {.project = "hello", .number = 7, .reviewer = who, .state = state, .head = "c", .at = at});
        });
    };
    say("ann", "rejected", 5);
    say("ann", "approved", 6);
    say("ann", "rejected", 5);
    say("bob", "rejected", 5);
    say("bob", "approved", 5);
    const auto reviews = must(reviews_of(db, "hello", 7));
    ASSERT_EQ(reviews.size(), 2U);
    EXPECT_EQ(reviews[0].state, "approved");
    EXPECT_EQ(reviews[1].state, "rejected") << "of one second: what holds more up";
}

TEST_F(SeenTest, OfTwoStatusesInOneSecondTheLaterNumberWins) {
    const auto say = [&](Colour state, std::int64_t seq) {
        (void)write([&](Tx& tx) -> Result<int> {
            must(put_status(tx, {.project = "hello", .commit = "c", .context = "ci", .state = state, .at = 5, .seq = seq}));
            return 0;
        });
    };
    say(Colour::green, 2);
    say(Colour::undecided, 1);
    EXPECT_EQ(must(statuses_of(db, "hello", "c")).at(0).state, Colour::green);
}

TEST_F(SeenTest, ATrackersItemIsOneRow) {
    const auto put = [&](const TrackerItem& item) { must(db.write([&](Tx& tx) { return put_tracker_item(tx, item); })); };
    put({.project = "hello", .item = "u1", .work_item = "HELLO-1", .state = "s1", .seen_at = 5});
    put({.project = "hello",
         .item = "u1",
         .work_item = "HELLO-1",
         .state = "s2",
         .seen_at = 6,
         .heeded_state = "s1",
         .heeded_at = 5});
    const auto item = must(find_tracker_item(db, "hello", "u1")).value();
    EXPECT_EQ(item.state, "s2");
    EXPECT_EQ(item.heeded_at, 5);
    EXPECT_FALSE(must(find_tracker_item(db, "hello", "u2")));
    EXPECT_FALSE(must(find_tracker_state(db, "hello", "s1")));
}

}  // namespace
}  // namespace orchd::store
