// R03: what lands was judged. A review and tests count for the patch that they saw, and development is over with a new one.
#include "engine/judged.h"

#include <map>

#include "advance_fixture.h"

namespace orchd::engine {
namespace {

class Judged : public Advance {
protected:
    // Every run ends well and every step is taken, up to this role's run, which is claimed and not worked yet.
    void comes_to(Role role) {
        for (int i = 0; i < 40 && !scene.runs("HELLO-1", role); ++i) {
            const auto next = scene.running.front().job.role;
            if (next == Role::step)
                must(scene.step("HELLO-1"));
            else
                scene.work("HELLO-1", next);
        }
        ASSERT_TRUE(scene.runs("HELLO-1", role)) << to_text(role);
    }
    // By somebody else, of which no verdict knows.
    void pushes(const std::map<std::string, std::string>& files) {
        scene::sh(scene.forge.person, "git fetch -q; git checkout -q -B work origin/task/HELLO-1; git clean -qfd");
        for (const auto& [path, text] : files) scene::write(scene.forge.person + '/' + path, text);
        scene.forge.commit("git add -A; git commit -qm pushed; git push -q origin work:task/HELLO-1");
    }
    // Every run ends well and every step is taken, until this role's job waits to be claimed.
    void queued_for(const std::string& item, Role role) {
        const auto waits = [&] {
            const auto live = must(store::live_run_job(scene.db, task(item).row().id));
            return live && live->role == role && live->status == JobStatus::queued;
        };
        for (int i = 0; i < 40 && !waits(); ++i) {
            const auto live = must(store::live_run_job(scene.db, task(item).row().id));
            if (live) scene.work(item, live->role);
            must(scene.step(item));
        }
        ASSERT_TRUE(waits()) << to_text(role);
    }
    // Its run ends well and leaves nothing.
    void developer_does_nothing(const std::string& item = "HELLO-1") {
        scene.claim();
        const auto found = std::ranges::find_if(
            scene.running, [&](const auto& c) { return c.job.role == Role::developer && c.work_item == item; });
        ASSERT_NE(found, scene.running.end());
        const auto claim = *found;
        scene.running.erase(found);
        auto here = scene.world("finish");
        scene.write([&](store::Tx& tx) -> Status {
            (void)must(store::finish_job(tx, claim.job.id, claim.run.id, JobStatus::done, "", "", scene.now));
            return ask_advance(here, tx, task(item).row());
        });
    }
    const std::string first = scene.forge.at("main");
    [[nodiscard]] std::string main() { return scene.forge.at("main"); }
    [[nodiscard]] bool on_main(const std::string& file) {
        return scene::sh(scene.forge.path, "git ls-tree --name-only main").find(file) != std::string::npos;
    }
    int runs_of(Role role) {
        return static_cast<int>(std::ranges::count(must(store::list_jobs(scene.db, {.status = JobStatus::done})), role,
                                                   [](const auto& claim) { return claim.job.role; }));
    }
};

TEST_F(Judged, R03_ACommitPushedWhileTestsRunIsReviewedBeforeItLands) {
    task().in(Stage::development);
    comes_to(Role::test);
    pushes({{"unreviewed", "x\n"}});
    scene.work("HELLO-1", Role::test);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
    const auto& why = task().row().again_reason;
    EXPECT_TRUE(why.starts_with("its review was of ")) << why;
    EXPECT_NE(why.find(", and the branch got other commits since: it is at " + scene.forge.at("task/HELLO-1")),
              std::string::npos)
        << why;
    EXPECT_EQ(task().row().retries.developer, 0) << "nobody's fault";
    EXPECT_EQ(task().row().retries.conflict, 1);
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_TRUE(on_main("unreviewed"));
    EXPECT_EQ(runs_of(Role::reviewer), 2);
    EXPECT_EQ(runs_of(Role::ci), 2) << "CI has its word on it too";
}

TEST_F(Judged, R03_CiThatIsRedOnWhatWasPushedLaterSendsItBack) {
    task().in(Stage::development);
    comes_to(Role::test);
    pushes({{"unreviewed", "x\n"}});
    scene.work("HELLO-1", Role::test);
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task().stage(), Stage::review);
    work_and_step(Role::reviewer);
    scene.work("HELLO-1", Role::test);
    must(scene.step("HELLO-1"));
    scene.fail("HELLO-1", Role::ci, "it does not build");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_EQ(task().row().again_reason, "it does not build");
}

TEST_F(Judged, R03_ACommitPushedDuringTheReTestIsReviewedAndTestedBeforeItLands) {
    task().in(Stage::development);
    comes_to(Role::retest);
    pushes({{"unreviewed", "x\n"}});
    scene.work("HELLO-1", Role::retest);
    must(scene.step("HELLO-1"));
    EXPECT_FALSE(on_main("unreviewed"));
    EXPECT_EQ(task().stage(), Stage::review);
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty());
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_TRUE(on_main("unreviewed"));
    EXPECT_EQ(runs_of(Role::reviewer), 2);
    EXPECT_EQ(runs_of(Role::test), 2);
}

TEST_F(Judged, R03_ACommitPushedWhileStagingRunsIsReviewedBeforeItIsStagedAgain) {
    task().in(Stage::development);
    comes_to(Role::staging);
    pushes({{"unreviewed", "x\n"}});
    scene.work("HELLO-1", Role::staging);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
}

TEST_F(Judged, R03_WithoutAReTestToo) {
    scene.without({Role::retest, Role::staging});
    task().in(Stage::development);
    comes_to(Role::test);
    scene.work("HELLO-1", Role::test);
    pushes({{"unreviewed", "x\n"}});
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
    EXPECT_FALSE(on_main("unreviewed"));
}

TEST_F(Judged, R03_ArtefactsAndANewBaseAskNoPassedGateAgain) {
    task().in(Stage::development);
    comes_to(Role::retest);
    scene.work("HELLO-1", Role::retest);
    // Beside what the task changes, so that the context of its patch is another after the rebase.
    scene.forge.commit(
        "git fetch -q; git checkout -q -B main origin/main; echo other >other; git add -A; git commit -qm moved; git push -q "
        "origin main");
    must(scene.step("HELLO-1"));
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_EQ(runs_of(Role::reviewer), 1);
    EXPECT_EQ(runs_of(Role::test), 1);
    EXPECT_EQ(runs_of(Role::retest), 2);
}

TEST_F(Judged, R03_ACleanRebaseWhoseContextMovedKeepsTheVerdicts) {
    scene.forge.commit("seq 40 >list; git add list; git commit -qm list; git push -q origin main");
    task().in(Stage::deploy_staging);
    task().commits({{"list", scene::sh("/", "seq 40 | sed 's/^20$/twenty/'") + "\n"}});
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::staging);
    scene.forge.commit(
        "git fetch -q; git checkout -q -B main origin/main; sed -i 's/^22$/22 and more/' list; git commit -qam near; git push "
        "-q origin main");
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_EQ(runs_of(Role::reviewer), 0) << "a clean rebase is no other code";
}

// Beside this work item's own artefacts nothing is free of a review.
TEST_F(Judged, R03_FilesAmongTheArtefactsOfOthersAreReviewedToo) {
    task().in(Stage::development);
    comes_to(Role::test);
    pushes({{"docs/work-items/HELLO-2/script", "x\n"}});
    scene.work("HELLO-1", Role::test);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
}

TEST_F(Judged, ABranchThatIsRidOfItsWorkGoesBackToDevelopment) {
    task().in(Stage::development);
    for (const Role role : {Role::reviewer, Role::test, Role::staging, Role::retest}) {
        comes_to(role);
        scene.forge.commit("git fetch -q; git push -qf origin origin/main:task/HELLO-1");
        scene.work("HELLO-1", role);
        must(scene.step("HELLO-1"));
        EXPECT_EQ(task().stage(), Stage::development) << to_text(role);
        EXPECT_NE(task().row().again_reason.find("no change of the code any more"), std::string::npos)
            << task().row().again_reason;
    }
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_NE(main(), first) << "and what lands is work";
}

TEST_F(Judged, ABranchWhoseWorkAPersonMergedIsDoneWhateverBecameOfIt) {
    int n = 0;
    for (const auto* merge :
         {"git merge -q --no-ff -m merged origin/$t", "git merge -q --squash origin/$t; git commit -qm squashed"})
        for (const auto* then : {":", "git push -qf origin main:$t"}) {
            const auto item = "HELLO-" + std::to_string(++n);
            task(item).in(Stage::review);
            task(item).commits({{"work-" + std::to_string(n), "x\n"}});
            for (int i = 0; i < 40 && !scene.runs(item, Role::test); ++i)
                scene.runs(item, Role::reviewer) ? scene.work(item, Role::reviewer) : must(scene.step(item));
            scene.forge.commit("t=task/" + item + "; git fetch -q; git checkout -q -B main origin/main; " + merge +
                               "; git push -q origin main; " + then);
            scene.settle();
            EXPECT_EQ(task(item).stage(), Stage::done) << merge << ", " << then << ": " << task(item).row().again_reason;
            EXPECT_TRUE(on_main("work-" + std::to_string(n)));
        }
}

TEST_F(Judged, R03_SendingBackForWhatOthersPushEndsAtItsCap) {
    task().in(Stage::development);
    for (int i = 0; i < 20 && task().row().hold == Hold::none; ++i) {
        comes_to(Role::test);
        pushes({{"pushed", std::to_string(i) + "\n"}});
        scene.work("HELLO-1", Role::test);
        must(scene.step("HELLO-1"));
    }
    EXPECT_EQ(task().row().hold, Hold::escalated);
    EXPECT_NE(task().row().hold_reason.find("what others pushed"), std::string::npos) << task().row().hold_reason;
    EXPECT_NE(task().row().hold_reason.find("; now: its review was of "), std::string::npos) << task().row().hold_reason;
    EXPECT_FALSE(on_main("pushed"));
}

TEST_F(Judged, DevelopmentWithoutAPatchIsAskedAgainThenEscalated) {
    task().in(Stage::development);
    for (int i = 0; i < 10 && task().row().hold == Hold::none; ++i) {
        ASSERT_TRUE(scene.runs("HELLO-1", Role::developer));
        developer_does_nothing();
        must(scene.step("HELLO-1"));
        EXPECT_EQ(task().stage(), Stage::development);
    }
    EXPECT_EQ(task().row().hold, Hold::escalated);
    EXPECT_NE(task().row().hold_reason.find("no change of the code"), std::string::npos) << task().row().hold_reason;
}

TEST_F(Judged, ArtefactsAreNoPatch) {
    task().in(Stage::development);
    task().writes("notes.md", "status: READY");
    developer_does_nothing();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_EQ(task().row().retries.again, 1);
}

TEST_F(Judged, ThePatchThatWasSentBackIsNoNewOne) {
    task().in(Stage::review);
    task().commits({{"work", "x\n"}});
    scene.fail("HELLO-1", Role::reviewer, "the name is wrong");
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task().stage(), Stage::development);
    developer_does_nothing();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_NE(task().row().again_reason.find("no new change since"), std::string::npos) << task().row().again_reason;
    EXPECT_NE(task().row().again_reason.find("the name is wrong"), std::string::npos)
        << "and why it was sent back is not forgotten";
    work_and_step(Role::developer);
    work_and_step(Role::ci);
    EXPECT_EQ(task().stage(), Stage::review);
}

// From wherever it is sent back: a person's word is answered by a change, or the person hears that there is none.
TEST_F(Judged, ThePatchThatAPersonSentBackIsNoNewOne) {
    int n = 0;
    for (const Role until : {Role::reviewer, Role::test, Role::staging}) {
        SCOPED_TRACE(to_text(until));
        const auto item = "HELLO-" + std::to_string(++n);
        task(item).in(Stage::development);
        queued_for(item, until);
        auto control = scene.world("control");
        must(send_back(control, item, Stage::development, "it greets nobody", "uid:1000 ann"));
        for (int i = 0; i < 10 && task(item).row().hold == Hold::none; ++i) {
            developer_does_nothing(item);
            must(scene.step(item));
            ASSERT_EQ(task(item).stage(), Stage::development);
            EXPECT_FALSE(scene.runs(item, Role::ci));
        }
        EXPECT_EQ(task(item).row().hold, Hold::escalated);
        EXPECT_NE(task(item).row().hold_reason.find("uid:1000 ann: it greets nobody"), std::string::npos)
            << task(item).row().hold_reason;
        must(send_back(control, item, Stage::development, "it still greets nobody", "uid:1000 ann"));
        scene.settle();
        EXPECT_EQ(task(item).stage(), Stage::done) << "a change is an answer: " << task(item).row().hold_reason;
    }
}

// The person may have asked for just that.
TEST_F(Judged, TheTargetMergedInAnswersAPerson) {
    task().in(Stage::development);
    queued_for("HELLO-1", Role::test);
    auto control = scene.world("control");
    must(send_back(control, "HELLO-1", Stage::development, "merge main", "uid:1000 ann"));
    scene.forge.commit(
        "git fetch -q; git checkout -q -B main origin/main; echo other >other; git add -A; git commit -qm moved; git push -q "
        "origin main; git checkout -q -B work origin/task/HELLO-1; git merge -q -m merged main; git push -q origin "
        "work:task/HELLO-1");
    developer_does_nothing();
    must(scene.step("HELLO-1"));
    EXPECT_TRUE(scene.runs("HELLO-1", Role::ci)) << task().row().again_reason;
}

TEST_F(Judged, WorkThatAPersonPushedInPlaceOfTheDeveloperIsNew) {
    task().in(Stage::review);
    task().commits({{"work", "x\n"}});
    scene.fail("HELLO-1", Role::reviewer, "the name is wrong");
    must(scene.step("HELLO-1"));
    pushes({{"work", "y\n"}});
    developer_does_nothing();
    must(scene.step("HELLO-1"));
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
}

TEST_F(Judged, AConflictIsNotResolvedByDoingNothing) {
    task().in(Stage::deploy_staging);
    task().commits({{"file", "one\ntwo\nmine\n"}});
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::staging);
    scene.forge.commit(
        "git fetch -q; git checkout -q -B main origin/main; echo theirs >>file; git commit -qam theirs; git push -q origin "
        "main");
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task().stage(), Stage::development);
    developer_does_nothing();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_EQ(task().row().retries.again, 1);
    // The target merged in is an answer, though the change is the same.
    scene.forge.commit(
        "git fetch -q; git checkout -q -B work origin/task/HELLO-1; git merge -q origin/main >/dev/null || { "
        "printf 'one\\ntwo\\nthree\\ntheirs\\nmine\\n' >file; git add file; git commit -qm resolved; }; git push -q origin "
        "work:task/HELLO-1");
    developer_does_nothing();
    must(scene.step("HELLO-1"));
    EXPECT_TRUE(scene.runs("HELLO-1", Role::ci));
}

TEST_F(Judged, WhatTheTestsRefusedOnOneBaseIsTriedAgainOnAnother) {
    task().in(Stage::testing);
    task().commits({{"work", "x\n"}});
    scene.fail("HELLO-1", Role::test, "exit status 1");
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task().stage(), Stage::development);
    scene.forge.commit(
        "git fetch -q; git checkout -q -B main origin/main; echo mended >mended; git add -A; git commit -qm mended; git push "
        "-q origin main; "
        "git checkout -q -B work origin/task/HELLO-1; git merge -q -m merged origin/main; git push -q origin "
        "work:task/HELLO-1");
    developer_does_nothing();
    must(scene.step("HELLO-1"));
    EXPECT_TRUE(scene.runs("HELLO-1", Role::ci)) << task().row().again_reason;
}

}  // namespace
}  // namespace orchd::engine
