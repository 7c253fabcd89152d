// R33, R40: what each webhook of Gitea and Forgejo tells, and that none that is odd tells more.
#include "forge/gitea_events.h"

#include <gtest/gtest.h>

#include "support/corpus.h"

namespace orchd::forge {
namespace {

using support::sample;
using support::with;

const std::string head = "9fceb02d0ae598e95dc970b74767f19372d61af8";

GiteaEvent read(const std::string& name) {
    const auto s = sample("gitea", name);
    auto event = read_gitea_event(s.event, s.body);
    if (!event) throw std::runtime_error(name + ": " + event.error().text);
    return *event;
}
std::string refusal(const std::string& event, const std::string& body) {
    const auto read = read_gitea_event(event, body);
    return read ? "" : read.error().text;
}

TEST(GiteaEvents, APushAndWhatComesOrGoesTellWhereTheBranchIs) {
    for (const std::string name : {"push", "create", "create-forgejo"}) {
        const auto event = read(name);
        EXPECT_EQ(event.repository, "acme/app") << name;
        EXPECT_EQ(event.repository_id, 7) << name;
        const auto moved = std::get<BranchMoved>(event.what);
        EXPECT_EQ(moved.branch, "task/HELLO-1") << name;
        EXPECT_EQ(moved.commit, head) << name;
        EXPECT_TRUE(moved.pushed) << name;
        EXPECT_FALSE(moved.deleted) << name;
    }
    for (const std::string name : {"push-gone", "delete"}) {
        const auto moved = std::get<BranchMoved>(read(name).what);
        EXPECT_EQ(moved.branch, "task/HELLO-1") << name;
        EXPECT_EQ(moved.commit, "") << name;
        EXPECT_TRUE(moved.deleted) << name;
    }
    EXPECT_TRUE(std::holds_alternative<Nothing>(read("push-tag").what));
}

TEST(GiteaEvents, AStatusTellsOfACommitAndOfNoBranch) {
    const auto told = std::get<StatusTold>(read("status").what);
    EXPECT_EQ(told.commit, head);
    EXPECT_EQ(told.context, "ci/build");
    EXPECT_EQ(told.description, "ok");
    EXPECT_EQ(told.state, Colour::green);
    EXPECT_EQ(told.at, 1'782'900'120'000);
    EXPECT_EQ(told.seq, 55);
}

TEST(GiteaEvents, OnlyWhatSurelyMeansSuccessIsGreen_R02) {
    const auto s = sample("gitea", "status");
    const auto said = [&](const std::string& word) {
        const auto event = read_gitea_event("status", with(s.body, "\"state\": \"success\"", "\"state\": \"" + word + "\""));
        return std::get<StatusTold>(event.value().what);
    };
    EXPECT_EQ(said("skipped").state, Colour::green);
    for (const std::string word : {"failure", "error", "warning"}) EXPECT_EQ(said(word).state, Colour::red) << word;
    for (const std::string word : {"pending", "SUCCESS", "great"}) EXPECT_EQ(said(word).state, Colour::undecided) << word;
    EXPECT_EQ(said("great").description, "state \"great\": ok") << "any word may be reported";
    EXPECT_EQ(said("pending").description, "ok");
}

TEST(GiteaEvents, AShortIdOfAStatusIsMadeWholeByItsCommit) {
    const auto s = sample("gitea", "status");
    const auto brief = with(s.body, "\"sha\": \"" + head + "\"", "\"sha\": \"9fceb02\"");
    EXPECT_EQ(std::get<StatusTold>(read_gitea_event("status", brief).value().what).commit, head);
    EXPECT_EQ(refusal("status", with(s.body, "\"sha\": \"" + head + "\"", "\"sha\": \"deadbee\"")), "sha is no commit id");
}

TEST(GiteaEvents, APullRequestIsWhatItSaysOfItself) {
    auto pull = std::get<PullRequest>(read("pull_request-opened").what);
    EXPECT_EQ(pull.id, 101);
    EXPECT_EQ(pull.number, 12);
    EXPECT_EQ(pull.branch, "task/HELLO-1");
    EXPECT_EQ(pull.head, head);
    EXPECT_EQ(pull.target, "main");
    EXPECT_EQ(pull.state, PullState::open);
    EXPECT_EQ(pull.at, 1'782'900'300'000);
    EXPECT_EQ(std::get<PullRequest>(read("pull_request-merged").what).state, PullState::merged);
    const auto s = sample("gitea", "pull_request-opened");
    const auto closed = read_gitea_event(s.event, with(s.body, "\"state\": \"open\"", "\"state\": \"closed\"")).value();
    EXPECT_EQ(std::get<PullRequest>(closed.what).state, PullState::closed);
    // Once the branch is gone its name stands in the label alone.
    auto gone = with(s.body, "\"ref\": \"task/HELLO-1\"", "\"ref\": \"refs/pull/12/head\"");
    EXPECT_EQ(std::get<PullRequest>(read_gitea_event(s.event, gone).value().what).branch, "task/HELLO-1");
    for (const std::string name : {"pull_request_sync", "pull_request_label"})
        EXPECT_TRUE(std::holds_alternative<PullRequest>(read(name).what)) << name;
}

TEST(GiteaEvents, ACopyOfTheRepositorySpeaksForNoBranchOfOurs) {
    const auto s = sample("gitea", "pull_request-opened");
    const auto at = s.body.rfind("\"repo_id\": 7");
    auto fork = s.body;
    fork.replace(at, 12, "\"repo_id\": 8");
    EXPECT_TRUE(std::holds_alternative<Nothing>(read_gitea_event(s.event, fork).value().what));
    for (const std::string gone : {"\"repo_id\":-1", "\"repo_id\": 0"}) {
        fork.replace(at, 12, gone);
        EXPECT_TRUE(std::holds_alternative<Nothing>(read_gitea_event(s.event, fork).value().what)) << "it is gone: " << gone;
    }
}

TEST(GiteaEvents, TheEventTypeTellsAReviewFromAComment) {
    const auto review = std::get<ReviewTold>(read("pull_request_review_approved").what);
    EXPECT_EQ(review.reviewer, "grace");
    EXPECT_EQ(review.state, ReviewState::approved);
    EXPECT_EQ(review.of.number, 12);
    EXPECT_EQ(std::get<ReviewTold>(read("pull_request_review_rejected").what).state, ReviewState::rejected);
    EXPECT_EQ(std::get<ReviewTold>(read("pull_request_review_comment").what).state, ReviewState::commented);
    EXPECT_TRUE(std::holds_alternative<Nothing>(read("pull_request_comment").what)) << "the other event of that name";
}

TEST(GiteaEvents, ARunOfTheForgesCiSaysToLookAgain) {
    for (const std::string name : {"workflow_run", "workflow_job"}) {
        const auto moved = std::get<BranchMoved>(read(name).what);
        EXPECT_EQ(moved.branch, "task/HELLO-1");
        EXPECT_FALSE(moved.pushed);
    }
}

// What a Gitea that is in order does send.
TEST(GiteaEvents, WhatIsRareIsNotRefused) {
    const auto told = [](const std::string& name, const std::string& from, const std::string& to) {
        const auto s = sample("gitea", name);
        auto event = read_gitea_event(s.event, with(s.body, from, to));
        if (!event) throw std::runtime_error(to + ": " + event.error().text);
        return event->what;
    };
    const auto nothing = [](const auto& what) { return std::get<Nothing>(what).why; };
    EXPECT_EQ(nothing(told("pull_request-opened", R"("label": "task/HELLO-1")", R"("label": "")")), "it comes from no branch")
        << "AGit";
    EXPECT_EQ(nothing(told("pull_request_review_approved", R"("label": "task/HELLO-1")", R"("label": "")")),
              "it comes from no branch");
    const auto no_head = told("pull_request-opened", "\"sha\": \"" + head + "\"", R"("sha": "")");
    EXPECT_EQ(std::get<PullRequest>(no_head).head, "") << "the branch has gone";

    const auto branchless = R"("head_branch": "")";
    for (const std::string name : {"workflow_run", "workflow_job"})
        EXPECT_EQ(nothing(told(name, R"("head_branch": "task/HELLO-1")", branchless)), "a run of the forge's CI for no branch");
    const auto headless = told("workflow_run", "\"head_sha\": \"" + head + "\"", R"("head_sha": "")");
    EXPECT_EQ(std::get<BranchMoved>(headless).commit, "");

    const std::string longest(250, 'x');  // of a branch; with what stands before it is longer than a file's name
    EXPECT_EQ(std::get<BranchMoved>(told("push", "task/HELLO-1", longest)).branch, longest);

    const auto context = [&](const std::string& named) {
        return std::get<StatusTold>(told("status", R"("context": "ci/build")", "\"context\": \"" + named + "\"")).context;
    };
    EXPECT_EQ(context(""), "default");
    EXPECT_EQ(context("build / a\\nb (push)"), "build / a b (push)");
    EXPECT_EQ(context("build / " + longest + longest), "build / " + longest + longest);
    EXPECT_EQ(std::get<StatusTold>(told("status", R"("state": "success")", R"("state": "")")).state, Colour::undecided);
}

TEST(GiteaEvents, WithoutAnEventTypeItsEventTellsAReviewFromAComment) {
    const auto told = [](const std::string& event, const std::string& name) {
        return read_gitea_event(event, sample("gitea", name).body).value().what;
    };
    EXPECT_EQ(std::get<ReviewTold>(told("pull_request_approved", "pull_request_review_approved")).state, ReviewState::approved);
    EXPECT_EQ(std::get<ReviewTold>(told("pull_request_rejected", "pull_request_review_rejected")).state, ReviewState::rejected);
    EXPECT_EQ(std::get<ReviewTold>(told("pull_request_comment", "pull_request_review_comment")).state, ReviewState::commented);
    EXPECT_TRUE(std::holds_alternative<Nothing>(told("pull_request_comment", "pull_request_comment")));
}

TEST(GiteaEvents, WhatIsUnknownIsNothingAndSaysSo_R18) {
    for (const std::string event : {"release", "package", "", "fork", "repository", "push\x1b"}) {
        const auto told = read_gitea_event(event, "{}").value();
        EXPECT_FALSE(std::get<Nothing>(told.what).why.empty()) << event;
        EXPECT_EQ(std::get<Nothing>(told.what).why.find('\x1b'), std::string::npos);
    }
    for (const std::string name : {"issues", "issue_comment"})
        EXPECT_TRUE(std::holds_alternative<Nothing>(read(name).what)) << name;
}

TEST(GiteaEvents, WhatMattersAndIsWrongIsRefusedByItsField_R40) {
    EXPECT_EQ(refusal("push", "{}"), "ref is missing");
    EXPECT_EQ(refusal("push", R"({"ref":7})"), "ref is a number, not a text");
    EXPECT_EQ(refusal("push", R"({"ref":"refs/heads/x","after":"HEAD"})"), "after is no commit id");
    EXPECT_EQ(refusal("push", R"({"ref":"refs/heads/x","after":")" + head + "\"}"), "repository.full_name is missing");
    EXPECT_EQ(refusal("push", R"({"ref":"refs/heads/a\nb","after":")" + head + "\"}"), "ref holds control characters");
    EXPECT_EQ(refusal("push", R"({"ref":"refs/heads/)" + std::string(5000, 'x') + R"(","after":")" + head + "\"}"),
              "ref is longer than 4096 bytes");
    EXPECT_NE(refusal("push", "payload=%7B%7D"), "");
    EXPECT_EQ(refusal("pull_request", R"({"pull_request":{"number":-1}})"),
              "pull_request.number is no number of a pull request");
}

}  // namespace
}  // namespace orchd::forge
