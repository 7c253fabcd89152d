// R01, R04, R05: the one path that performs transitions, stage by stage.
#include "engine/advance_fixture.h"

namespace orchd::engine {
namespace {

TEST_F(Advance, R01_TakesATaskThroughEveryStageToDone) {
    task().in(Stage::analysis);
    work_and_step(Role::analyst);
    EXPECT_EQ(task().row().waiting_for, "check_analysis_approved");
    auto operator_ = scene.world("control");
    must(approve(operator_, "HELLO-1", "uid:1000 alice"));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::architecture);
    work_and_step(Role::architect);
    EXPECT_EQ(task().stage(), Stage::development);
    work_and_step(Role::developer);
    EXPECT_EQ(task().stage(), Stage::development) << "CI comes first";
    work_and_step(Role::ci);
    EXPECT_EQ(task().stage(), Stage::review);
    work_and_step(Role::reviewer);
    EXPECT_EQ(task().stage(), Stage::testing);
    work_and_step(Role::test);
    EXPECT_EQ(task().stage(), Stage::deploy_staging);
    must(scene.step("HELLO-1"));  // takes the staging target
    work_and_step(Role::staging);
    EXPECT_EQ(task().stage(), Stage::deploy_staging) << "the re-test comes first";
    EXPECT_NE(scene.forge.at("main"), task().row().head);
    work_and_step(Role::retest);
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(scene.forge.at("main"), task().row().merged);
    must(scene.step("HELLO-1"));  // takes the production target
    work_and_step(Role::build);
    work_and_step(Role::deploy);
    EXPECT_EQ(task().stage(), Stage::done);

    EXPECT_EQ(task().row().stage_seq, 8);
    for (const auto& [seq, kind] : {std::pair{6, "rebase"}, {6, "merge"}, {7, "deploy"}}) {
        const auto effect = must(store::find_effect(scene.db, store::effect_key(task().row().id, seq, 1, kind)));
        ASSERT_TRUE(effect) << kind;
        EXPECT_EQ(effect->state, EffectState::done) << kind;
    }
    EXPECT_EQ(task().events("stage_changed").size(), 7u);
    EXPECT_EQ(task().events("merged").size(), 1u);
    EXPECT_EQ(scene.watch.merges, 1);
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty());
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::target)).empty());
    EXPECT_TRUE(must(store::held_transitions(scene.db)).empty());
    scene.claim();
    EXPECT_TRUE(scene.running.empty()) << "nothing is left over";
}

TEST_F(Advance, R06_AProjectWithNothingConfiguredMovesOnAndSaysSo) {
    scene.without({Role::ci, Role::test, Role::staging, Role::build});
    task().in(Stage::development);
    work_and_step(Role::developer);
    work_and_step(Role::reviewer);
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_EQ(scene.forge.at("main"), task().row().merged);
    const auto answers = task().events("gate_answered");
    for (const char* gate : {"check_ci_green", "check_tests_passed", "check_staging_status", "check_deploy_status"}) {
        EXPECT_TRUE(std::ranges::any_of(answers, [&](const auto& a) {
            return a.find(gate) != std::string::npos && a.find("not configured") != std::string::npos;
        })) << gate;
    }
}

TEST_F(Advance, R05_AsksForAnApprovalOnceHoweverOftenItLooks) {
    task().in(Stage::analysis);
    work_and_step(Role::analyst);
    auto world = scene.world();
    for (int i = 0; i < 3; ++i) {
        scene.write([&](store::Tx& tx) { return ask_advance(world, tx, task().row()); });
        must(scene.step("HELLO-1"));
    }
    const auto asked = posts("orchctl task approve HELLO-1");
    EXPECT_EQ(asked.size(), 1u);
    EXPECT_EQ(task().events("waiting").size(), 1u);
    EXPECT_EQ(task().stage(), Stage::analysis);
}

TEST_F(Advance, R05_ARejectedAnalysisIsWorkedAgainWithTheReason) {
    task().in(Stage::analysis);
    work_and_step(Role::analyst);
    auto world = scene.world("control");
    must(reject(world, "HELLO-1", "too vague", "uid:1000 alice"));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::analysis);
    EXPECT_EQ(task().row().stage_seq, 2);
    EXPECT_EQ(task().row().again_reason, "too vague");
    EXPECT_EQ(task().row().retries.again, 1);
    EXPECT_TRUE(scene.runs("HELLO-1", Role::analyst));
}

TEST_F(Advance, R04_ARunThatFailedIsAskedAgainUntilTheCapThenEscalated) {
    task().in(Stage::development);
    for (int i = 1; i <= 3; ++i) {
        scene.fail("HELLO-1", Role::developer, "ended with exit status 3");
        must(scene.step("HELLO-1"));
        EXPECT_EQ(task().row().retries.again, i);
        EXPECT_EQ(task().row().again_reason, "ended with exit status 3");
    }
    scene.fail("HELLO-1", Role::developer, "ended with exit status 3");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().row().hold, Hold::escalated);
    EXPECT_EQ(task().row().retries.developer, 0);
    EXPECT_EQ(posts("orchctl task retry HELLO-1").size(), 1u);
}

TEST_F(Advance, R04_ARedReviewGoesBackToDevelopmentAndTheFourthIsEscalated) {
    task().in(Stage::review);
    for (int i = 1; i <= 3; ++i) {
        scene.fail("HELLO-1", Role::reviewer, "a defect");
        must(scene.step("HELLO-1"));
        EXPECT_EQ(task().stage(), Stage::development);
        EXPECT_EQ(task().row().retries.developer, i);
        EXPECT_EQ(task().row().again_reason, "a defect");
        work_and_step(Role::developer);
        work_and_step(Role::ci);
    }
    scene.fail("HELLO-1", Role::reviewer, "a defect");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
    EXPECT_EQ(task().row().hold, Hold::escalated);

    auto world = scene.world("control");
    must(retry(world, "HELLO-1", "uid:1000 alice"));
    EXPECT_EQ(task().row().hold, Hold::none);
    EXPECT_EQ(task().row().retries.developer, 0);
    EXPECT_TRUE(scene.runs("HELLO-1", Role::reviewer));
}

TEST_F(Advance, R04_AHeldTaskDoesNotMove) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    scene.claim();  // the advance is running when the hold comes
    scene.write([&](store::Tx& tx) { return store::set_hold(tx, task().row().id, Hold::human, "wait", scene.now); });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
    auto world = scene.world("control");
    must(release_hold(world, "HELLO-1", "uid:1000 alice"));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
}

TEST_F(Advance, R16_APausedTaskDoesNotMoveAndNothingAskedIsLost) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    scene.claim();
    scene.write([&](store::Tx& tx) { return store::pause_task(tx, task().row().id, "alice", "lunch", scene.now); });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
    scene.claim();
    EXPECT_TRUE(scene.running.empty());
    scene.write([&](store::Tx& tx) { return store::resume_task(tx, task().row().id, scene.now); });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
}

TEST_F(Advance, EndsWhileARunOfTheTaskIsLive) {
    task().in(Stage::review);
    EXPECT_TRUE(scene.runs("HELLO-1", Role::reviewer));
    task().verdict(Gate::review_approved, Colour::green);
    auto world = scene.world();
    scene.write([&](store::Tx& tx) { return ask_advance(world, tx, task().row()); });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
}

TEST_F(Advance, R03_AVerdictOfAnEarlierStageNumberIsIgnored) {
    task().in(Stage::review);
    scene.fail("HELLO-1", Role::reviewer, "a defect");
    must(scene.step("HELLO-1"));
    task().verdict(Gate::review_approved, Colour::green);  // somebody approves while it stands in development
    work_and_step(Role::developer);
    work_and_step(Role::ci);
    EXPECT_EQ(task().stage(), Stage::review);
    EXPECT_TRUE(scene.runs("HELLO-1", Role::reviewer)) << "the review is worked anew";
}

TEST_F(Advance, R03_AVerdictForOtherCodeIsWorkedAgain) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    task().commits({{"late.cpp", "int late;\n"}});
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::review);
    EXPECT_EQ(task().row().stage_seq, 5);
    EXPECT_EQ(task().row().retries.again, 1);
    EXPECT_NE(task().row().again_reason.find("the code changed"), std::string::npos);
}

TEST_F(Advance, WorksAStageWhoseRunWasLostBeforeAskingItsGate) {
    task().in(Stage::architecture);
    task().writes("11-architecture.md", "status: READY");  // of an earlier round, say
    scene.claim();
    const auto run = scene.running.back();
    scene.running.clear();
    auto world = scene.world();
    scene.write([&](store::Tx& tx) -> Status {
        must(store::finish_job(tx, run.job.id, run.run.id, JobStatus::failed, "lost too often", "", scene.now));
        return ask_advance(world, tx, task().row());
    });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::architecture);
    EXPECT_TRUE(scene.runs("HELLO-1", Role::architect));
}

TEST_F(Advance, R04_ARedDeployIsHeldForAPerson) {
    task().in(Stage::deploy);
    scene.write([&](store::Tx& tx) { return store::set_merged(tx, task().row().id, scene.forge.at("main"), scene.now); });
    must(scene.step("HELLO-1"));
    work_and_step(Role::build);
    const auto effect = [&] { return must(store::find_effect(scene.db, store::effect_key(task().row().id, 7, 1, "deploy"))); };
    EXPECT_EQ(effect()->state, EffectState::intended) << "R14";
    scene.fail("HELLO-1", Role::deploy, "failed and rolled back");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(task().row().hold, Hold::human);
    EXPECT_EQ(task().row().hold_reason, "failed and rolled back");
    EXPECT_EQ(effect()->state, EffectState::abandoned);
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::target)).empty());
    auto world = scene.world("control");
    must(retry(world, "HELLO-1", "uid:1000 alice"));
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
}

TEST_F(Advance, DoneOnlyAfterTheForgeConfirms) {
    const auto elsewhere =
        scene.forge.commit("git checkout -q --orphan elsewhere; git commit -qm other; git push -q origin elsewhere");
    task().in(Stage::deploy);
    scene.without({Role::build});
    scene.write([&](store::Tx& tx) { return store::set_merged(tx, task().row().id, elsewhere, scene.now); });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(task().row().hold, Hold::human);
}

TEST_F(Advance, R40_AForgeThatCannotBeReachedIsTriedAgainThenHeld) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    // Git says nothing of this that time could not mend.
    scene::sh(scene.forge.path, "touch packed-refs; cp packed-refs kept; echo half a line >>packed-refs");
    for (int attempt = 1; attempt <= scene.settings.job_max_attempts; ++attempt) {
        EXPECT_EQ(task().row().hold, Hold::none);
        must(scene.step("HELLO-1"));
        scene.pass(scene.settings.backoff_cap_s * 1000);
    }
    EXPECT_EQ(task().row().hold, Hold::infra);
    scene::sh(scene.forge.path, "mv kept packed-refs");
    auto world = scene.world("control");
    must(release_hold(world, "HELLO-1", "uid:1000 alice"));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
}

TEST_F(Advance, R40_AForgeThatIsNoRepositoryIsHeldAtOnce) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    scene::sh(scene.folder.path(), "mv forge.git gone.git");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().row().hold, Hold::infra);
    EXPECT_NE(task().row().hold_reason.find("is no bare repository"), std::string::npos) << task().row().hold_reason;
    scene::sh(scene.folder.path(), "mv gone.git forge.git");
    auto world = scene.world("control");
    must(release_hold(world, "HELLO-1", "uid:1000 alice"));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
}

TEST_F(Advance, WithoutADueJobItDoesNothing) {
    task().in(Stage::review);
    auto world = scene.world();
    EXPECT_TRUE(advance(world, "HELLO-1", {"orchd-step@HELLO-1.service", "x", "boot-1", 1}));
    EXPECT_EQ(advance(world, "HELLO-9", {}).error().code, Errc::no_such);
    EXPECT_EQ(task().stage(), Stage::review);
}

// From `from` to done, killed at the n-th boundary of a step; the boundary's name, empty if there was no such boundary.
std::string killed_on_the_way(support::Scene& scene, Stage from, int n) {
    auto task = scene.task("HELLO-1");
    task.in(from);
    scene.write([&](store::Tx& tx) { return store::set_merged(tx, task.row().id, scene.forge.at("main"), scene.now); });
    {
        support::CrashAt crash(n);
        try {
            scene.settle();
            return {};
        } catch (const support::Crashed&) {
        }
    }
    const std::string where = support::CrashAt::passed().back();
    scene.units.table.clear();
    scene.recover("HELLO-1");
    scene.settle();
    return where;
}

TEST(AdvanceKilled, R11_AtEveryBoundaryItComesToTheSameEnd) {
    int killed = 0;
    for (int n = 1;; ++n) {
        support::Scene scene;
        scene.without({Role::ci, Role::test, Role::staging});
        const auto where = killed_on_the_way(scene, Stage::deploy, n);
        auto task = scene.task("HELLO-1");
        ASSERT_EQ(task.stage(), Stage::done) << where;
        EXPECT_EQ(task.row().stage_seq, 8) << where;
        EXPECT_EQ(task.events("stage_changed").size(), 1u) << where;
        EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::target)).empty()) << where;
        EXPECT_TRUE(must(store::held_transitions(scene.db)).empty()) << where;
        std::map<Role, int> ended;
        for (const auto& claim : must(store::list_jobs(scene.db, {.work_item = "HELLO-1"}))) ++ended[claim.job.role];
        EXPECT_EQ(ended[Role::build], 1) << where;
        EXPECT_EQ(ended[Role::deploy], 1) << where;
        if (where.empty()) break;
        ++killed;
    }
    EXPECT_GE(killed, 12);
}

TEST_F(Advance, ABranchDeletedInAnyStageIsPutBackAsItWasLastWorkedOn) {
    for (const Stage stage : {Stage::analysis, Stage::development, Stage::review, Stage::testing}) {
        const auto item = "HELLO-" + std::to_string(static_cast<int>(stage) + 10);
        task(item).in(stage);
        const auto head = task(item).commits({{item, "work"}});
        auto mirror = must(scene.world().open_mirror(scene.project()));
        must(mirror->fetch(scene.forge.path));
        must(mirror->set_head("task/" + item, head, ""));
        scene::sh(scene.forge.path, "git update-ref -d refs/heads/task/" + item);
        scene.write([&](store::Tx& tx) {
            auto world = scene.world();
            return ask_advance(world, tx, task(item).row());
        });
        scene.running.clear();
        const auto job = must(store::live_run_job(scene.db, task(item).row().id));
        if (job && job->status == JobStatus::queued)
            must(scene.db.write([&](store::Tx& tx) { return store::cancel_queued(tx, job->id, "a test", scene.now); }));
        must(scene.step(item));
        EXPECT_EQ(scene.forge.at("task/" + item), head) << to_text(stage);
    }
}

TEST_F(Advance, ATargetThatIsNotThereIsHeldSayingSo) {
    task().in(Stage::deploy_staging);
    task().commits({{"x", "x"}});
    scene::sh(scene.forge.path, "git update-ref -d refs/heads/main");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().row().hold, Hold::infra);
    EXPECT_NE(task().row().hold_reason.find("no branch main"), std::string::npos) << task().row().hold_reason;
}

}  // namespace
}  // namespace orchd::engine
