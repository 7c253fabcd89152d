// R01, R02, R04: the table of stages and what is decided from it, over every stage and every answer.
#include "core/pipeline.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <set>
#include <string>
#include <tuple>
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

std::vector<GateAnswer> all_green(Stage stage) {
    std::vector<GateAnswer> answers;
    for (const Gate gate : row(stage).gates) answers.push_back({gate, Colour::green, ""});
    return answers;
}

// Green up to the gate at `place`, which answers `colour`.
std::vector<GateAnswer> answers_until(Stage stage, std::size_t place, Colour colour, bool unusable = false) {
    auto answers = all_green(stage);
    answers.resize(place + 1);
    answers[place] = {answers[place].gate, colour, "because", unusable};
    return answers;
}

// Of the requirements' gates those that can be configured: what nobody can ask for is no gate, and never called green.
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
        {Stage::development, Role::developer, {Gate::ci_green}, Stage::review, Stage::development},
        {Stage::review, Role::reviewer, {Gate::review_approved}, Stage::testing, Stage::development},
        {Stage::testing, Role::test, {Gate::tests_passed}, Stage::deploy_staging, Stage::development},
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
    const GateAnswer answer{Gate::review_approved, Colour::red, "its review was of other code", true};
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

TEST(Pipeline, R01_APersonSendsATaskBackToAnyStageUpToItsOwnButNotBeforeItsMerge) {
    for (const Stage from : all_stages())
        for (const Stage to : all_stages()) {
            bool expected = static_cast<int>(to) <= static_cast<int>(from);
            if (from == Stage::deploy) expected = to == Stage::deploy;
            if (terminal(from)) expected = false;
            EXPECT_EQ(can_be_sent_back(from, to), expected) << to_text(from) << to_text(to);
        }
}

TEST(Pipeline, R01_AllGreenMovesToTheNextStageAndStartsTheCountOfAgainAnew) {
    for (const Stage stage : all_stages()) {
        const auto decision = decide(stage, all_green(stage), {2, 2, 2, 2}, {});
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
            auto answers = all_green(stage);
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
                const Caps caps{.developer = 3, .again = 4, .conflict = 5};
                const auto own = counts_again ? &Retries::again : counts_conflict ? &Retries::conflict : &Retries::developer;
                const int cap = counts_again ? caps.again : counts_conflict ? caps.conflict : caps.developer;
                Retries others_full{9, 9, 9, 9};
                others_full.*own = cap - 1;
                EXPECT_EQ(decide(stage, answers, others_full, caps).kind, Decision::Kind::move) << to_text(stage);

                Retries full{};
                full.*own = cap;
                const auto decision = decide(stage, answers, full, caps);
                EXPECT_EQ(decision.kind, Decision::Kind::hold) << to_text(stage);
                EXPECT_EQ(decision.hold, Hold::escalated);
                EXPECT_NE(decision.reason.find(std::to_string(cap) + " times already; now: because"), std::string::npos)
                    << decision.reason;
                EXPECT_EQ(decision.retries.*own, cap) << "what is escalated counts no more";
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

// Where a task may come to from where it is by one decision, whatever its gates answer.
struct Place {
    Stage stage = Stage::analysis;
    Retries retries;
    auto key() const { return std::tuple(stage, retries.developer, retries.again, retries.conflict); }
};
std::vector<Place> all_moves_from(const Place& place, const Caps& caps) {
    std::vector<std::vector<GateAnswer>> all_answers{all_green(place.stage)};
    for (std::size_t at = 0; at < row(place.stage).gates.size(); ++at)
        for (const bool unusable : {false, true}) all_answers.push_back(answers_until(place.stage, at, Colour::red, unusable));
    std::vector<Place> moves;
    for (const auto& answers : all_answers) {
        const auto decision = decide(place.stage, answers, place.retries, caps);
        if (decision.kind == Decision::Kind::move) moves.push_back({decision.to, decision.retries});
    }
    for (const Stage earlier : all_stages()) {
        if (earlier >= place.stage || !legal_edge(place.stage, earlier)) continue;
        const auto decision =
            unjudged(place.stage, earlier, {Gate::review_approved, Colour::red, "pushed"}, place.retries, caps.conflict);
        if (decision.kind == Decision::Kind::move) moves.push_back({decision.to, decision.retries});
    }
    return moves;
}

// Walks every path from a place; fails where one comes to a place on it once more, or counts beyond a cap.
class Walk {
public:
    explicit Walk(const Caps& caps) : caps_(caps) {}
    void from(const Place& place) {
        const auto& counts = place.retries;
        const bool counted =
            counts.developer <= caps_.developer && counts.again <= caps_.again && counts.conflict <= caps_.conflict;
        ASSERT_TRUE(counted) << "a way back to " << to_text(place.stage) << " is taken beyond every cap";
        if (over_.contains(place.key())) return;
        ASSERT_TRUE(on_path_.insert(place.key()).second) << "a loop through " << to_text(place.stage) << " counts nothing";
        for (const auto& next : all_moves_from(place, caps_)) {
            ASSERT_TRUE(legal_edge(place.stage, next.stage));
            from(next);
            if (testing::Test::HasFatalFailure()) return;
        }
        on_path_.erase(place.key());
        over_.insert(place.key());
    }
    [[nodiscard]] std::size_t places() const { return over_.size(); }

private:
    using Key = decltype(Place{}.key());
    Caps caps_;
    std::set<Key> on_path_, over_;
};

TEST(Pipeline, R04_NoLoopThroughTheTableIsWithoutACap) {
    for (const auto& caps : {Caps{2, 2, 2}, Caps{0, 0, 0}, Caps{1, 3, 2}}) {
        Walk walk(caps);
        walk.from({});
        EXPECT_GE(walk.places(), 8U) << "every stage but cancelled was come to";
    }
}

// The worlds in which one gate says no for ever, and all else is well: each ends with a person, once.
TEST(Pipeline, R04_WhateverIsRedForEverEndsWithAPerson) {
    for (const Stage stage : all_stages())
        for (std::size_t place = 0; place < row(stage).gates.size(); ++place)
            for (const bool unusable : {false, true}) {
                Place at;
                int moves = 0;
                for (;; ++moves) {
                    ASSERT_LT(moves, 100) << to_text(stage) << " is gone round without an end";
                    ASSERT_FALSE(terminal(at.stage)) << to_text(stage);
                    const auto answers =
                        at.stage == stage ? answers_until(stage, place, Colour::red, unusable) : all_green(at.stage);
                    const auto decision = decide(at.stage, answers, at.retries, {});
                    if (decision.kind == Decision::Kind::hold) break;
                    ASSERT_EQ(decision.kind, Decision::Kind::move);
                    at = {decision.to, decision.retries};
                }
                EXPECT_EQ(at.stage, stage);
            }
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
