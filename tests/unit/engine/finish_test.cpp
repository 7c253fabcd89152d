// R04, R07, R08, R11, R26, R33: how a run ends, whatever is killed or pushed meanwhile.
#include "core/boundary.h"
#include "run_life.h"

namespace orchd::support {
namespace {

TEST(FinishTest, R33TakesADevelopersCommitsToTheForgeAndAsksForTheAdvance) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    const auto invocation = life.invocation();
    life.commits({{"hello.cpp", "int main() {}\n"}});
    life.leaves("usage.json", R"({"tokens": 12})");
    life.ends(0);
    EXPECT_EQ(life.forge_file("hello.cpp"), "int main() {}");
    EXPECT_EQ(life.task().row().head, life.forge_head());
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    const auto run = life.run(claim.run.id);
    EXPECT_EQ(run.exit->kind, ExitKind::exited);
    EXPECT_EQ(run.invocation_id, invocation);
    EXPECT_EQ(run.head_after, life.forge_head());
    EXPECT_EQ(run.usage, R"({"tokens": 12})");
    EXPECT_EQ(life.count_queued(Role::step), 1);
    EXPECT_FALSE(life.verdict(Gate::review_approved));
}

TEST(FinishTest, ARunWithoutCommitsLeavesTheBranchAsItWas) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    const auto before = life.forge_head();
    life.ends(0);
    EXPECT_EQ(life.forge_head(), before);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    EXPECT_EQ(life.count_queued(Role::step), 1);
}

TEST(FinishTest, R11KilledAtAnyBoundaryAndStartedAgainItEndsTheRunOnce) {
    for (const bool with_monitor : {true, false}) {
        for (int n = 1;; ++n) {
            RunLife life;
            const auto claim = life.start(Stage::development);
            const auto before = life.forge_head();
            life.commits({{"hello.cpp", "int main() {}\n"}});
            const auto monitor = life.exited(0);
            const bool killed = killed_at(n, [&] { must(life.finish(monitor)); });
            if (!killed) {
                EXPECT_GT(n, 6) << "record_exit, push and commit have a boundary on either side";
                break;
            }
            const auto at = CrashAt::passed().back();
            SCOPED_TRACE(at + (with_monitor ? ", with MONITOR_*" : ", without"));
            const auto again = with_monitor ? monitor : engine::Monitor{};
            must(life.finish(again));
            must(life.finish(again));
            if (at == "finish.record_exit.before" && !with_monitor) {
                EXPECT_FALSE(life.run(claim.run.id).exit) << "nobody can know how it ended";
                EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
                continue;
            }
            EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
            EXPECT_EQ(life.commits_since(before), 1);
            EXPECT_EQ(life.task().row().head, life.forge_head());
            EXPECT_EQ(life.count_queued(Role::step), 1);
            EXPECT_EQ(life.task().events("run_ended").size(), 1u);
        }
    }
}

TEST(FinishTest, R11AReportIsWrittenOnceHoweverOftenItsFinishIsKilled) {
    for (int n = 1;; ++n) {
        RunLife life;
        life.start(Stage::testing);
        const auto before = life.forge_head();
        const auto monitor = life.exited(1);
        const bool killed = killed_at(n, [&] { must(life.finish(monitor)); });
        if (!killed) return;
        SCOPED_TRACE(CrashAt::passed().back());
        must(life.finish(monitor));
        EXPECT_EQ(life.commits_since(before), 1);
        EXPECT_EQ(life.verdict(Gate::tests_passed)->colour, Colour::red);
        EXPECT_EQ(life.count_queued(Role::step), 1);
    }
}

TEST(FinishTest, ALateFinishPinsItsExitOnNobody) {
    RunLife life;
    const auto first = life.start(Stage::development);
    const auto monitor = life.exited(0);
    life.scene.write([&](store::Tx& tx) -> Status {
        must(store::begin_stopping(tx, first.job.id, first.run.id, "lost"));
        must(store::requeue(tx, first.job.id, first.run.id, due_now(life.scene.now), "lost", life.scene.now));
        return {};
    });
    life.scene.units.is_gone(life.agent());
    life.dispatch();
    const auto second = life.live();
    ASSERT_NE(first.run.id, second.run.id);
    must(life.finish(monitor));
    EXPECT_FALSE(life.run(second.run.id).exit) << "claimed, but not prepared: it has no exit yet";
    EXPECT_EQ(life.job(second.job.id).status, JobStatus::running);
}

TEST(FinishTest, ARunThatPrepareGaveUpOnIsLostWithTheReason) {
    RunLife life;
    life.task().in(Stage::development);
    life.dispatch();
    const auto kept = std::exchange(life.scene.project().forge_path, life.scene.folder / "nowhere.git");
    ASSERT_FALSE(life.prepare());
    life.scene.project().forge_path = kept;
    const auto claim = life.live();
    must(life.finish({"success", "", "", ""}));
    EXPECT_EQ(life.run(claim.run.id).exit->kind, ExitKind::lost);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_TRUE(contains(life.job(claim.job.id).error, "nowhere.git"));
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_TRUE(contains(life.job(claim.job.id).error, "nowhere.git"));
}

TEST(FinishTest, R04ADevelopersFailureAsksTheStageAgainAndKeepsItsWork) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"half", "half"}});
    life.ends(3);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
    EXPECT_EQ(life.forge_file("half"), "half");
    const auto row = life.verdict(Gate::ci_green);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->colour, Colour::red);
    EXPECT_TRUE(row->unusable);
    EXPECT_TRUE(contains(row->reason, "exit status 3"));
    EXPECT_EQ(life.task().row().head, life.forge_head());
    must(life.scene.step("HELLO-1"));
    EXPECT_EQ(life.task().row().retries.again, 1);
    EXPECT_EQ(life.task().row().retries.developer, 0);
}

TEST(FinishTest, R04ADeathBySignalIsNobodysFault) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"half", "half"}});
    must(life.finish({"signal", "killed", "KILL", life.invocation()}));
    EXPECT_EQ(life.run(claim.run.id).exit->kind, ExitKind::killed);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_EQ(life.forge_file("half"), "half") << "what it had committed is kept";
    EXPECT_EQ(life.recover().requeued, 1);
    const auto task = life.task().row();
    EXPECT_EQ(task.retries.infrastructure, 1);
    EXPECT_EQ(task.retries.developer + task.retries.again, 0);
    EXPECT_EQ(task.hold, Hold::none);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
}

TEST(FinishTest, TransientExitsComeAgainAndCountForNothing) {
    RunLife life;
    const auto claim = life.start(Stage::testing);
    life.ends(75);
    life.recover();
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
    EXPECT_EQ(life.task().row().retries.infrastructure, 0);
    EXPECT_FALSE(life.verdict(Gate::tests_passed));
}

TEST(FinishTest, R26ACommandThatIsNotThereIsAnInfraHoldAndNoCodeFailure) {
    for (const int code : {126, 127}) {
        RunLife life;
        const auto claim = life.start(Stage::testing);
        life.ends(code);
        life.recover();
        EXPECT_EQ(life.task().row().hold, Hold::infra);
        EXPECT_FALSE(life.verdict(Gate::tests_passed));
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued) << "it goes on when the hold is released";
        EXPECT_TRUE(life.job(claim.job.id).blocked);
        EXPECT_EQ(must(store::due_posts(life.scene.db, "journal", 10, life.scene.now)).size(), 1u);
    }
}

TEST(FinishTest, TheLastAttemptIsAnInfraHold) {
    RunLife life;
    life.scene.settings.job_max_attempts = 2;
    life.task().in(Stage::testing);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(life.task().row().hold, Hold::none);
        life.scene.pass(1'000'000);
        life.start();
        must(life.finish({"signal", "killed", "KILL", life.invocation()}));
        life.recover();
    }
    EXPECT_EQ(life.task().row().hold, Hold::infra);
    EXPECT_TRUE(contains(life.task().row().hold_reason, "the last of 2 attempts"));
}

TEST(FinishTest, WorkThatFitsIsPutOnTopOfWhatAPersonPushedMeanwhile) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"ours", "ours"}});
    const auto theirs = life.task().commits({{"theirs", "theirs"}});
    life.ends(0);
    EXPECT_EQ(life.forge_file("ours"), "ours");
    EXPECT_EQ(life.forge_file("theirs"), "theirs");
    EXPECT_EQ(life.commits_since(theirs), 1);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    EXPECT_EQ(life.task().row().head, life.forge_head());
}

TEST(FinishTest, WorkThatDoesNotFitAsksTheStageAgainWithTheReason) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"same", "ours"}});
    const auto theirs = life.task().commits({{"same", "theirs"}});
    life.ends(0);
    EXPECT_EQ(life.forge_head(), theirs);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
    const auto row = life.verdict(Gate::ci_green);
    ASSERT_TRUE(row);
    EXPECT_TRUE(row->unusable);
    EXPECT_TRUE(contains(row->reason, "same")) << row->reason;
}

TEST(FinishTest, WorkOnABranchThatAPersonRewroteMeanwhileIsNotPutOnTop) {
    RunLife life;
    life.task().in(Stage::development);
    life.task().commits({{"secret", "removed by a person"}});
    const auto claim = life.start();
    life.commits({{"ours", "ours"}});
    const auto main = life.scene.forge.at("main");
    scene::sh(life.scene.forge.path, "git update-ref refs/heads/task/HELLO-1 " + main);
    life.ends(0);
    EXPECT_EQ(life.forge_head(), main) << "what somebody took away does not come back";
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
    EXPECT_TRUE(contains(life.verdict(Gate::ci_green)->reason, "rewritten"));
}

TEST(FinishTest, ABundleThatIsNoneIsRefusedAndTheStageAskedAgain) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    const auto before = life.forge_head();
    scene::write(life.scene.folder / "left/bundle", "not a bundle");
    life.ends(0);
    EXPECT_EQ(life.forge_head(), before);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
    EXPECT_TRUE(life.verdict(Gate::ci_green)->unusable);
}

TEST(FinishTest, WhatAnEarlierRunLeftIsNotTheWorkOfOneKilledBeforeItBegan) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"theirs", "an earlier run's"}});
    std::filesystem::remove(life.scene.folder / ("left/taken-" + std::to_string(claim.run.id)));
    const auto before = life.forge_head();
    life.ends(0);
    EXPECT_EQ(life.forge_head(), before);
}

TEST(FinishTest, ARunCannotRewriteTheHistoryItWasGiven) {
    RunLife life;
    life.task().in(Stage::development);
    life.task().commits({{"a", "a"}});
    const auto claim = life.start();
    const auto before = life.forge_head();
    const auto clone = life.scene.folder / "clone";
    must(git::make_clone({life.scene.folder / "hello.git", clone, "task/HELLO-1", before}));
    scene::sh(clone, "git commit -q --amend -m rewritten; mkdir -p ../left; git bundle create -q ../left/bundle task/HELLO-1");
    life.ends(0);
    EXPECT_EQ(life.forge_head(), before);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
    EXPECT_TRUE(contains(life.verdict(Gate::ci_green)->reason, "does not build on"));
}

TEST(FinishTest, WorkThatCouldNotBeBroughtInIsTheReasonOfTheEndAndTheRestIsKept) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"work", "x\n"}});
    const auto head = must(engine::read_left(life.scene.folder / "left"))->head;
    life.says({head, {"tool is a repository of its own"}, {"a detached HEAD was taken"}});
    life.ends(0);
    EXPECT_EQ(life.forge_head(), head);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
    EXPECT_TRUE(life.verdict(Gate::ci_green)->unusable);
    EXPECT_TRUE(contains(life.verdict(Gate::ci_green)->reason, "could not be brought in: tool is a repository"));
    ASSERT_EQ(life.task().events("left_behind").size(), 1u);
    EXPECT_TRUE(contains(life.task().events("left_behind").front(), "tool is a repository"));
    EXPECT_EQ(life.task().events("run_told").size(), 1u);
}

TEST(FinishTest, ARunOfWhichNobodySaysWhatItLeftComesAgain) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    std::filesystem::remove(life.scene.folder / "left/left.json");
    life.ends(0);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_FALSE(life.verdict(Gate::ci_green)) << "nobody's fault";
}

TEST(FinishTest, WhatARunThatWasCutShortLeftBehindIsToldToo) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.says({life.spec().commit, {"it was ended before"}, {}});
    must(life.finish({"timeout", "killed", "KILL", life.invocation()}));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_EQ(life.task().events("left_behind").size(), 1u);
}

TEST(FinishTest, CommitsThatAreAnnouncedAndDoNotArriveAreMissed) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"work", "x\n"}});
    std::filesystem::remove(life.scene.folder / "left/bundle");
    life.ends(0);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
    EXPECT_TRUE(contains(life.verdict(Gate::ci_green)->reason, "did not arrive"));
}

TEST(FinishTest, AWordOnWhatWasLeftThatCannotBeReadIsAReasonToo) {
    for (const auto* text : {"", "[]", "{\"head\": \"--upload-pack=x\"}", "{\"head\": "}) {
        RunLife life;
        const auto claim = life.start(Stage::development);
        scene::write(life.scene.folder / "left/left.json", text);
        life.ends(0);
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed) << text;
    }
}

TEST(FinishTest, UsageThatIsNoJsonObjectIsLeftOut) {
    for (const auto* text : {"[1]", "{", "12"}) {
        RunLife life;
        const auto claim = life.start(Stage::development);
        life.leaves("usage.json", text);
        life.ends(0);
        EXPECT_EQ(life.run(claim.run.id).usage, "") << text;
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    }
}

TEST(FinishTest, AJobThatIsBeingStoppedIsLeftToRecovery) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.leaves("usage.json", R"({"tokens": 7})");
    const auto monitor = life.exited(0);
    life.scene.write([&](store::Tx& tx) { return store::begin_stopping(tx, claim.job.id, claim.run.id, "cancelled"); });
    must(life.finish(monitor));
    EXPECT_EQ(life.run(claim.run.id).exit->kind, ExitKind::exited) << "its exit is on record all the same";
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_EQ(life.run(claim.run.id).usage, R"({"tokens": 7})") << "it cost what it cost";
    EXPECT_EQ(life.count_queued(Role::step), 0);
}

TEST(FinishTest, TheLateFinishOfAnEarlierRunTakesNoUsageOfTheNext) {
    RunLife life;
    const auto first = life.start(Stage::development);
    const auto late = life.exited(0);
    life.scene.write([&](store::Tx& tx) { return store::begin_stopping(tx, first.job.id, first.run.id, "by hand"); });
    life.scene.units.is_gone(life.agent());
    life.recover();
    life.scene.pass(life.scene.settings.backoff_cap_s * 1000);
    const auto second = life.start();
    life.leaves("usage.json", R"({"tokens": 7})");
    ASSERT_NE(first.run.id, second.run.id);
    must(life.finish(late));
    EXPECT_EQ(life.run(first.run.id).usage, "");
}

RunLife* cancelled_life = nullptr;

TEST(FinishTest, AJobThatIsCancelledInTheLastMomentIsNotEndedAsDone) {
    RunLife life;
    const auto claim = life.start(Stage::review);
    life.commits({{life.artefact(Artefact::review), "---\nverdict: APPROVED\n---\n"}});
    const auto monitor = life.exited(0);
    cancelled_life = &life;
    set_boundary_hook([](std::string_view name) {
        if (name != "finish.commit.before") return;
        const auto live = cancelled_life->live();
        auto& scene = cancelled_life->scene;
        scene.write([&](store::Tx& tx) { return store::begin_stopping(tx, live.job.id, live.run.id, "cancelled"); });
    });
    const auto finished = life.finish(monitor);
    set_boundary_hook(nullptr);
    must(finished);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_FALSE(life.verdict(Gate::review_approved));
    EXPECT_EQ(life.count_queued(Role::step), 0);
}

TEST(FinishTest, AForgeThatDoesNotAnswerIsTriedAgain) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"x", "x"}});
    const auto monitor = life.exited(0);
    life.scene.watch.refuses = Error{Errc::unavailable, "git push took more than 300 s"};
    must(life.finish(monitor));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    EXPECT_TRUE(life.run(claim.run.id).exit) << "the exit comes before everything that can fail";
    life.scene.watch.refuses = {};
    must(life.finish({}));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    EXPECT_EQ(life.forge_file("x"), "x");
}

}  // namespace
}  // namespace orchd::support
