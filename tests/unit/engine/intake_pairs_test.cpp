// R18: deliveries of a live Gitea that are told apart only by what is inside them (tests/fuzz/corpus/gitea-pairs).
#include <boost/json.hpp>

#include "engine/astray.h"
#include "intake_fixture.h"

namespace orchd::support {
namespace {

using store::DeliveryState;

class PairsTest : public IntakeTest {
protected:
    PairsTest() {
        scene.now.utc_ms = 1'796'060'000'000;  // after they were sent
        scene.project().prefix = "GT";
        scene.project().forge_repository = "boss/gt";
    }
    store::Delivery pair(const std::string& name) {
        const auto s = sample("gitea-pairs", name);
        return taken("gitea", s.event, s.body);
    }
    std::optional<store::PullRequestSeen> pull(std::int64_t repository, std::int64_t id) {
        return must(store::find_pull_request(scene.db, "hello", {repository, id}));
    }
    void forget() {
        scene.write([](store::Tx& tx) { return tx.db().execute("DELETE FROM pull_requests; DELETE FROM reviews;"); });
    }
    std::string on_record() {
        auto all =
            must(scene.db.prepare("SELECT (SELECT group_concat(state || ' ' || head || ' of ' || at || ' tied ' || tied) FROM "
                                  "pull_requests) || '; ' ||"
                                  " (SELECT coalesce(group_concat(state || ' ' || head || ' of ' || at || ' tied ' || tied), "
                                  "'no review') FROM reviews)"));
        return must(all.step())->text(0);
    }
    // What is on record once both came, one second after the other.
    std::string both(const Sample& first, const Sample& second, std::int64_t our_clock) {
        forget();
        scene.now.utc_ms = our_clock;
        (void)taken("gitea", first.event, first.body);
        scene.pass(1000);
        (void)taken("gitea", second.event, second.body);
        return on_record();
    }
};

TEST_F(PairsTest, ClosedAndOpenedAgainInOneSecondIsNotKnownAndNotClaimed) {
    for (const bool turned : {false, true}) {
        forget();
        const auto first = pair(turned ? "opened-again" : "closed");
        EXPECT_EQ(first.outcome, std::string("pull request 1 is ") + (turned ? "open" : "closed") +
                                     " at 1990e5ea3b6f8446f90801b9ba2366ecbe6d3143; no open task GT-1");
        const auto second = pair(turned ? "closed" : "opened-again");
        EXPECT_EQ(second.outcome,
                  "pull request 1 is open or closed at 1990e5ea3b6f8446f90801b9ba2366ecbe6d3143, since more than one thing was "
                  "told of 2026-11-30 15:43:58 UTC: not known until it is read again; no open task GT-1");
        EXPECT_EQ(pull(2, 2)->state, "unknown");
        EXPECT_TRUE(pull(2, 2)->tied);
        EXPECT_EQ(pair("closed").outcome.substr(0, 46), "nothing new: pull request 1 is open or closed ");
    }
}

// Once the forge is asked again, what it shows is on record, whatever came first.
TEST_F(PairsTest, WhatTheForgeShowsWhenItIsReadAgainHolds) {
    struct Looking final : forge::Objects {
        Result<forge::StatusTold> look(const settings::Project&, const forge::StatusTold& told) override { return told; }
        Result<forge::PullRequest> look(const settings::Project&, const forge::PullRequest& told) override {
            auto seen = told;
            seen.state = forge::PullState::open;
            seen.looked = true;
            return seen;
        }
    } looking;
    engine::Intake asking(world, tracker, looking);
    for (const bool turned : {false, true}) {
        forget();
        for (const std::string name : {turned ? "opened-again" : "closed", turned ? "closed" : "opened-again"}) {
            const auto s = sample("gitea-pairs", name);
            (void)arrives("gitea", s.event, s.body);
        }
        (void)must(asking.pass(10));
        EXPECT_EQ(pull(2, 2)->state, "open");
        EXPECT_FALSE(pull(2, 2)->tied);
    }
}

TEST_F(PairsTest, RejectedAndApprovedInOneSecondIsNotKnown) {
    for (const bool turned : {false, true}) {
        forget();
        (void)pair(turned ? "then-approved" : "rejected");
        const auto second = pair(turned ? "rejected" : "then-approved");
        EXPECT_NE(second.outcome.find("rev has approved or rejected pull request 1, since more than one thing was told"),
                  std::string::npos)
            << second.outcome;
        const auto reviews = must(store::reviews_of(scene.db, "hello", {2, 2}));
        ASSERT_EQ(reviews.size(), 1U);
        EXPECT_EQ(reviews[0].state, "unknown");
    }
}

TEST_F(PairsTest, OfTwoHeadsInOneSecondNeitherIsClaimed) {
    for (const bool turned : {false, true}) {
        forget();
        (void)pair(turned ? "second-head" : "first-head");
        const auto second = pair(turned ? "first-head" : "second-head");
        EXPECT_NE(second.outcome.find("pull request 14 is open at one head or another, since"), std::string::npos)
            << second.outcome;
        EXPECT_EQ(pull(2, 14)->head, "");
        EXPECT_EQ(pull(2, 14)->state, "open");
    }
}

// The forge's clock is ahead of ours by more than the deliveries are under way.
TEST_F(PairsTest, AClockOfOursThatIsBehindLetsNoOrderDecide) {
    const auto after = scene.now.utc_ms;
    for (const auto& [first, second] :
         {std::pair{"closed", "opened-again"}, std::pair{"first-head", "second-head"}, std::pair{"rejected", "then-approved"}})
        for (const std::string later : {"", "a second"}) {
            SCOPED_TRACE(std::string(first) + ", " + second + ' ' + later);
            const auto a = sample("gitea-pairs", first);
            auto b = sample("gitea-pairs", second);
            const auto stamp = boost::json::parse(a.body).at("pull_request").at("updated_at").as_string();
            auto next = std::string(stamp);
            next.replace(next.size() - 3, 2, "59");
            ASSERT_LT(std::string(stamp), next);
            if (!later.empty()) b.body = with(b.body, std::string(stamp), next);
            const auto right = both(a, b, after);
            EXPECT_EQ(right.find("tied 1") == std::string::npos, !later.empty()) << right;
            auto newest = must(scene.db.prepare("SELECT max(at) FROM pull_requests"));
            const auto behind = must(newest.step())->integer(0) - 30'000;
            EXPECT_EQ(both(a, b, behind), right);
            EXPECT_EQ(both(b, a, behind), right);
        }
}

TEST_F(PairsTest, ACommentOnALineTakesNoApprovalAway) {
    for (const bool turned : {false, true}) {
        forget();
        (void)pair(turned ? "then-a-comment-on-a-line" : "approved");
        const auto second = pair(turned ? "approved" : "then-a-comment-on-a-line");
        EXPECT_NE(second.outcome.find("rev has approved pull request 1"), std::string::npos) << second.outcome;
        EXPECT_EQ(must(store::reviews_of(scene.db, "hello", {2, 2})).at(0).state, "approved");
    }
}

TEST_F(PairsTest, APullRequestOfADeletedForkIsNobodys) {
    for (const std::string name :
         {"of-a-deleted-fork", "approved-of-a-deleted-fork", "approved-of-a-fork-of-the-new-repository"}) {
        const auto told = pair(name);
        EXPECT_EQ(told.state, DeliveryState::ignored) << name;
        EXPECT_EQ(told.outcome, "it comes from another repository") << name;
    }
    const auto s = sample("gitea-pairs", "of-a-deleted-fork");
    EXPECT_EQ(taken("gitea", s.event, with(s.body, "\"repo_id\": -1,", "")).outcome, "it comes from another repository")
        << "that names no repository at all";
    auto count = must(scene.db.prepare("SELECT (SELECT count(*) FROM pull_requests) + (SELECT count(*) FROM reviews)"));
    EXPECT_EQ(must(count.step())->integer(0), 0);
}

// The name and the number come again; the forge's own numbers of repository and pull request do not.
TEST_F(PairsTest, ARepositoryThatWasMadeAgainInheritsNothing) {
    (void)pair("approved");
    EXPECT_EQ(pull(2, 2)->number, 1);
    const auto made = pair("first-of-the-new-repository");
    EXPECT_EQ(made.state, DeliveryState::done) << made.outcome;
    EXPECT_EQ(pull(4, 17)->number, 1);
    EXPECT_EQ(pull(4, 17)->state, "open");
    EXPECT_TRUE(must(store::reviews_of(scene.db, "hello", {4, 17})).empty()) << "the approval was of another";
    const auto late = pair("closed");
    EXPECT_EQ(late.state, DeliveryState::ignored);
    EXPECT_EQ(late.outcome, "it is of a repository that is no more: boss/gt is the forge's number 4 now, and was 2");
    EXPECT_EQ(pull(2, 2)->state, "open") << "and is no longer written to";
}

TEST_F(PairsTest, AStampFromTheFutureMakesNothingOld) {
    const auto s = sample("gitea-pairs", "closed");
    (void)taken("gitea", s.event, with(s.body, "2026-11-30T15:43:58Z", "2036-11-30T15:43:58Z"));
    EXPECT_EQ(pull(2, 2)->at, scene.now.utc_ms);
    scene.pass(60'000);
    auto now = with(s.body, "2026-11-30T15:43:58Z", "2026-12-01T12:14:00Z");
    scene.now.utc_ms = 1'796'130'000'000;
    (void)taken("gitea", s.event, with(now, "\"state\": \"closed\"", "\"state\": \"open\""));
    EXPECT_EQ(pull(2, 2)->state, "open");
}

TEST_F(PairsTest, ADeletedBranchIsToldAsDeleted) {
    scene.project().prefix = "HELLO";
    scene.project().forge_repository = "acme/app";
    scene.task("HELLO-1").in(Stage::development);
    for (const std::string name : {"delete", "push-gone"})
        EXPECT_EQ(taken("gitea", name).outcome, "the branch task/HELLO-1 is deleted; HELLO-1 is asked to go on") << name;
}

// What was renamed is told once, with what to do, for as long as it lasts.
TEST_F(PairsTest, DeliveriesOfARenamedRepositoryAreToldOnceAndUntilItIsMended) {
    (void)pair("approved");
    const auto posts = [&] {
        int n = 0;
        for (const auto& post : must(store::due_posts(scene.db, "journal", 100, scene.now)))
            n += post.body.find("lead nowhere") != std::string::npos ? 1 : 0;
        return n;
    };
    const auto renamed = [&](const std::string& name) {
        const auto s = sample("gitea-pairs", name);
        return taken("gitea", s.event, with(s.body, "boss/gt\"", "boss/renamed\""));
    };
    EXPECT_EQ(renamed("closed").outcome, "no project has [forge] repository = \"boss/renamed\"");
    (void)renamed("opened-again");
    EXPECT_EQ(posts(), 1);
    auto stories = must(engine::astray_stories(scene.db, scene.projects));
    ASSERT_EQ(stories.size(), 1U);
    EXPECT_EQ(stories[0].project, "hello");
    EXPECT_EQ(stories[0].n, 2);
    EXPECT_NE(stories[0].text.find("it is the repository of project hello, which was called boss/gt"), std::string::npos)
        << stories[0].text;
    EXPECT_NE(stories[0].text.find("put repository = \"boss/renamed\""), std::string::npos);
    // Another of the same owner, of which it is known that it is not ours.
    const auto s = sample("gitea-pairs", "first-of-the-new-repository");
    (void)taken("gitea", s.event, with(s.body, "boss/gt\"", "boss/other\""));
    stories = must(engine::astray_stories(scene.db, scene.projects));
    ASSERT_EQ(stories.size(), 2U);
    EXPECT_EQ(stories[1].project, "");
    EXPECT_EQ(posts(), 1);
    scene.project().forge_repository = "boss/renamed";
    stories = must(engine::astray_stories(scene.db, scene.projects));
    ASSERT_EQ(stories.size(), 1U) << "it leads somewhere now";
    EXPECT_EQ(stories[0].repository, "boss/other");
}

TEST_F(PairsTest, ATransferredOneIsKnownByItsNameWhereNothingCameBefore) {
    const auto s = sample("gitea-pairs", "closed");
    (void)taken("gitea", s.event, with(s.body, "boss/gt\"", "team/gt\""));
    const auto stories = must(engine::astray_stories(scene.db, scene.projects));
    ASSERT_EQ(stories.size(), 1U);
    EXPECT_EQ(stories[0].project, "hello");
    EXPECT_NE(stories[0].text.find("it may be the repository of project hello"), std::string::npos) << stories[0].text;
}

TEST_F(PairsTest, OfSeveralProjectsTheOneWhoseNumberItIsIsNamed) {
    (void)pair("approved");
    for (const std::string name : {"aaa", "bbb"}) {
        auto other = scene.project();
        other.name = name;
        other.prefix = name == "aaa" ? "AAA" : "BBB";
        other.forge_repository = "boss/" + name;
        other.tracker_kind = other.tracker_project = "";
        scene.projects.good.insert(scene.projects.good.begin(), other);
    }
    const auto told = [&](const std::string& name) {
        const auto s = sample("gitea-pairs", name);
        (void)taken("gitea", s.event, with(s.body, "boss/gt\"", "boss/" + name + '"'));
        for (const auto& story : must(engine::astray_stories(scene.db, scene.projects)))
            if (story.repository == "boss/" + name) return story;
        return engine::AstrayStory{.project = "no story"};
    };
    EXPECT_EQ(told("closed").project, "hello") << "though the others come first, and are of the same owner";
    const auto nobodys = told("first-of-the-new-repository");
    EXPECT_EQ(nobodys.project, "") << "either may be meant: none is blamed. " << nobodys.text;
    std::erase_if(scene.projects.good, [](const auto& p) { return p.name == "aaa"; });
    EXPECT_EQ(told("first-of-the-new-repository").project, "bbb");
}

}  // namespace
}  // namespace orchd::support
