// R18, R25, R40: a delivery becomes facts once, or says why not, and never stops the next.
#include <chrono>

#include "engine/why.h"
#include "intake_fixture.h"
#include "store/checkpoint_lock.h"
#include "store/early_words.h"

namespace orchd::support {
namespace {

using store::DeliveryState;

TEST_F(IntakeTest, R25ToAnalyseMakesTheTaskAndItsFirstJob) {
    const auto made = taken("plane", "issue-created");
    EXPECT_EQ(made.state, DeliveryState::done);
    EXPECT_EQ(made.outcome, "task HELLO-1 was created");
    ASSERT_TRUE(task());
    EXPECT_EQ(task()->title, "Fix login");
    EXPECT_EQ(task()->body, "Nobody can log in & out.\n- try it");
    EXPECT_EQ(task()->stage, Stage::analysis);
    EXPECT_EQ(queued(Role::analyst), 1);
    EXPECT_EQ(scene.task("HELLO-1").events("task_created").size(), 1U);
}

TEST_F(IntakeTest, R25AWorkItemWithoutANameIsTakenUnderItsOwnId) {
    for (const auto* nameless : {R"("name": "")", R"("name": " \n ")", R"("name": null)"}) {
        const auto s = sample("plane", "issue-created");
        const auto number = std::to_string(++keys);
        const auto made = taken("plane", s.event,
                                with(with(s.body, R"("name": "Fix login", "sequence_id": 1)",
                                          std::string(nameless) + R"(, "sequence_id": )" + number),
                                     "8f4c2b1e", "8f4c2b1" + number));
        EXPECT_EQ(made.outcome, "task HELLO-" + number + " was created") << nameless;
        ASSERT_TRUE(task("HELLO-" + number)) << nameless;
        EXPECT_EQ(task("HELLO-" + number)->title, "Work item HELLO-" + number) << nameless;
    }
}

TEST_F(IntakeTest, R18OneBodyUnderAThousandDeliveryIdsHasItsConsequenceOnce) {
    const auto s = sample("plane", "issue-created");
    for (int n = 0; n < 1000; ++n) (void)arrives("plane", s.event, s.body);
    const auto all = take_in();
    EXPECT_EQ(all.done, 1);
    EXPECT_EQ(all.ignored, 999);
    EXPECT_EQ(queued(Role::analyst), 1);
}

TEST_F(IntakeTest, R25ATaskThatTheOperatorMadeIsNotMadeAgain) {
    must(engine::create_task(world, {"hello", "HELLO-1", "By hand", "", 5}, "uid:1000 ann"));
    const auto again = taken("plane", "issue-created");
    EXPECT_EQ(again.state, DeliveryState::ignored);
    EXPECT_EQ(again.outcome, "HELLO-1 is under way already, at analysis");
    EXPECT_EQ(task()->title, "By hand");
}

TEST_F(IntakeTest, R25NorWhereItsNumberIsWrittenWithZerosBeforeIt) {
    must(engine::create_task(world, {"hello", "HELLO-001", "By hand", "", 5}, "uid:1000 ann"));
    const auto again = taken("plane", "issue-created");
    EXPECT_EQ(again.state, DeliveryState::ignored);
    EXPECT_EQ(again.outcome, "HELLO-001 is under way already, at analysis");
    EXPECT_EQ(must(store::list_tasks(scene.db, {})).size(), 1U);
    scene.work("HELLO-001", Role::analyst);
    must(scene.step("HELLO-001"));
    EXPECT_EQ(taken("plane", "issue-approved").outcome, "HELLO-001 is approved by tracker:ada");
    must(scene.step("HELLO-001"));
    EXPECT_EQ(task("HELLO-001")->stage, Stage::architecture);
}

TEST_F(IntakeTest, R05AnApprovalInTheTrackerMovesTheTaskOnce) {
    (void)taken("plane", "issue-created");
    scene.work("HELLO-1", Role::analyst);
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task()->waiting_for, "check_analysis_approved");
    const auto approved = taken("plane", "issue-approved");
    EXPECT_EQ(approved.outcome, "HELLO-1 is approved by tracker:ada");
    const auto verdict = must(store::list_verdicts(scene.db, task()->id)).at(0);
    EXPECT_EQ(verdict.by, "tracker:ada");
    EXPECT_EQ(verdict.commit, task()->head);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task()->stage, Stage::architecture);
    EXPECT_EQ(taken("plane", "issue-approved").state, DeliveryState::ignored);
}

TEST_F(IntakeTest, R05ARejectionInTheTrackerRunsTheAnalystAgain) {
    (void)taken("plane", "issue-created");
    scene.work("HELLO-1", Role::analyst);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(taken("plane", "issue-rejected").outcome, "HELLO-1 is rejected by tracker:ada");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task()->again_reason, "rejected in the tracker");
    EXPECT_EQ(queued(Role::analyst), 1);
    // The same word again, late: the analysis that it was about is no more.
    scene.work("HELLO-1", Role::analyst);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(taken("plane", "issue-rejected").state, DeliveryState::ignored);
    EXPECT_EQ(must(store::list_verdicts(scene.db, task()->id)).size(), 1U);
}

// An early word is on record, judges nothing by itself however it comes again, and is named to whoever is asked then.
TEST_F(IntakeTest, R05AWordBeforeTheGateOpensIsKeptAndNamedAndJudgesNothing) {
    const auto early = taken("plane", "issue-approved");
    EXPECT_EQ(early.state, DeliveryState::done);
    EXPECT_EQ(early.outcome,
              "HELLO-1 is approved by tracker:ada before its analysis is there to be judged, and before there is a task: on "
              "record, and whoever is asked then is told; it judges nothing by itself");
    (void)taken("plane", "issue-created");
    ASSERT_TRUE(task()) << "late, but it was to be analysed";
    scene.pass(60'000);
    scene.work("HELLO-1", Role::analyst);
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task()->waiting_for, "check_analysis_approved");
    EXPECT_NE(task()->waiting_reason.find("tracker:ada approved it at 2026-07-01 10:10:00 UTC, before it was there"),
              std::string::npos)
        << task()->waiting_reason;
    const auto view = engine::view_of(world);
    const auto told = engine::why(*task(), must(engine::look_around(view, *task())), must(engine::look_at_host(view)));
    EXPECT_TRUE(told.needs_you);
    EXPECT_NE(told.text.find("say it again"), std::string::npos) << told.text;
    bool in_journal = false;
    for (const auto& post : must(store::due_posts(scene.db, "journal", 100, scene.now)))
        in_journal = in_journal ||
                     post.body.find("waits for your approval of its analysis (tracker:ada approved it") != std::string::npos;
    EXPECT_TRUE(in_journal);
    // Neither the same again nor a replay is a word on what is there now.
    replay(early.id);
    (void)take_in();
    EXPECT_EQ(delivery(early.id).state, DeliveryState::ignored) << delivery(early.id).outcome;
    EXPECT_TRUE(must(store::list_verdicts(scene.db, task()->id)).empty());
    EXPECT_EQ(task()->stage, Stage::analysis);
    must(engine::approve(world, "HELLO-1", "uid:1000 ann"));
    EXPECT_FALSE(must(store::find_early_word(scene.db, "HELLO-1"))) << "a person has judged";
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task()->stage, Stage::architecture);
}

// It came before the gate opened and was taken in after; or was given before, and came after.
TEST_F(IntakeTest, R05AWordThatWasGivenBeforeTheGateOpenedIsEarlyWheneverItIsTakenIn) {
    const auto s = sample("plane", "issue-approved");
    const auto to_analyse = sample("plane", "issue-created");
    scene.now.utc_ms = 1'782'900'000'000;  // 2026-07-01T10:00:00Z
    (void)taken("plane", to_analyse.event, to_analyse.body);
    scene.pass(1'200'000);
    const auto waits = arrives("plane", s.event, s.body);  // of 10:10
    scene.pass(60'000);
    scene.work("HELLO-1", Role::analyst);
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task()->waiting_for, "check_analysis_approved");
    (void)take_in();
    EXPECT_NE(delivery(waits).outcome.find("before its analysis is there to be judged"), std::string::npos);
    const auto late = with(s.body, "10:10:00", "10:20:30");
    EXPECT_NE(taken("plane", s.event, late).outcome.find("before its analysis is there"), std::string::npos);
    EXPECT_TRUE(must(store::list_verdicts(scene.db, task()->id)).empty());
    scene.pass(600'000);
    EXPECT_EQ(taken("plane", s.event, with(s.body, "10:10:00", "10:30:00")).outcome, "HELLO-1 is approved by tracker:ada");
}

TEST_F(IntakeTest, R05AWordForAStageThatIsOverIsIgnoredWithTheReason) {
    scene.task("HELLO-1").in(Stage::development);
    const auto late = taken("plane", "issue-approved");
    EXPECT_EQ(late.state, DeliveryState::ignored);
    EXPECT_NE(late.outcome.find("waits for no approval"), std::string::npos) << late.outcome;
}

TEST_F(IntakeTest, R18OfTwoStatesOfOneMomentTheOneThatHoldsUpCounts) {
    for (const bool approved_first : {true, false}) {
        const std::string item = approved_first ? "HELLO-1" : "HELLO-2";
        const auto as = [&](std::string body) {
            return approved_first
                       ? body
                       : with(with(body, "\"sequence_id\": 1", "\"sequence_id\": 2"), "0242ac120002", "0242ac120009");
        };
        const auto made = sample("plane", "issue-created"), yes = sample("plane", "issue-approved"),
                   no = sample("plane", "issue-rejected");
        (void)taken("plane", made.event, as(made.body));
        scene.work(item, Role::analyst);
        must(scene.step(item));
        // The samples' stamps are the same.
        const auto first = taken("plane", yes.event, as(approved_first ? yes.body : no.body));
        const auto second = taken("plane", no.event, as(approved_first ? no.body : yes.body));
        EXPECT_NE((approved_first ? second : first).outcome.find(item + " is rejected"), std::string::npos)
            << first.outcome << " / " << second.outcome;
        if (!approved_first) {
            EXPECT_EQ(second.outcome.substr(0, 17), "not known whether") << second.outcome;
        }
        EXPECT_EQ(must(store::find_verdict(scene.db, task(item)->id, task(item)->stage_seq, Gate::analysis_approved))->colour,
                  Colour::red);
    }
}

TEST_F(IntakeTest, R20WhatIsCompletedAsksNothingWhateverItsName) {
    const auto s = sample("plane", "issue-created");
    for (const std::string group : {"completed", "cancelled"}) {
        const auto done = taken("plane", s.event, with(s.body, "\"unstarted\"", '"' + group + '"'));
        EXPECT_EQ(done.state, DeliveryState::ignored);
        EXPECT_EQ(done.outcome, "HELLO-1 stands in \"To Analyse\", which asks nothing of orchd");
        scene.write([](store::Tx& tx) { return tx.db().execute("DELETE FROM tracker_items"); });
    }
    EXPECT_FALSE(task());
}

TEST_F(IntakeTest, R18AnOldWordDoesNothingToATaskThatHasMovedOn) {
    (void)taken("plane", "issue-created");
    EXPECT_EQ(taken("plane", "issue-done").state, DeliveryState::ignored);
    hold(Hold::blocked);
    const auto late = taken("plane", "issue-renamed");
    EXPECT_EQ(late.outcome, "HELLO-1 has changed since in the tracker");
    EXPECT_EQ(task()->hold, Hold::blocked);
}

TEST_F(IntakeTest, R20ToAnalyseAgainResumesWhatWaitsForAPerson) {
    (void)taken("plane", "issue-created");
    for (const auto& [held, hour] : {std::pair{Hold::needs_input, "11"}, std::pair{Hold::blocked, "12"}}) {
        hold(held);
        EXPECT_EQ(asked_again(hour).state, DeliveryState::done);
        EXPECT_EQ(task()->hold, Hold::none);
        EXPECT_EQ(task()->retries.developer, 3) << "the hold alone";
    }
    hold(Hold::escalated);
    EXPECT_EQ(asked_again("13").outcome, "HELLO-1 is tried again: it was held as escalated");
    EXPECT_EQ(task()->hold, Hold::none);
    EXPECT_EQ(task()->retries.developer, 0);
}

TEST_F(IntakeTest, R22WhatOnlyTheOperatorCanJudgeStaysHeld) {
    (void)taken("plane", "issue-created");
    for (const auto& [held, hour] : {std::pair{Hold::infra, "11"}, std::pair{Hold::human, "12"}}) {
        hold(held);
        const auto asked = asked_again(hour);
        EXPECT_EQ(asked.state, DeliveryState::ignored);
        EXPECT_NE(asked.outcome.find("operator alone"), std::string::npos);
        EXPECT_EQ(task()->hold, held);
        hold(Hold::none);
        replay(asked.id);
        (void)take_in();
    }
    must(engine::cancel(world, "HELLO-1", "", "uid:1000 ann"));
    EXPECT_EQ(asked_again("14").outcome, "HELLO-1 is cancelled already");
}

TEST_F(IntakeTest, AChangeOfSomethingElseResumesNothing) {
    (void)taken("plane", "issue-created");
    hold(Hold::needs_input);
    EXPECT_EQ(taken("plane", "issue-renamed").outcome, "nothing new: HELLO-1 stood in \"To Analyse\" before");
    EXPECT_EQ(task()->hold, Hold::needs_input);
}

TEST_F(IntakeTest, AStateThatIsKnownByIdAloneNeedsItsName) {
    EXPECT_EQ(taken("plane", "v2-created").outcome,
              "HELLO-1 stands in \"11111111-94a4-4eb3-94aa-50dc94270001\", which asks nothing of orchd");
    scene.write([](store::Tx& tx) {
        return tx.db().execute(
            "DELETE FROM tracker_items; INSERT INTO tracker_states VALUES ('hello', '11111111-94a4-4eb3-94aa-50dc94270001',"
            " 'To Analyse', 'unstarted', 0)");
    });
    EXPECT_EQ(taken("plane", "v2-created").outcome, "task HELLO-1 was created");
}

TEST_F(IntakeTest, R33AStatusIsARowAndAsksTheTaskThatStandsThere) {
    scene.task("HELLO-1").in(Stage::development);
    const auto head = task()->head;
    cancel_advances();
    const auto s = sample("gitea", "status");
    const auto told = taken("gitea", s.event, with(s.body, sample_head, head));
    EXPECT_EQ(told.outcome, "ci/build is green at " + head + "; HELLO-1 is asked to go on");
    const auto row = must(store::statuses_of(scene.db, "hello", head)).at(0);
    EXPECT_EQ(row.state, Colour::green);
    EXPECT_EQ(row.context, "ci/build");
    EXPECT_EQ(queued(Role::step), 1);
    EXPECT_EQ(scene.task("HELLO-1").events("status_told").size(), 1U);
    cancel_advances();
    const auto late = with(with(s.body, sample_head, head), R"("state": "success")", R"("state": "pending")");
    for (const auto& body : {with(s.body, sample_head, head), with(late, R"("id": 55)", R"("id": 54)")})
        EXPECT_EQ(taken("gitea", s.event, body).outcome.substr(0, 11), "nothing new") << "it came again, or late";
    EXPECT_EQ(queued(Role::step), 0);
    EXPECT_EQ(scene.task("HELLO-1").events("status_told").size(), 1U);
    // Of a commit where no task stands it is a row alone.
    EXPECT_EQ(taken("gitea", "status").outcome, "ci/build is green at " + sample_head);
}

TEST_F(IntakeTest, OfTwoStatusesTheOneThatTheForgeNumberedLaterHolds) {
    const auto s = sample("gitea", "status");
    const std::string stamp = "2026-07-01T10:02:00Z";
    const auto pending = with(with(s.body, R"("state": "success")", R"("state": "pending")"), R"("id": 55)", R"("id": 54)");
    for (const auto& success : {s.body, with(s.body, stamp, "2026-07-01T10:01:59Z")})
        for (const bool turned : {false, true}) {
            scene.write([](store::Tx& tx) { return tx.db().execute("DELETE FROM statuses"); });
            scene.now.utc_ms = 1'782'900'120'000 - 30'000;  // our clock is behind
            (void)taken("gitea", s.event, turned ? success : pending);
            scene.pass(1000);
            (void)taken("gitea", s.event, turned ? pending : success);
            EXPECT_EQ(must(store::statuses_of(scene.db, "hello", sample_head)).at(0).state, Colour::green)
                << (turned ? "in reverse order" : "in order");
        }
}

TEST_F(IntakeTest, NobodyElseReportsInOrchdsName) {
    const auto s = sample("gitea", "status");
    const auto forged = taken("gitea", s.event, with(s.body, "\"ci/build\"", "\"orchd/ci\""));
    EXPECT_EQ(forged.state, DeliveryState::ignored);
    EXPECT_TRUE(must(store::statuses_of(scene.db, "hello", sample_head)).empty());
}

TEST_F(IntakeTest, APushByAnotherAsksTheTaskAndOrchdsOwnDoesNot) {
    scene.task("HELLO-1").in(Stage::development);
    cancel_advances();
    const auto s = sample("gitea", "push");
    EXPECT_EQ(taken("gitea", s.event, with(s.body, sample_head, task()->head)).outcome, "orchd itself pushed " + task()->head);
    EXPECT_EQ(queued(Role::step), 0);
    for (const std::string name : {"push", "create", "create-forgejo", "delete", "push-gone", "workflow_run"}) {
        EXPECT_EQ(taken("gitea", name).state, DeliveryState::done) << name;
        EXPECT_EQ(queued(Role::step), 1) << name;
        EXPECT_EQ(must(store::list_events(scene.db, {.task_id = task()->id, .limit = 2})).at(0).kind, "forge_told") << name;
        cancel_advances();
    }
}

TEST_F(IntakeTest, BranchesAndTasksThatAreNotOursAreIgnored) {
    EXPECT_EQ(taken("gitea", "push").outcome, "there is no open task HELLO-1");
    const auto s = sample("gitea", "push");
    for (const std::string branch : {"main", "task/OTHER-1", "task/HELLO-x", "task/", "HELLO-1"})
        EXPECT_EQ(taken("gitea", s.event, with(s.body, "task/HELLO-1", branch)).outcome,
                  "no task of hello has the branch " + branch);
}

TEST_F(IntakeTest, PullRequestsAndReviewsBecomeRowsAndDecideNothing) {
    scene.task("HELLO-1").in(Stage::review);
    cancel_advances();
    EXPECT_EQ(taken("gitea", "pull_request_review_approved").outcome,
              "grace has approved pull request 12; HELLO-1 is asked to go on");
    EXPECT_EQ(queued(Role::step), 1);
    EXPECT_TRUE(must(store::list_verdicts(scene.db, task()->id)).empty());
    EXPECT_EQ(taken("gitea", "pull_request_review_approved").state, DeliveryState::ignored) << "the same again";
    (void)taken("gitea", "pull_request-merged");
    EXPECT_EQ(taken("gitea", "pull_request_sync").state, DeliveryState::ignored) << "it says open, and comes after the merge";
    const auto pull = must(store::find_pull_request(scene.db, "hello", {7, 101})).value();
    EXPECT_EQ(pull.state, "merged");
    EXPECT_EQ(pull.head, sample_head);
    EXPECT_EQ(must(store::reviews_of(scene.db, "hello", {7, 101})).at(0).reviewer, "grace");
}

TEST_F(IntakeTest, TheAddressOrTheObjectNamesTheProject) {
    const auto outcome = [&](const std::string& source, const std::string& name) {
        const auto s = sample(source.substr(0, source.find('/')), name);
        return taken(source, s.event, s.body).outcome;
    };
    EXPECT_EQ(outcome("gitea/hello", "status"), "ci/build is green at " + sample_head);
    EXPECT_EQ(outcome("gitea/nowhere", "status"), "there is no project nowhere with a valid file, which the address names");
    scene.project().forge_repository = "acme/other";
    EXPECT_EQ(outcome("gitea", "status"), "no project has [forge] repository = \"acme/app\"");
    EXPECT_EQ(outcome("gitea/hello", "status"), "acme/app is not the repository of hello, which is acme/other");
    scene.project().forge_repository.clear();
    EXPECT_EQ(outcome("gitea/hello", "status").substr(0, 11), "nothing new") << "the address is enough";
    scene.project().tracker_project = "00000000-0000-0000-0000-000000000000";
    EXPECT_NE(outcome("plane", "issue-created").find("no project has [tracker] project"), std::string::npos);
    EXPECT_NE(outcome("plane/hello", "issue-created").find("not the one of hello"), std::string::npos);
    EXPECT_EQ(taken("elsewhere", "push", "{}").outcome, "nothing here understands elsewhere");
}

TEST_F(IntakeTest, R40ABadOneFailsWithItsReasonAndStopsNothing) {
    const auto bad = arrives("gitea", "push", "{\"ref\":7}");
    const auto worse = arrives("plane", "issue", std::string(100'000, '['));
    const auto good = arrives("plane", "issue-created");
    const auto all = take_in();
    EXPECT_EQ(all.failed, 2);
    EXPECT_EQ(all.done, 1);
    EXPECT_EQ(delivery(bad).outcome, "ref is a number, not a text");
    EXPECT_EQ(delivery(worse).state, DeliveryState::failed);
    EXPECT_EQ(delivery(good).state, DeliveryState::done);
    EXPECT_EQ(warnings.size(), 2U);
}

TEST_F(IntakeTest, R40WhatTheSchemaRefusesOrThrowsFailsAndLeavesNothing) {
    must(scene.db.execute("CREATE TRIGGER no_tasks BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'not today'); END"));
    const auto refused = taken("plane", "issue-created");
    EXPECT_EQ(refused.state, DeliveryState::failed);
    EXPECT_EQ(refused.outcome, "database: not today");
    EXPECT_FALSE(must(store::find_tracker_item(scene.db, "hello", "8f4c2b1e-0c6a-4d5b-9a57-0242ac120002")));
    must(scene.db.execute("DROP TRIGGER no_tasks"));
    struct Throws final : tracker::Tracker {
        Result<tracker::Item> look(const settings::Project&, const tracker::Item&) override {
            throw std::runtime_error("out of its mind");
        }
    } throws;
    engine::Intake odd(world, throws, forge);
    replay(refused.id);
    EXPECT_EQ(must(odd.pass(10)).failed, 1);
    EXPECT_EQ(delivery(refused.id).outcome, "an exception: out of its mind");
    replay(refused.id);
    (void)take_in();
    EXPECT_EQ(delivery(refused.id).state, DeliveryState::done) << "replayed when it is well again";
}

TEST_F(IntakeTest, WhereTheTrackerDoesNotAnswerTheDeliveryWaitsAndTheNextDoesNot) {
    struct Away final : tracker::Tracker {
        Result<tracker::Item> look(const settings::Project&, const tracker::Item&) override {
            return orchd::fail(Errc::unavailable, "the tracker does not answer");
        }
    } away;
    engine::Intake without(world, away, forge);
    const auto waits = arrives("plane", "issue-created");
    const auto status = arrives("gitea", "status");
    EXPECT_EQ(must(without.pass(1)).done, 0);
    EXPECT_EQ(must(without.pass(1)).done, 1) << "after the one that waits";
    EXPECT_EQ(delivery(status).state, DeliveryState::done);
    EXPECT_EQ(delivery(waits).state, DeliveryState::pending);
    EXPECT_EQ(must(without.pass(1)).done, 0);
    (void)take_in();
    EXPECT_EQ(delivery(waits).state, DeliveryState::done);
}

TEST_F(IntakeTest, ManyThatWaitAreMetOnceARoundAndDoNotKeepTheWorkerBusy_R40) {
    struct Away final : tracker::Tracker {
        Result<tracker::Item> look(const settings::Project&, const tracker::Item&) override {
            ++looks;
            return orchd::fail(Errc::unavailable, "the tracker does not answer");
        }
        int looks = 0;
    } away;
    engine::Intake without(world, away, forge);
    for (int n = 0; n < 32; ++n) (void)arrives("plane", "issue-created");
    for (int round = 1; round <= 3; ++round) {
        int passes = 0;
        while (must(without.pass(16)).more) ASSERT_LT(++passes, 10) << "it never comes to rest";
        EXPECT_EQ(away.looks, 32 * round);
    }
    const auto behind = arrives("gitea", "status");
    while (must(without.pass(16)).more) continue;
    EXPECT_EQ(delivery(behind).state, DeliveryState::done);
}

// What waits ten seconds for each of many must not outlast the worker's watchdog.
TEST_F(IntakeTest, APassEndsAfterItsTimeAndTheNextGoesOn_R40) {
    struct Slow final : tracker::Tracker {
        explicit Slow(Scene& its_scene) : scene(its_scene) {}
        Result<tracker::Item> look(const settings::Project&, const tracker::Item& told) override {
            scene.pass(4000);
            return told;
        }
        Scene& scene;
    } slow(scene);
    engine::Intake patient(world, slow, forge);
    for (int n = 0; n < 6; ++n) (void)arrives("plane", "issue-created");
    int taken = 0, passes = 0;
    for (bool more = true; more; ++passes) {
        const auto begun = scene.now.boot_ms;
        const auto result = must(patient.pass(16));
        EXPECT_LE(scene.now.boot_ms - begun, engine::Intake::longest_ms + 4000);
        taken += result.done + result.ignored;
        more = result.more;
    }
    EXPECT_EQ(taken, 6);
    EXPECT_EQ(passes, 3);
}

// A process that stopped inside a transaction holds the lock beside the file: that is the database's word too, or each of many
// deliveries would wait for it anew.
TEST_F(IntakeTest, AHeldCheckpointLockEndsThePassAtOnce_R40) {
    for (int n = 0; n < 16; ++n) (void)arrives("plane", "issue-created");
    auto lock = must(store::CheckpointLock::open(scene.db.path() + "-ckpt"));
    must(lock.lock_for_checkpoint(1000));
    store::Db hurried = must(store::Db::open(scene.db.path(), {.busy_timeout_ms = 100}));
    auto impatient = over(hurried);
    engine::Intake waiting(impatient, tracker, forge);
    const auto begun = std::chrono::steady_clock::now();
    const auto refused = waiting.pass(16);
    const auto took = std::chrono::steady_clock::now() - begun;
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_TRUE(refused.error().by_database);
    EXPECT_LT(took, std::chrono::milliseconds(800)) << "one wait, not sixteen";
    lock.unlock();
    while (must(waiting.pass(16)).more) continue;
    EXPECT_EQ(must(store::count_deliveries(scene.db)).pending, 0);
}

TEST_F(IntakeTest, ABusyDatabaseJustWaits_R40) {
    const auto id = arrives("plane", "issue-created");
    store::Db other = must(store::Db::open(scene.db.path(), {}));
    store::Db hurried = must(store::Db::open(scene.db.path(), {.busy_timeout_ms = 50}));
    auto impatient = over(hurried);
    engine::Intake waiting(impatient, tracker, forge);
    must(other.write([&](store::Tx&) -> Status {
        EXPECT_EQ(waiting.pass(10).error().code, Errc::unavailable);
        return {};
    }));
    EXPECT_EQ(delivery(id).state, DeliveryState::pending);
    EXPECT_EQ(must(waiting.pass(10)).done, 1);
}

TEST_F(IntakeTest, ABatchIsBoundedAndSaysThatThereIsMore) {
    for (int n = 0; n < 5; ++n) (void)arrives("gitea", "issues");
    const auto first = must(intake.pass(3));
    EXPECT_EQ(first.ignored, 3);
    EXPECT_TRUE(first.more);
    EXPECT_FALSE(must(intake.pass(3)).more);
}

TEST_F(IntakeTest, KilledAtAnyBoundaryItsConsequenceIsThereOnce_R11) {
    for (int n = 1; n <= 2; ++n) {
        const auto hour = "2026-07-01T1" + std::to_string(n) + ":00:00Z";
        const auto s = sample("plane", "issue-created");
        const auto number = std::to_string(n);
        auto body =
            with(with(s.body, "\"sequence_id\": 1", "\"sequence_id\": " + number), "0242ac120002", "0242ac12000" + number);
        const auto id = arrives("plane", s.event, with(body, "2026-07-01T10:00:00.123456Z", hour));
        {
            const CrashAt crash(n);
            EXPECT_THROW((void)intake.pass(10), Crashed) << n;
        }
        engine::Intake next(world, tracker, forge);
        (void)must(next.pass(10));
        EXPECT_EQ(delivery(id).state, DeliveryState::done);
        EXPECT_EQ(scene.task("HELLO-" + number).events("task_created").size(), 1U);
    }
}

}  // namespace
}  // namespace orchd::support
