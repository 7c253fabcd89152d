// R01, R02, R04: the table of stages and what is decided from it, over every stage and every answer.
#include "core/pipeline.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <string>
#include <vector>

#include "core/unjudged.h"

namespace orchd {

void PrintTo(Stage stage, std::ostream* out) { *out << to_text(stage); }

namespace {

std::vector<Stage> all_stages() {
    std::vector<Stage> all;
    for (std::size_t i = 0; i < enum_text<Stage>.size(); ++i) all.push_back(static_cast<Stage>(i));
    return all;
}

std::vector<GateAnswer> green(Stage stage) {
    std::vector<GateAnswer> answers;
    for (const Gate gate : row(stage).gates) answers.push_back({gate, Colour::green, ""});
    return answers;
}

// Green up to the gate at `place`, which answers `colour`.
std::vector<GateAnswer> answers_until(Stage stage, std::size_t place, Colour colour, bool unusable = false) {
    auto answers = green(stage);
    answers.resize(place + 1);
    answers[place] = {answers[place].gate, colour, "because", unusable};
    return answers;
}

TEST(Pipeline, R01_IsTheTableOfTheRequirements) {
    struct Expected {
        Stage stage;
        std::optional<Role> role;
        std::vector<Gate> gates;
        Stage next, red_to;
    };
    const std::vector<Expected> expected{
        {Stage::analysis,
         Role::analyst,
         {Gate::artifacts_present, Gate::analysis_approved},
         Stage::architecture,
         Stage::analysis},
        {Stage::architecture, Role::architect, {Gate::architecture_done}, Stage::development, Stage::architecture},
        {Stage::development, Role::developer, {Gate::ci_green, Gate::no_secrets}, Stage::review, Stage::development},
        {Stage::review, Role::reviewer, {Gate::review_approved}, Stage::testing, Stage::development},
        {Stage::testing, Role::test, {Gate::tests_passed, Gate::coverage_ratchet}, Stage::deploy_staging, Stage::development},
        {Stage::deploy_staging,
         Role::staging,
         {Gate::staging_image_fresh, Gate::staging_status, Gate::branch_mergeable},
         Stage::deploy,
         Stage::development},
        {Stage::deploy, Role::build, {Gate::deploy_status}, Stage::done, Stage::deploy},
        {Stage::done, std::nullopt, {}, Stage::done, Stage::done},
        {Stage::cancelled, std::nullopt, {}, Stage::cancelled, Stage::cancelled},
    };
    ASSERT_EQ(expected.size(), all_stages().size());
    for (const auto& e : expected) {
        const StageRow& r = row(e.stage);
        EXPECT_EQ(r.stage, e.stage);
        EXPECT_EQ(r.first_role, e.role);
        EXPECT_TRUE(std::ranges::equal(r.gates, e.gates)) << to_text(e.stage);
        EXPECT_EQ(r.next, e.next);
        EXPECT_EQ(r.falls_back_to, e.red_to);
    }
}

TEST(Pipeline, R02_EveryGateEndsExactlyOneStage) {
    for (std::size_t i = 0; i < enum_text<Gate>.size(); ++i) {
        int stages = 0;
        for (const Stage stage : all_stages()) stages += static_cast<int>(std::ranges::count(row(stage).gates, Gate(i)));
        EXPECT_EQ(stages, 1) << enum_text<Gate>[i];
    }
}

TEST(Pipeline, R01_EveryPairOfStagesIsAnEdgeOrIsNot) {
    const auto expected = [](Stage from, Stage to) {
        if (terminal(from)) return false;
        if (to == Stage::cancelled || to == from) return true;
        if (static_cast<int>(to) == static_cast<int>(from) + 1) return true;
        // Back to be worked anew, or to be judged anew.
        return to >= Stage::development && to < from && from <= Stage::deploy_staging;
    };
    for (const Stage from : all_stages())
        for (const Stage to : all_stages()) EXPECT_EQ(legal_edge(from, to), expected(from, to)) << to_text(from) << to_text(to);
}

TEST(Pipeline, R03_WhatIsNotJudgedGoesBackToTheStageThatJudgesUpToItsCap) {
    const GateAnswer answer{Gate::review_approved, Colour::red, "was answered for other code", true};
    auto decision = unjudged(Stage::deploy_staging, Stage::review, answer, {1, 2, 0, 1}, 2);
    EXPECT_EQ(decision.kind, Decision::Kind::move);
    EXPECT_EQ(decision.to, Stage::review);
    EXPECT_EQ(decision.reason, answer.reason);
    EXPECT_EQ(decision.retries.conflict, 2);
    EXPECT_EQ(decision.retries.developer, 1);
    EXPECT_EQ(decision.retries.again, 0);
    decision = unjudged(Stage::deploy_staging, Stage::review, answer, decision.retries, 2);
    EXPECT_EQ(decision.kind, Decision::Kind::hold);
    EXPECT_EQ(decision.hold, Hold::escalated);
    EXPECT_NE(decision.reason.find("2 times already"), std::string::npos) << decision.reason;
}

TEST(Pipeline, R01_AllGreenMovesToTheNextStageAndStartsTheCountOfAgainAnew) {
    for (const Stage stage : all_stages()) {
        const auto decision = decide(stage, green(stage), {2, 2, 2, 2}, {});
        if (terminal(stage)) {
            EXPECT_EQ(decision.kind, Decision::Kind::wait);
            continue;
        }
        EXPECT_EQ(decision.kind, Decision::Kind::move);
        EXPECT_EQ(decision.to, row(stage).next);
        EXPECT_FALSE(decision.gate);
        EXPECT_EQ(decision.retries.again, 0);
        EXPECT_EQ(decision.retries.developer, 2);
        EXPECT_EQ(decision.retries.conflict, 2);
    }
}

TEST(Pipeline, R02_UndecidedWaitsAtEveryGateAndCountsNothing) {
    for (const Stage stage : all_stages())
        for (std::size_t place = 0; place < row(stage).gates.size(); ++place) {
            const auto decision = decide(stage, answers_until(stage, place, Colour::undecided), {3, 3, 3, 3}, {});
            EXPECT_EQ(decision.kind, Decision::Kind::wait);
            EXPECT_EQ(decision.gate, row(stage).gates[place]);
            EXPECT_EQ(decision.reason, "because");
            EXPECT_EQ(decision.retries.again, 3);
        }
}

TEST(Pipeline, R02_AGateThatWasNotAskedIsNeverGreen) {
    for (const Stage stage : all_stages())
        for (std::size_t missing = 0; missing < row(stage).gates.size(); ++missing) {
            auto answers = green(stage);
            answers.erase(answers.begin() + static_cast<std::ptrdiff_t>(missing));
            const auto decision = decide(stage, answers, {}, {});
            EXPECT_EQ(decision.kind, Decision::Kind::wait) << to_text(stage);
            EXPECT_EQ(decision.gate, row(stage).gates[missing]);
        }
}

TEST(Pipeline, R04_RedGoesWhereTheTableSaysAndCounts) {
    for (const Stage stage : all_stages())
        for (std::size_t place = 0; place < row(stage).gates.size(); ++place) {
            const StageRow& r = row(stage);
            const auto decision = decide(stage, answers_until(stage, place, Colour::red), {1, 1, 1, 1}, {});
            EXPECT_EQ(decision.gate, r.gates[place]);
            EXPECT_EQ(decision.reason, "because");
            switch (r.on_red) {
                case OnRed::hold:
                    EXPECT_EQ(decision.kind, Decision::Kind::hold);
                    EXPECT_EQ(decision.hold, Hold::human);
                    break;
                case OnRed::again:
                    EXPECT_EQ(decision.kind, Decision::Kind::move);
                    EXPECT_EQ(decision.to, stage);
                    EXPECT_EQ(decision.retries.again, 2);
                    EXPECT_EQ(decision.retries.developer, 1);
                    break;
                case OnRed::fall_back: {
                    EXPECT_EQ(decision.kind, Decision::Kind::move);
                    EXPECT_EQ(decision.to, Stage::development);
                    const bool conflict = r.gates[place] == Gate::branch_mergeable;
                    EXPECT_EQ(decision.retries.developer, conflict ? 1 : 2);
                    EXPECT_EQ(decision.retries.conflict, conflict ? 2 : 1);
                    EXPECT_EQ(decision.retries.again, 0);
                    break;
                }
            }
            EXPECT_EQ(decision.retries.infrastructure, 1);
        }
}

TEST(Pipeline, R04_UnusableAsksTheSameStageAgainAndBlamesNobodyElse) {
    for (const Stage stage : all_stages())
        for (std::size_t place = 0; place < row(stage).gates.size(); ++place) {
            const auto decision = decide(stage, answers_until(stage, place, Colour::red, true), {1, 1, 1, 1}, {});
            if (row(stage).on_red == OnRed::hold) {
                EXPECT_EQ(decision.kind, Decision::Kind::hold);
                continue;
            }
            EXPECT_EQ(decision.kind, Decision::Kind::move);
            EXPECT_EQ(decision.to, stage);
            EXPECT_EQ(decision.retries.again, 2);
            EXPECT_EQ(decision.retries.developer, 1);
        }
}

TEST(Pipeline, R04_EscalatesAtTheCapOfItsOwnKindOnly) {
    for (const Stage stage : all_stages()) {
        if (terminal(stage) || row(stage).on_red == OnRed::hold) continue;
        for (std::size_t place = 0; place < row(stage).gates.size(); ++place)
            for (const bool unusable : {false, true}) {
                const auto answers = answers_until(stage, place, Colour::red, unusable);
                const bool counts_again = unusable || row(stage).on_red == OnRed::again;
                const bool counts_conflict = !counts_again && row(stage).gates[place] == Gate::branch_mergeable;
                const Retries others_full{counts_again || counts_conflict ? 9 : 2, counts_again ? 2 : 9, 9, 9};
                EXPECT_EQ(decide(stage, answers, others_full, {}).kind, Decision::Kind::move) << to_text(stage);

                if (counts_conflict) continue;  // nobody's verdict: sent back as often as it happens
                Retries full{};
                (counts_again ? full.again : full.developer) = 3;
                const auto decision = decide(stage, answers, full, {});
                EXPECT_EQ(decision.kind, Decision::Kind::hold) << to_text(stage);
                EXPECT_EQ(decision.hold, Hold::escalated);
                EXPECT_NE(decision.reason.find("because"), std::string::npos);
            }
    }
}

TEST(Pipeline, R04_SendsBackExactlyAsOftenAsTheCapSays) {
    Retries retries;
    int sent_back = 0;
    while (true) {
        const auto decision = decide(Stage::review, answers_until(Stage::review, 0, Colour::red), retries, {.developer = 3});
        if (decision.kind != Decision::Kind::move) break;
        retries = decision.retries;
        ++sent_back;
    }
    EXPECT_EQ(sent_back, 3);
}

TEST(Pipeline, EveryRoleIsWorkedByOneKindOfJob) {
    for (const Role role : {Role::analyst, Role::architect, Role::developer, Role::reviewer, Role::tester})
        EXPECT_EQ(kind_of(role), JobKind::agent);
    for (const Role role : {Role::ci, Role::test, Role::staging, Role::retest, Role::build})
        EXPECT_EQ(kind_of(role), JobKind::check);
    EXPECT_EQ(kind_of(Role::step), JobKind::advance);
    EXPECT_EQ(kind_of(Role::deploy), JobKind::deploy);
}

}  // namespace
}  // namespace orchd
