// R02, R03: what each gate says, in every colour. Asking changes nothing.
#include "engine/gates.h"

#include <gtest/gtest.h>

#include "engine/advance.h"
#include "support/world.h"

namespace orchd::engine {
namespace {

using support::must;

class Gates : public ::testing::Test {
protected:
    support::TaskWords task() { return scene.task("HELLO-1"); }

    GateAnswer ask_gate(Gate gate) {
        auto world = scene.world();
        const auto row = task().row();
        auto mirror = must(world.open_mirror(scene.project()));
        must(must(world.open_forge(scene.project()))->fetch(*mirror));
        const auto head = must(mirror->forge_head(row.branch)).value_or("");
        const auto code = head.empty() ? Code{} : must(code_of(*mirror, scene.project(), "HELLO-1", head));
        return must(ask(gate, {world, row, scene.project(), *mirror, head, code}));
    }
    void expect(Gate gate, Colour colour, const std::string& reason, bool unusable = false) {
        const auto answer = ask_gate(gate);
        EXPECT_EQ(answer.gate, gate);
        EXPECT_EQ(to_text(answer.colour), to_text(colour)) << answer.reason;
        EXPECT_NE(answer.reason.find(reason), std::string::npos) << answer.reason;
        EXPECT_EQ(answer.unusable, unusable) << answer.reason;
    }
    void status(const std::string& commit, const std::string& context, Colour colour) {
        scene.pass(1);
        scene.write([&](store::Tx& tx) {
            return store::put_status(tx, {.project = "hello",
                                          .commit = commit,
                                          .context = context,
                                          .description = "said so",
                                          .state = colour,
                                          .at = scene.now.utc_ms});
        });
    }
    support::Scene scene;
};

TEST_F(Gates, ArtefactsOfAnalysisAndArchitectureAreReadAtTheHead) {
    task().in(Stage::analysis);
    expect(Gate::artifacts_present, Colour::red, "10-analysis.md is not there", true);
    task().writes("10-analysis.md", "status: DRAFT");
    expect(Gate::artifacts_present, Colour::red, "DRAFT", true);
    task().writes("10-analysis.md", "status: READY");
    expect(Gate::artifacts_present, Colour::green, "READY");
    expect(Gate::architecture_done, Colour::red, "11-architecture.md is not there", true);
    task().writes("11-architecture.md", "status: READY");
    expect(Gate::architecture_done, Colour::green, "READY");
}

TEST_F(Gates, ASymbolicLinkIsNoArtefact) {
    task().in(Stage::analysis);
    task().commits({{"elsewhere.md", "---\nstatus: READY\n---\n"}});
    scene::sh(scene.forge.person,
              "mkdir -p docs/work-items/HELLO-1; ln -s ../../../elsewhere.md docs/work-items/HELLO-1/10-analysis.md");
    scene.forge.commit("git add -A; git commit -qm link; git push -q origin work:task/HELLO-1");
    expect(Gate::artifacts_present, Colour::red, "is not there", true);
}

TEST_F(Gates, ATaskWithoutABranchHasNoArtefacts) {
    task().in(Stage::analysis);
    scene::sh(scene.forge.path, "git update-ref -d refs/heads/task/HELLO-1");
    expect(Gate::artifacts_present, Colour::red, "not on the forge", true);
}

TEST_F(Gates, AnApprovalIsAPersonsForThisStageNumberAndThisCode) {
    task().in(Stage::analysis);
    expect(Gate::analysis_approved, Colour::undecided, "waits for an approval");
    task().verdict(Gate::analysis_approved, Colour::red, "too vague");
    expect(Gate::analysis_approved, Colour::red, "too vague");
    task().verdict(Gate::analysis_approved, Colour::green, "approved");
    expect(Gate::analysis_approved, Colour::green, "approved");
    task().writes("notes.md", "status: READY");
    expect(Gate::analysis_approved, Colour::green, "approved");
    task().writes("10-analysis.md", "status: READY\nsummary: another");
    expect(Gate::analysis_approved, Colour::undecided, "10-analysis.md changed since the approval");
    task().verdict(Gate::analysis_approved, Colour::green, "approved");
    expect(Gate::analysis_approved, Colour::green, "approved");
    task().commits({{"code", "x\n"}});
    expect(Gate::analysis_approved, Colour::undecided, "the code changed");
}

TEST_F(Gates, AnAnalysisThatWasRejectedIsNoNewOneUntilItChanges) {
    task().in(Stage::analysis);
    task().writes("10-analysis.md", "status: READY");
    task().verdict(Gate::analysis_approved, Colour::red, "too vague");
    expect(Gate::artifacts_present, Colour::green, "");
    const auto row = task().row();
    scene.write([&](store::Tx& tx) -> Status {
        auto written = store::write_stage(tx, row.id, Stage::analysis, row.stage_seq, Stage::analysis, row.retries, "too vague",
                                          0, scene.now);
        return written ? Status{} : orchd::fail(written.error());
    });
    expect(Gate::artifacts_present, Colour::red, "as it was when it was rejected: too vague", true);
    task().writes("notes.md", "status: READY");
    expect(Gate::artifacts_present, Colour::red, "as it was when it was rejected: too vague", true);
    task().writes("10-analysis.md", "status: READY\nsummary: clear");
    expect(Gate::artifacts_present, Colour::green, "");
}

TEST_F(Gates, CiIsReadFromTheStatusOfExactlyTheHead) {
    task().in(Stage::development);
    const auto head = task().commits({{"code", "x\n"}});
    expect(Gate::ci_green, Colour::undecided, "has not run on " + head);
    status(head, "somebody/else", Colour::green);
    expect(Gate::ci_green, Colour::undecided, "has not run");
    status(head, ci_context, Colour::undecided);
    expect(Gate::ci_green, Colour::undecided, "said so");
    status(head, ci_context, Colour::red);
    expect(Gate::ci_green, Colour::red, "said so");
    status(head, ci_context, Colour::green);
    expect(Gate::ci_green, Colour::green, "said so");
    task().commits({{"code", "y\n"}});
    expect(Gate::ci_green, Colour::undecided, "has not run");
}

TEST_F(Gates, VerdictsCountForTheirStageNumberAndTheirCode) {
    for (const auto& [stage, gate] : {std::pair{Stage::review, Gate::review_approved},
                                      {Stage::testing, Gate::tests_passed},
                                      {Stage::deploy_staging, Gate::staging_status}}) {
        task().in(stage);
        expect(gate, Colour::undecided, "no verdict yet");
        task().verdict(gate, Colour::red, "a defect");
        expect(gate, Colour::red, "a defect");
        task().verdict(gate, Colour::red, "cannot be read", true);
        expect(gate, Colour::red, "cannot be read", true);
        task().verdict(gate, Colour::green, "fine");
        expect(gate, Colour::green, "fine");
        task().writes("13-test-report.md", "result: PASS");
        expect(gate, Colour::green, "fine");
        task().commits({{"code", std::string(to_text(stage))}});
        expect(gate, Colour::red, "the code changed", true);
    }
}

TEST_F(Gates, AVerdictKeepsItsWorthOverACleanRebaseAndAMergeByHand) {
    task().in(Stage::review);
    const auto head = task().commits({{"code", "x\n"}});
    task().verdict(Gate::review_approved, Colour::green, "fine");
    scene.forge.commit(
        "git checkout -q -B main origin/main; echo y >other; git add -A; git commit -qm y; git push -q origin main");
    scene.forge.commit("git checkout -q work; git rebase -q main; git push -qf origin work:task/HELLO-1");
    expect(Gate::review_approved, Colour::green, "fine");
    EXPECT_NE(scene.forge.at("task/HELLO-1"), head);

    task().commits({{"more", "x\n"}});
    task().verdict(Gate::review_approved, Colour::green, "fine");
    scene::sh(scene.forge.path, "git update-ref refs/heads/main refs/heads/task/HELLO-1");
    expect(Gate::review_approved, Colour::green, "fine");
}

TEST_F(Gates, AVerdictFromTheTrackerKeepsItsWorthOverACleanRebaseToo) {
    task().in(Stage::analysis);
    const auto head = task().commits({{"code", "x\n"}});
    const auto approved = [&](const std::string& commit) {
        scene.write([&](store::Tx& tx) {
            return store::add_verdict(tx, {.task_id = task().row().id,
                                           .stage_seq = task().row().stage_seq,
                                           .gate = Gate::analysis_approved,
                                           .colour = Colour::green,
                                           .reason = "approved in the tracker",
                                           .commit = commit,
                                           .by = "tracker:ada",
                                           .at = scene.now.utc_ms});
        });
    };
    approved(head);
    scene.forge.commit(
        "git checkout -q -B main origin/main; echo y >other; git add -A; git commit -qm y; git push -q origin main");
    expect(Gate::analysis_approved, Colour::green, "in the tracker");
    scene.forge.commit("git checkout -q work; git rebase -q main; git push -qf origin work:task/HELLO-1");
    expect(Gate::analysis_approved, Colour::green, "in the tracker");
    task().commits({{"code", "z\n"}});
    expect(Gate::analysis_approved, Colour::undecided, "the code changed");
}

TEST_F(Gates, StagingIsFreshWhileOnlyArtefactsComeOnTop) {
    task().in(Stage::deploy_staging);
    expect(Gate::staging_image_fresh, Colour::undecided, "nothing was staged");
    task().commits({{"code", "x\n"}});
    task().verdict(Gate::staging_status, Colour::green);
    expect(Gate::staging_image_fresh, Colour::green, "staged was");
    task().writes("15-staging-log.md", "staging_status: SUCCESS");
    expect(Gate::staging_image_fresh, Colour::green, "staged was");
    task().commits({{"docs/work-items/HELLO-2/10-analysis.md", "another's"}});
    expect(Gate::staging_image_fresh, Colour::red, "the branch is at", true);
}

TEST_F(Gates, MergeableIsWhatCanBeRebased) {
    task().in(Stage::deploy_staging);
    expect(Gate::branch_mergeable, Colour::green, "has it already");
    task().commits({{"file", "mine\n"}});
    expect(Gate::branch_mergeable, Colour::green, "can be rebased");
    scene.forge.commit(
        "git checkout -q -B main origin/main; echo theirs >file; git add -A; git commit -qm y; git push -q origin main");
    expect(Gate::branch_mergeable, Colour::red, "conflicts with main in file");
}

TEST_F(Gates, ADeployIsJudgedByWhatIsLiveThenByItsVerdict) {
    task().in(Stage::deploy);
    const auto older = scene.forge.at("main");
    const auto merged = task().commits({{"code", "x\n"}});
    const auto later = task().commits({{"code", "y\n"}});
    const auto live = [&](const std::string& commit) {
        scene.pass(1);
        scene.write([&](store::Tx& tx) { return store::put_release(tx, {"hello", commit, "", "live", scene.now.utc_ms}); });
    };
    scene.write([&](store::Tx& tx) { return store::set_merged(tx, task().row().id, merged, scene.now); });
    expect(Gate::deploy_status, Colour::undecided, "not deployed yet");
    live(older);
    expect(Gate::deploy_status, Colour::undecided, "not deployed yet");
    task().verdict(Gate::deploy_status, Colour::red, "rolled back");
    expect(Gate::deploy_status, Colour::red, "rolled back");
    live(merged);
    expect(Gate::deploy_status, Colour::green, "live");
    live(later);
    expect(Gate::deploy_status, Colour::green, "superseded");
}

// Green as "not configured" is what a project's file leaves out, and nothing else: where the file has it, the gate asks.
TEST_F(Gates, WhatIsNotConfiguredIsGreenAndSaysSoAndCanBeConfigured) {
    task().in(Stage::deploy_staging);
    task().commits({{"code", "x\n"}});
    const auto all = [&] {
        std::vector<Gate> without;
        for (std::size_t i = 0; i < enum_text<Gate>.size(); ++i)
            if (ask_gate(Gate(i)).reason == "not configured") without.push_back(Gate(i));
        return without;
    };
    EXPECT_TRUE(all().empty()) << "the sample project has everything: " << to_text(all().front());
    scene.without({Role::ci, Role::test, Role::staging, Role::build});
    const std::vector expected{Gate::ci_green, Gate::tests_passed, Gate::staging_image_fresh, Gate::staging_status,
                               Gate::deploy_status};
    EXPECT_EQ(all(), expected) << "people and reviewers, artefacts and conflicts are always asked";
    for (const Gate gate : expected) expect(gate, Colour::green, "not configured");
}

TEST_F(Gates, ARunThatFailedIsAskedAgainWhateverTheBranchSays) {
    task().in(Stage::architecture);
    task().writes("11-architecture.md", "status: READY");
    task().verdict(Gate::architecture_done, Colour::red, "ended with exit status 3", true);
    expect(Gate::architecture_done, Colour::red, "exit status 3", true);
}

TEST_F(Gates, AreAskedInOrderUpToTheFirstThatIsNotGreen) {
    auto world = scene.world();
    task().in(Stage::analysis);
    const auto ask_here = [&] {
        const auto row = task().row();
        auto mirror = must(world.open_mirror(scene.project()));
        must(must(world.open_forge(scene.project()))->fetch(*mirror));
        return must(ask_all(
            {world, row, scene.project(), *mirror, row.head, must(code_of(*mirror, scene.project(), "HELLO-1", row.head))}));
    };
    EXPECT_EQ(ask_here().size(), 1u);
    task().writes("10-analysis.md", "status: READY");
    EXPECT_EQ(ask_here().size(), 2u);
    const auto before = must(store::newest_event_id(scene.db));
    EXPECT_EQ(ask_here().back().colour, Colour::undecided);
    EXPECT_EQ(must(store::newest_event_id(scene.db)), before) << "asking writes nothing";
}

}  // namespace
}  // namespace orchd::engine
