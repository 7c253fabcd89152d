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
    return {.project = "hello",
            .repository = 2,
            .pull = 70,
            .number = 7,
            .branch = "task/HELLO-1",
            .head = head,
            .target = "main",
            .state = state,
            .at = at};
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
        const auto seen = must(find_pull_request(db, "hello", {2, 70})).value();
        ASSERT_EQ(seen.state, "merged");
        ASSERT_EQ(seen.at, 6);
        ASSERT_EQ(seen.head, "b");
        ASSERT_FALSE(seen.tied);
    } while (std::ranges::next_permutation(order).found);
}

// Stamps have whole seconds: of two things told of one second neither is on record as what holds, whichever came first.
TEST_F(SeenTest, WhatWasToldInTwoWaysOfOneSecondIsNotKnownInEitherOrder) {
    std::vector<PullRequestSeen> told{pull("closed", 5, "a"), pull("open", 5, "a"), pull("open", 5, "b"), pull("open", 4, "c")};
    std::vector<int> order{0, 1, 2, 3};
    do {
        must(db.execute("DELETE FROM pull_requests"));
        for (int round = 0; round < 2; ++round)
            for (const int n : order)
                (void)write([&](Tx& tx) { return put_pull_request(tx, told[static_cast<std::size_t>(n)]); });
        const auto seen = must(find_pull_request(db, "hello", {2, 70})).value();
        ASSERT_EQ(seen.state, "unknown");
        ASSERT_EQ(seen.head, "");
        ASSERT_EQ(seen.branch, "task/HELLO-1") << "in which they agree";
        ASSERT_TRUE(seen.tied);
    } while (std::ranges::next_permutation(order).found);
    auto looked = pull("open", 5, "b");
    looked.looked = true;
    EXPECT_TRUE(write([&](Tx& tx) { return put_pull_request(tx, looked); }).news);
    EXPECT_FALSE(write([&](Tx& tx) { return put_pull_request(tx, told[0]); }).news) << "the forge itself was asked";
    const auto read = must(find_pull_request(db, "hello", {2, 70})).value();
    EXPECT_EQ(read.state, "open");
    EXPECT_EQ(read.head, "b");
    EXPECT_FALSE(read.tied);
    EXPECT_EQ(write([&](Tx& tx) { return put_pull_request(tx, pull("closed", 6, "b")); }).now.state, "closed") << "and goes on";
}

TEST_F(SeenTest, SaysWhetherItWasNewsAndWhatIsOnRecord) {
    EXPECT_TRUE(write([&](Tx& tx) { return put_pull_request(tx, pull("open", 5, "a")); }).news);
    EXPECT_FALSE(write([&](Tx& tx) { return put_pull_request(tx, pull("open", 5, "a")); }).news);
    const auto late = write([&](Tx& tx) { return put_pull_request(tx, pull("closed", 4, "a")); });
    EXPECT_FALSE(late.news);
    EXPECT_EQ(late.now.state, "open");
    EXPECT_TRUE(write([&](Tx& tx) { return put_pull_request(tx, pull("closed", 6, "a")); }).news);
}

// A name and a number come again with a repository that was deleted and made again; the forge's own ids do not.
TEST_F(SeenTest, AnotherRepositoryAndAnotherPullRequestInheritNothing) {
    (void)write([&](Tx& tx) { return put_pull_request(tx, pull("merged", 5, "a")); });
    auto other = pull("open", 3, "b");
    other.repository = 4;
    other.pull = 71;
    EXPECT_EQ(write([&](Tx& tx) { return put_pull_request(tx, other); }).now.state, "open");
    EXPECT_EQ(must(find_pull_request(db, "hello", {2, 70})).value().state, "merged");
}

TEST_F(SeenTest, TheNameIsOfTheNewestRepositoryThatHadItLast) {
    const auto see = [&](std::int64_t id, const std::string& name, std::int64_t at) {
        return write([&](Tx& tx) { return see_repository(tx, "hello", id, name, at); });
    };
    EXPECT_EQ(see(2, "acme/app", 10), 2);
    EXPECT_EQ(see(4, "acme/app", 20), 4) << "made again";
    EXPECT_EQ(see(2, "acme/app", 30), 4) << "what is told of the old one late changes nothing";
    EXPECT_EQ(see(4, "acme/old", 40), 4) << "renamed";
    EXPECT_EQ(see(2, "acme/app", 50), 2) << "and an older one has the name";
    ASSERT_EQ(must(repositories_of(db, "hello")).size(), 2U);
    EXPECT_EQ(must(repositories_of(db, "hello"))[0].name, "acme/old");
}

TEST_F(SeenTest, OfEachReviewerTheLastVerdictStandsAndNoCommentTakesItAway) {
    const auto say = [&](const std::string& who, const std::string& state, std::int64_t at) {
        return write([&](Tx& tx) {
            return put_review(
                tx, {.project = "hello", .repository = 2, .pull = 70, .reviewer = who, .state = state, .head = "c", .at = at});
        });
    };
    (void)say("ann", "rejected", 5);
    (void)say("ann", "approved", 6);
    (void)say("ann", "rejected", 5);
    EXPECT_FALSE(say("ann", "commented", 7).news);
    (void)say("bob", "rejected", 5);
    (void)say("bob", "approved", 5);
    (void)say("cy", "commented", 9);
    (void)say("cy", "approved", 8);
    const auto reviews = must(reviews_of(db, "hello", {2, 70}));
    ASSERT_EQ(reviews.size(), 3U);
    EXPECT_EQ(reviews[0].state, "approved");
    EXPECT_EQ(reviews[1].state, "unknown") << "of one second";
    EXPECT_TRUE(reviews[1].tied);
    EXPECT_EQ(reviews[2].state, "approved") << "also where the comment came first";
    EXPECT_TRUE(must(reviews_of(db, "hello", {4, 70})).empty());
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
