// R04, R05, R09, R16, R25: what people do to tasks, jobs and the queue.
#include "engine/operate.h"

#include <algorithm>
#include <set>

#include "engine/leases.h"
#include "engine/why.h"
#include "run_life.h"

namespace orchd::support {
namespace {

constexpr const char* ann = "uid:1000 ann";

class OperateTest : public testing::Test {
protected:
    RunLife life;
    Scene& scene = life.scene;
    engine::World control = scene.world("control");

    Errc refused(const Status& status) { return status ? Errc::internal : status.error().code; }
    // The task waits for the approval of its analysis.
    void await_approval() {
        life.start(Stage::analysis);
        life.commits({{life.artefact(Artefact::analysis), "---\nstatus: READY\n---\n"}});
        life.ends(0);
        must(scene.step("HELLO-1"));
        ASSERT_EQ(life.task().row().waiting_for, "check_analysis_approved");
    }
    void hold(Hold hold) {
        const auto task = life.task().row();
        scene.write([&](store::Tx& tx) -> Status {
            must(store::set_retries(tx, task.id, {.developer = 3, .again = 2}, scene.now));
            return store::set_hold(tx, task.id, hold, "the reason", scene.now);
        });
    }
    void cancel_queued_jobs() {
        for (const auto& claim : life.queued())
            scene.write([&](store::Tx& tx) { return store::cancel_queued(tx, claim.job.id, "", scene.now); });
    }
};

TEST_F(OperateTest, CreatesATaskAtAnalysisWithItsFirstJob) {
    const auto task = must(engine::create_task(control, {"hello", "HELLO-1", "A title", "A body", 7}, ann));
    EXPECT_EQ(task.stage, Stage::analysis);
    EXPECT_EQ(task.branch, "task/HELLO-1");
    const auto jobs = life.queued();
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_EQ(jobs[0].job.role, Role::analyst);
    EXPECT_EQ(jobs[0].job.priority, 7);
    EXPECT_EQ(life.task().events("task_created").size(), 1u);
}

TEST_F(OperateTest, R07EveryJobOfATaskHasItsPriority) {
    must(engine::create_task(control, {"hello", "HELLO-1", "A title", "A body", 8}, ann));
    life.task().commits({});
    scene.work("HELLO-1", Role::analyst);
    must(scene.step("HELLO-1"));
    must(engine::approve(control, "HELLO-1", ann));
    scene.settle();
    must(engine::create_task(control, {"hello", "HELLO-2", "A title", "A body", 2}, ann));
    must(engine::retry(control, "HELLO-2", ann));
    EXPECT_EQ(life.task().stage(), Stage::done);
    std::set<Role> roles;
    for (const auto& claim : must(store::list_jobs(scene.db, {}))) {
        EXPECT_EQ(claim.job.priority, claim.work_item == "HELLO-1" ? 8 : 2) << to_text(claim.job.role);
        roles.insert(claim.job.role);
    }
    EXPECT_EQ(roles.size(), enum_text<Role>.size() - 1) << "all but the tester worked";
}

TEST_F(OperateTest, R25ASecondCreationIsAConflictAndMakesNothing) {
    must(engine::create_task(control, {"hello", "HELLO-1", "A title", "", 5}, ann));
    EXPECT_EQ(engine::create_task(control, {"hello", "HELLO-1", "Another", "", 5}, ann).error().code, Errc::conflict);
    EXPECT_EQ(life.queued().size(), 1u);
}

TEST_F(OperateTest, RefusesWhatIsNoWorkItemOfTheProject) {
    const auto code = [&](const engine::TaskRequest& r) { return engine::create_task(control, r, ann).error().code; };
    EXPECT_EQ(code({"nowhere", "HELLO-1", "t", "", 5}), Errc::no_such);
    for (const auto* item : {"OTHER-1", "HELLO", "hello-1", "HELLO-1x", "../HELLO-1", "$(id)-1", "HELLO-1\n", ""})
        EXPECT_EQ(code({"hello", item, "t", "", 5}), Errc::invalid_argument) << item;
    EXPECT_EQ(code({"hello", "HELLO-1", "two\nlines", "", 5}), Errc::invalid_argument);
    EXPECT_EQ(code({"hello", "HELLO-1", "esc\x1b[1m", "", 5}), Errc::invalid_argument);
    EXPECT_EQ(code({"hello", "HELLO-1", "t", "", 10}), Errc::invalid_argument);
}

TEST_F(OperateTest, R05AnApprovalIsRecordedWithWhoAndForWhichCodeOnce) {
    await_approval();
    must(engine::approve(control, "HELLO-1", ann));
    must(engine::approve(control, "HELLO-1", ann));
    const auto rows = must(store::list_verdicts(scene.db, life.task().row().id));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].gate, Gate::analysis_approved);
    EXPECT_EQ(rows[0].colour, Colour::green);
    EXPECT_EQ(rows[0].by, ann);
    EXPECT_EQ(rows[0].commit, life.forge_head());
    EXPECT_TRUE(rows[0].patch_id.empty()) << "the step that asks the gate works it out: nobody here waits for git";
    EXPECT_EQ(life.count_queued(Role::step), 1);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(life.task().stage(), Stage::architecture);
    EXPECT_EQ(refused(engine::approve(control, "HELLO-1", ann)), Errc::conflict) << "its gate is closed by now";
}

TEST_F(OperateTest, R05AnApprovalIsForWhatSomebodyElsePushedMeanwhileOnceItWasLookedAt) {
    await_approval();
    scene.forge.commit(
        "git fetch -q; git checkout -q -B theirs origin/task/HELLO-1; echo x >theirs.cpp; git add -A;"
        " git commit -qm theirs; git push -q origin theirs:task/HELLO-1");
    must(engine::approve(control, "HELLO-1", ann));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(life.task().stage(), Stage::analysis) << "approved was what stood there before";
    must(engine::approve(control, "HELLO-1", ann));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(life.task().stage(), Stage::architecture);
}

TEST_F(OperateTest, R05ARejectionRunsTheAnalystAgainWithTheReason) {
    await_approval();
    must(engine::reject(control, "HELLO-1", "too vague", ann));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(life.task().stage(), Stage::analysis);
    EXPECT_EQ(life.task().row().again_reason, "too vague");
    EXPECT_EQ(life.count_queued(Role::analyst), 1);
}

TEST_F(OperateTest, R05WithoutAnOpenHumanGateAVerdictIsAConflict) {
    EXPECT_EQ(refused(engine::approve(control, "HELLO-1", ann)), Errc::no_such);
    life.task().in(Stage::analysis);
    EXPECT_EQ(refused(engine::approve(control, "HELLO-1", ann)), Errc::conflict) << "the analyst has not worked yet";
    EXPECT_EQ(refused(engine::reject(control, "HELLO-1", "no", ann)), Errc::conflict);
    EXPECT_TRUE(must(store::list_verdicts(scene.db, life.task().row().id)).empty());
}

TEST_F(OperateTest, R05AHeldTaskHasNoOpenGate) {
    await_approval();
    hold(Hold::infra);
    EXPECT_EQ(refused(engine::approve(control, "HELLO-1", ann)), Errc::conflict);
}

TEST_F(OperateTest, R04RetryClearsHoldAndCountersAndWorksTheStageAgain) {
    life.task().in(Stage::review);
    cancel_queued_jobs();
    hold(Hold::escalated);
    const auto before = life.task().row();
    must(engine::retry(control, "HELLO-1", ann));
    const auto task = life.task().row();
    EXPECT_EQ(task.hold, Hold::none);
    EXPECT_EQ(task.retries.developer + task.retries.again, 0);
    EXPECT_EQ(task.stage, Stage::review);
    EXPECT_EQ(task.stage_seq, before.stage_seq + 1) << "what was said of the stage so far counts no more";
    EXPECT_EQ(task.again_reason, "the reason");
    EXPECT_EQ(life.count_queued(Role::reviewer), 1);
}

TEST_F(OperateTest, APersonSendsATaskBackFromAnyStageAndTheNextRunReadsWhy) {
    for (const Stage from :
         {Stage::analysis, Stage::architecture, Stage::development, Stage::review, Stage::testing, Stage::deploy_staging}) {
        for (const Stage to : {Stage::analysis, Stage::architecture, Stage::development, Stage::review, Stage::testing}) {
            SCOPED_TRACE(std::string(to_text(from)) + " to " + std::string(to_text(to)));
            RunLife here;
            auto world = here.scene.world("control");
            here.task().in(from);
            const auto seq = here.task().row().stage_seq;
            const auto sent = engine::send_back(world, "HELLO-1", to, "it greets nobody", ann);
            if (to > from) {
                EXPECT_EQ(refused(sent), Errc::invalid_argument);
                EXPECT_EQ(here.task().row().stage_seq, seq);
                continue;
            }
            must(sent);
            EXPECT_EQ(here.task().stage(), to);
            EXPECT_EQ(here.task().row().stage_seq, seq + 1) << "what was said of the stage so far counts no more";
            if (to == Stage::testing) continue;  // a check reads no prompt
            here.start();
            const auto prompt = scene::read(here.scene.folder / "runs/HELLO-1/prompt.md");
            EXPECT_NE(prompt.find("by uid:1000 ann: it greets nobody"), std::string::npos) << prompt;
        }
    }
}

TEST_F(OperateTest, SendingBackIsAPersonsWordItClearsHoldAndCounters) {
    life.task().in(Stage::review);
    hold(Hold::escalated);
    must(engine::send_back(control, "HELLO-1", Stage::development, "look at the tests", ann));
    const auto task = life.task().row();
    EXPECT_EQ(task.hold, Hold::none);
    EXPECT_EQ(task.retries.developer + task.retries.again, 0);
    EXPECT_EQ(life.count_queued(Role::reviewer), 0);
    EXPECT_EQ(life.count_queued(Role::developer), 1);
    EXPECT_NE(life.task().events("stage_changed").back().find("look at the tests"), std::string::npos);
    const auto view = engine::view_of(control);
    const auto why = engine::why(task, must(engine::look_around(view, task)), must(engine::look_at_host(view)));
    EXPECT_NE(why.text.find("It is worked again: sent back from review by uid:1000 ann: look at the tests"), std::string::npos)
        << why.text;
}

TEST_F(OperateTest, ATaskIsNotSentBackUnderARunOrAStepOfIt) {
    life.start(Stage::review);
    const auto sent = engine::send_back(control, "HELLO-1", Stage::development, "no", ann);
    EXPECT_EQ(refused(sent), Errc::conflict);
    EXPECT_NE(sent.error().text.find("orchctl job cancel"), std::string::npos) << "it says what to do first";
    EXPECT_EQ(life.live().job.status, JobStatus::running);
    must(engine::cancel_job(control, life.live().job.id, ann));
    EXPECT_EQ(refused(engine::send_back(control, "HELLO-1", Stage::development, "no", ann)), Errc::conflict)
        << "its unit may still be at work";
    life.recover();
    must(engine::send_back(control, "HELLO-1", Stage::development, "no", ann));
    EXPECT_EQ(life.task().row().hold, Hold::none);

    scene.task("HELLO-2").in(Stage::deploy_staging);
    scene.claim();
    ASSERT_TRUE(must(store::running_advance(scene.db, scene.task("HELLO-2").row().id)));
    EXPECT_EQ(refused(engine::send_back(control, "HELLO-2", Stage::development, "no", ann)), Errc::conflict)
        << "it may be merging";
}

TEST_F(OperateTest, WhatIsMergedOrMayBeDoesNotGoBackBeforeThat) {
    life.task().in(Stage::deploy_staging);
    const auto task = life.task().row();
    const auto key = store::effect_key(task.id, task.stage_seq, 1, "merge");
    scene.write([&](store::Tx& tx) -> Status {
        must(store::intend(tx, key, task.id, life.forge_head(), 0, scene.now));
        for (const auto& claim : life.queued()) must(store::cancel_queued(tx, claim.job.id, "", scene.now));
        return store::set_hold(tx, task.id, Hold::human, "the forge does not say", scene.now);
    });
    const auto sent = engine::send_back(control, "HELLO-1", Stage::development, "no", ann);
    EXPECT_EQ(refused(sent), Errc::conflict);
    EXPECT_NE(sent.error().text.find("`orchctl task retry HELLO-1`"), std::string::npos) << sent.error().text;
    EXPECT_EQ(life.task().row().hold, Hold::human) << "a refused operation changes nothing";
    scene.write([&](store::Tx& tx) { return store::settle(tx, key, EffectState::done, life.forge_head(), 0, scene.now); });
    EXPECT_EQ(refused(engine::send_back(control, "HELLO-1", Stage::development, "no", ann)), Errc::conflict);

    scene.task("HELLO-2").in(Stage::deploy);
    for (const auto stage : {Stage::analysis, Stage::development, Stage::deploy_staging})
        EXPECT_EQ(refused(engine::send_back(control, "HELLO-2", stage, "no", ann)), Errc::conflict) << to_text(stage);
    must(engine::send_back(control, "HELLO-2", Stage::deploy, "once more", ann));
    must(engine::cancel(control, "HELLO-2", "", ann));
    EXPECT_EQ(refused(engine::send_back(control, "HELLO-2", Stage::analysis, "no", ann)), Errc::conflict);
}

TEST_F(OperateTest, WhatIsToBeDoneIsSaidAnewForTheRunsThatBegin) {
    life.task().in(Stage::development);
    must(engine::edit_task(control, "HELLO-1", {.title = "Greet by name", .body = "In Latin.", .priority = 9}, ann));
    EXPECT_EQ(life.task().row().title, "Greet by name");
    EXPECT_EQ(life.queued().at(0).job.priority, 9);
    life.start();
    const auto prompt = scene::read(scene.folder / "runs/HELLO-1/prompt.md");
    EXPECT_NE(prompt.find("Greet by name\n\nIn Latin."), std::string::npos) << prompt;
    must(engine::edit_task(control, "HELLO-1", {.body = ""}, ann));
    EXPECT_EQ(life.task().row().title, "Greet by name") << "what was not named stays";
    EXPECT_EQ(life.task().row().body, "");
    EXPECT_EQ(life.live().job.priority, 9);
    EXPECT_EQ(life.task().events("task_edited").size(), 2u);
    for (const auto& edit :
         {engine::TaskEdit{}, {.title = " "}, {.title = "two\nlines"}, {.body = std::string("a\0b", 3)}, {.priority = 10}})
        EXPECT_EQ(refused(engine::edit_task(control, "HELLO-1", edit, ann)), Errc::invalid_argument);
    EXPECT_EQ(life.task().events("task_edited").size(), 2u);
    EXPECT_EQ(refused(engine::edit_task(control, "HELLO-9", {.body = "x"}, ann)), Errc::no_such);
}

TEST_F(OperateTest, R25OneNumberIsOneWorkItemHoweverItIsWritten) {
    must(engine::create_task(control, {"hello", "HELLO-07", "A title", "", 5}, ann));
    for (const auto* item : {"HELLO-7", "HELLO-007", "HELLO-0000000007"}) {
        const auto made = engine::create_task(control, {"hello", item, "Another", "", 5}, ann);
        ASSERT_FALSE(made) << item;
        EXPECT_EQ(made.error().code, Errc::conflict);
        EXPECT_NE(made.error().text.find("as HELLO-07"), std::string::npos) << made.error().text;
    }
    must(engine::pause(control, "task:HELLO-7", "lunch", ann));
    EXPECT_TRUE(scene.task("HELLO-07").row().paused_at);
    must(engine::cancel(control, "HELLO-007", "no", ann));
    EXPECT_EQ(scene.task("HELLO-07").stage(), Stage::cancelled);
    EXPECT_EQ(refused(engine::retry(control, "HELLO-70", ann)), Errc::no_such);
}

TEST_F(OperateTest, RetryReplacesAJobThatWaitsAndRefusesWhileARunIsAtWork) {
    life.task().in(Stage::review);
    const auto waiting = life.queued().at(0).job.id;
    must(engine::retry(control, "HELLO-1", ann));
    EXPECT_EQ(life.job(waiting).status, JobStatus::cancelled);
    life.start();
    EXPECT_EQ(refused(engine::retry(control, "HELLO-1", ann)), Errc::conflict);
    EXPECT_EQ(life.live().job.status, JobStatus::running);
}

TEST_F(OperateTest, R13NothingWritesAStageInTheMiddleOfATransition) {
    life.task().in(Stage::deploy);
    life.dispatch();
    const auto step = must(store::live_jobs(scene.db)).at(0);
    const auto task = life.task().row();
    const store::LeaseOwner owner{step.run.unit, "step", scene.now.boot_id, 17};
    scene.write([&](store::Tx& tx) -> Status {
        must(store::acquire_transition(tx, task.id, owner, step.run.id, task.stage, {}, scene.now));
        return {};
    });
    EXPECT_EQ(refused(engine::retry(control, "HELLO-1", ann)), Errc::conflict);
    EXPECT_EQ(refused(engine::cancel(control, "HELLO-1", "", ann)), Errc::conflict);
    EXPECT_EQ(life.task().row().stage_seq, task.stage_seq);
    EXPECT_EQ(life.task().row().stage, Stage::deploy);
    EXPECT_TRUE(life.queued().empty()) << "a refused operation changes nothing";
}

TEST_F(OperateTest, R04ReleaseHoldClearsTheHoldOnly) {
    life.task().in(Stage::review);
    EXPECT_EQ(refused(engine::release_hold(control, "HELLO-1", ann)), Errc::conflict);
    hold(Hold::infra);
    must(engine::release_hold(control, "HELLO-1", ann));
    EXPECT_EQ(life.task().row().hold, Hold::none);
    EXPECT_EQ(life.task().row().retries.developer, 3);
    EXPECT_EQ(life.count_queued(Role::step), 1);
}

TEST_F(OperateTest, CancelEndsATaskThatOnlyWaits) {
    life.task().in(Stage::review);
    must(engine::cancel(control, "HELLO-1", "not wanted", ann));
    EXPECT_EQ(life.task().stage(), Stage::cancelled);
    EXPECT_TRUE(life.queued().empty());
    EXPECT_EQ(refused(engine::cancel(control, "HELLO-1", "", ann)), Errc::conflict);
}

TEST_F(OperateTest, R15WhoWaitsForATaskThatIsCancelledIsHeldAndSaidSo) {
    life.task().in(Stage::review);
    scene.task("HELLO-2").in(Stage::review);
    must(engine::add_dependency(control, "HELLO-2", "HELLO-1", ann));
    must(engine::cancel(control, "HELLO-1", "not wanted", ann));
    const auto waiting = [&] { return scene.task("HELLO-2").row(); };
    EXPECT_EQ(waiting().hold, Hold::blocked);
    EXPECT_NE(waiting().hold_reason.find("orchctl dep remove HELLO-2 HELLO-1"), std::string::npos) << waiting().hold_reason;
    const auto told = must(store::due_posts(scene.db, "journal", 100, scene.now));
    EXPECT_TRUE(std::any_of(told.begin(), told.end(), [](const auto& post) {
        return post.dedup_key.starts_with("HELLO-2/") && post.dedup_key.find("needs-you") != std::string::npos;
    }));
    EXPECT_EQ(refused(engine::release_hold(control, "HELLO-2", ann)), Errc::conflict);
    EXPECT_EQ(refused(engine::retry(control, "HELLO-2", ann)), Errc::conflict) << "it would wait in silence";
    must(engine::remove_dependency(control, "HELLO-2", "HELLO-1", ann));
    must(engine::release_hold(control, "HELLO-2", ann));
    EXPECT_EQ(waiting().hold, Hold::none);
    EXPECT_EQ(refused(engine::add_dependency(control, "HELLO-2", "HELLO-1", ann)), Errc::conflict)
        << "what was cancelled is never done";
}

TEST_F(OperateTest, WhatAPersonHasAnsweredNeedsThemNoMore) {
    await_approval();
    must(engine::pause(control, "", "lunch", ann));
    const auto needing = [&] { return must(store::list_tasks(scene.db, {.needs_human = true})).size(); };
    EXPECT_EQ(needing(), 1u);
    must(engine::approve(control, "HELLO-1", ann));
    EXPECT_EQ(needing(), 0u) << "though nothing can heed it yet";
    const auto view = engine::view_of(control);
    const auto task = life.task().row();
    const auto why = engine::why(task, must(engine::look_around(view, task)), must(engine::look_at_host(view)));
    EXPECT_FALSE(why.needs_you);
    EXPECT_NE(why.text.find("paused"), std::string::npos) << why.text;
    must(engine::resume(control, "", ann));
    must(scene.step("HELLO-1"));
    EXPECT_EQ(life.task().stage(), Stage::architecture);
}

TEST_F(OperateTest, CancelStopsWhatRunsAndGivesUpItsLeaseOnlyThen) {
    life.task().in(Stage::deploy_staging);
    const auto claim = life.start(Role::staging, life.forge_head());
    scene.write([&](store::Tx& tx) -> Status {
        must(store::acquire_held(tx, store::LeaseKind::target, "staging:hello", claim.job.task_id, claim.job.id, scene.now));
        return {};
    });
    must(engine::cancel(control, "HELLO-1", "", ann));
    EXPECT_EQ(life.task().stage(), Stage::cancelled);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_FALSE(life.prepare()) << "prepare refuses it from here on";
    EXPECT_TRUE(must(store::find_held(scene.db, store::LeaseKind::target, "staging:hello"))) << "its unit still runs";
    life.recover();
    EXPECT_EQ(life.scene.units.stopped.at(0), life.agent());
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::cancelled);
    EXPECT_FALSE(must(store::find_held(scene.db, store::LeaseKind::target, "staging:hello")));
}

TEST_F(OperateTest, ADeployUnderWayIsNotCancelled) {
    scene.without({Role::build});
    scene.project().deploy = settings::Project::Deploy{"/hook", "/config"};
    life.task().in(Stage::deploy);
    const auto claim = life.start(Role::deploy, life.forge_head());
    EXPECT_EQ(refused(engine::cancel(control, "HELLO-1", "", ann)), Errc::conflict);
    EXPECT_EQ(refused(engine::cancel_job(control, claim.job.id, ann)), Errc::conflict);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    EXPECT_EQ(life.task().stage(), Stage::deploy);
}

TEST_F(OperateTest, ACancelledJobLeavesItsTaskToAPersonAndCanBeQueuedAgain) {
    const auto claim = life.start(Stage::development);
    must(engine::cancel_job(control, claim.job.id, ann));
    EXPECT_EQ(life.task().row().hold, Hold::human);
    life.recover();
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::cancelled);
    EXPECT_TRUE(life.queued().empty()) << "nothing asks for the same work by itself";
    EXPECT_EQ(refused(engine::cancel_job(control, claim.job.id, ann)), Errc::conflict);
    must(engine::retry_job(control, claim.job.id, ann));
    EXPECT_EQ(life.task().row().hold, Hold::none);
    EXPECT_EQ(life.count_queued(Role::developer), 1);
    EXPECT_EQ(refused(engine::retry_job(control, claim.job.id, ann)), Errc::conflict) << "one is queued already";
    EXPECT_EQ(refused(engine::retry_job(control, 4711, ann)), Errc::no_such);
}

TEST_F(OperateTest, AJobOfAStageThatIsPastIsNotQueuedAgain) {
    life.task().in(Stage::development);
    const auto job = life.queued().at(0).job.id;
    must(engine::cancel_job(control, job, ann));
    must(engine::retry(control, "HELLO-1", ann));
    EXPECT_EQ(refused(engine::retry_job(control, job, ann)), Errc::conflict);
}

TEST_F(OperateTest, R16WhatIsPausedTakesNoSlotUntilItIsResumed) {
    life.task().in(Stage::analysis);
    for (const std::string scope : {"", "project:hello", "task:HELLO-1"}) {
        SCOPED_TRACE(scope);
        must(engine::pause(control, scope, "audit", ann));
        EXPECT_EQ(refused(engine::pause(control, scope, "audit", ann)), Errc::conflict);
        EXPECT_EQ(life.dispatch(), 0);
        must(engine::resume(control, scope, ann));
        EXPECT_EQ(refused(engine::resume(control, scope, ann)), Errc::conflict);
    }
    EXPECT_EQ(life.dispatch(), 1);
    EXPECT_EQ(refused(engine::pause(control, "task:HELLO-9", "", ann)), Errc::no_such);
    EXPECT_EQ(refused(engine::pause(control, "project:nowhere", "", ann)), Errc::no_such);
    EXPECT_EQ(refused(engine::pause(control, "everything", "", ann)), Errc::invalid_argument);
}

TEST_F(OperateTest, R16WhatItsFileDisablesStartsNothingAndSaysSo) {
    life.task().in(Stage::analysis);
    scene.project().disabled = "it moves";
    EXPECT_EQ(life.dispatch(), 0);
    const auto row = [&] { return must(store::find_project(scene.db, "hello")).value(); };
    EXPECT_EQ(row().paused_by, "its file");
    const auto view = engine::view_of(control);
    const auto why =
        engine::why(life.task().row(), must(engine::look_around(view, life.task().row())), must(engine::look_at_host(view)));
    EXPECT_EQ(why.text, "Its project is disabled: it moves");
    EXPECT_EQ(why.command, "orchctl project enable hello");
    EXPECT_EQ(refused(engine::resume(control, "project:hello", ann)), Errc::conflict) << "the next pass would pause it again";
    scene.project().disabled = "it moves to Rome";
    EXPECT_EQ(life.dispatch(), 0);
    EXPECT_EQ(row().pause_reason, "it moves to Rome");
    scene.project().disabled = "";
    EXPECT_EQ(life.dispatch(), 1);
    EXPECT_FALSE(row().paused_at);

    must(engine::pause(control, "project:hello", "lunch", ann));
    scene.project().disabled = "it moves";
    EXPECT_EQ(life.dispatch(), 0);
    EXPECT_EQ(row().paused_by, ann) << "what a person said stays";
    scene.project().disabled = "";
    EXPECT_EQ(life.dispatch(), 0);
    must(engine::resume(control, "project:hello", ann));
}

TEST_F(OperateTest, ATaskWithoutATitleIsRefusedWithWhatToDo) {
    for (const auto* title : {"", "   "}) {
        const auto made = engine::create_task(control, {"hello", "HELLO-1", title, "A body", 5}, ann);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, Errc::invalid_argument);
        EXPECT_EQ(made.error().text, "a task needs a title: say in one line what HELLO-1 is about");
    }
    EXPECT_EQ(must(store::find_task(scene.db, "HELLO-1")), std::nullopt);
}

TEST_F(OperateTest, WakesTheWorkerAfterACommitOnly) {
    int woken = 0;
    control.wake = [&] { ++woken; };
    (void)engine::create_task(control, {"hello", "HELLO-1", "bad\ntitle", "", 5}, ann);
    EXPECT_EQ(woken, 0);
    must(engine::create_task(control, {"hello", "HELLO-1", "good", "", 5}, ann));
    EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace orchd::support
