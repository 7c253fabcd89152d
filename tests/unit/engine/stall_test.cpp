// R40, issue 10: a run whose beginning or end keeps failing is counted, told and ended.
#include "engine/stall.h"
#include "engine/claim_limits.h"
#include "engine/operate.h"
#include "engine/why.h"
#include "run_life.h"

namespace orchd::support {
namespace {

constexpr const char* passing = "git push in /m.git: fatal: unable to access the far side: it hung up unexpectedly";
constexpr const char* denied =
    "git push in /m.git: error: insufficient permission for adding an object to repository database ./objects";

struct Stalled : RunLife {
    // A developer's run that worked, whose finish meets a forge that refuses with these words.
    store::Claim ended(Error refusal) {
        auto claim = start(Stage::development);
        commits({{"x", "x"}});
        scene.watch.refuses = std::move(refusal);
        ends(0);
        return claim;
    }
    std::optional<store::Stall> stall(const store::Claim& claim) { return must(store::last_stall(scene.db, claim.run.id)); }
    engine::Why why() {
        const auto view = engine::view_of(worker);
        const auto row = task().row();
        return engine::why(row, must(engine::look_around(view, row)), must(engine::look_at_host(view)));
    }
    // Passes until a finish is called or nothing is left to call it for; how many seconds went by.
    int until_called() {
        scene.units.started.clear();
        for (int s = 1; s < 2000; ++s) {
            scene.units.table.clear();
            if (recover().resumed > 0) return s;
            if (task().row().hold != Hold::none) return 0;
        }
        ADD_FAILURE() << "for half an hour nobody called a finish";
        return -1;
    }
    bool is_called() { return until_called() > 0; }
    // A person lets go of the hold, and the end is worked up again.
    void let_go_and_finish() {
        auto control = scene.world("control");
        must(engine::release_hold(control, "HELLO-1", "uid:0 root"));
        scene.pass(1'000'000);
        dispatch();
        ASSERT_TRUE(is_called());
        must(finish({}));
    }
};

TEST(StallTest, AnEndThatFailsIsOnRecordWithItsWordsAndWaitsForItsNextTry) {
    Stalled life;
    const auto claim = life.ended({Errc::unavailable, passing});
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    EXPECT_TRUE(life.run(claim.run.id).exit) << "the exit comes before everything that can fail";
    const auto stall = life.stall(claim);
    ASSERT_TRUE(stall);
    EXPECT_EQ(stall->tries, 1);
    EXPECT_EQ(stall->words, passing);
    EXPECT_FALSE(stall->lasting);
    EXPECT_EQ(life.task().events("end_failed").size(), 1u);
    const auto why = life.why();
    EXPECT_TRUE(contains(why.text, std::string("its end cannot be recorded: ") + passing + "; tried 1 time, next try at "))
        << why.text;
    EXPECT_EQ(why.until, stall->due.utc_ms);
    EXPECT_FALSE(why.needs_you);
    EXPECT_EQ(store::number_of(must(store::find_state(life.scene.db, "finish_failures_total"))), 1);
}

TEST(StallTest, AForgeThatAnswersAgainGetsTheWork) {
    Stalled life;
    const auto claim = life.ended({Errc::unavailable, passing});
    ASSERT_TRUE(life.is_called());
    EXPECT_EQ(life.scene.units.started.front().unit, names::unit(names::finish_ok, "HELLO-1"));
    life.scene.watch.refuses = {};
    must(life.finish({}));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    EXPECT_EQ(life.job(claim.job.id).error, "");
    EXPECT_EQ(life.forge_file("x"), "x");
    EXPECT_EQ(life.task().row().hold, Hold::none);
}

TEST(StallTest, TriesAreCappedWithGrowingBackOffAndThenThePersonIsCalled) {
    Stalled life;
    life.scene.settings.finish_max_tries = 4;
    const auto claim = life.ended({Errc::unavailable, passing});
    int tries = 1;
    std::vector<std::int64_t> longest;
    for (; tries < 100; ++tries) {
        if (const auto stall = life.stall(claim); stall->state == store::StallState::failed)
            longest.push_back(stall->due.utc_ms - stall->at);
        if (!life.is_called()) break;
        must(life.finish({}));
    }
    EXPECT_EQ(tries, 4);
    for (std::size_t i = 0; i < longest.size(); ++i) EXPECT_LE(longest[i], 5000 << (i + 1));
    const auto task = life.task().row();
    EXPECT_EQ(task.hold, Hold::infra);
    EXPECT_TRUE(contains(task.hold_reason, std::string("its end cannot be recorded: ") + passing + "; tried 4 times"))
        << task.hold_reason;
    EXPECT_EQ(task.retries.infrastructure, 1);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued) << "its slot is free";
    EXPECT_EQ(life.run(claim.run.id).exit->status, 0) << "what is on record is kept";
    const auto why = life.why();
    EXPECT_TRUE(why.needs_you);
    EXPECT_EQ(why.command, "orchctl task release HELLO-1");
    EXPECT_TRUE(contains(why.text, passing)) << why.text;
    EXPECT_EQ(must(store::due_posts(life.scene.db, "journal", 10, life.scene.now)).size(), 1u);
}

TEST(StallTest, WhatLastsEndsItTheFirstTime) {
    Stalled life;
    const auto claim = life.ended({Errc::refused, denied});
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    life.scene.units.table.clear();
    EXPECT_EQ(life.recover().held, 1);
    EXPECT_TRUE(contains(life.task().row().hold_reason, denied)) << life.task().row().hold_reason;
    EXPECT_EQ(life.stall(claim)->tries, 1);
}

TEST(StallTest, ARepositoryThatIsNotThereIsKnownAsSuchAtOnce) {
    Stalled life;
    const auto claim = life.start(Stage::development);
    life.commits({{"x", "x"}});
    std::filesystem::rename(life.scene.forge.path, life.scene.folder / "away");
    life.ends(0);
    life.recover();
    EXPECT_EQ(life.task().row().hold, Hold::infra);
    EXPECT_TRUE(contains(life.task().row().hold_reason, "is no bare repository")) << life.task().row().hold_reason;
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
}

TEST(StallTest, OnceLetGoOfTheEndIsGoneOnWithAndNothingIsDoneTwice) {
    Stalled life;
    const auto claim = life.ended({Errc::refused, denied});
    life.scene.units.table.clear();
    life.recover();
    life.scene.watch.refuses = {};
    auto control = life.scene.world("control");
    must(engine::release_hold(control, "HELLO-1", "uid:0 root"));
    life.scene.pass(1'000'000);
    life.scene.units.started.clear();
    EXPECT_TRUE(contains(life.why().text, "is started next. Its run is over")) << life.why().text;
    life.dispatch();
    EXPECT_EQ(life.live().run.id, claim.run.id) << "the very run whose end was given up";
    for (const auto& request : life.scene.units.started)
        EXPECT_FALSE(request.unit.starts_with(names::agent)) << "its command ran already: " << request.unit;
    EXPECT_FALSE(life.prepare()) << "there is nothing to prepare";
    ASSERT_TRUE(life.is_called());
    must(life.finish({}));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    EXPECT_EQ(life.forge_file("x"), "x");
    const auto runs = must(store::list_runs(life.scene.db, life.task().row().id));
    EXPECT_EQ(std::ranges::count_if(runs, [&](const auto& run) { return run.job_id == claim.job.id; }), 1);
}

TEST(StallTest, AnEndThatFailsAgainAfterItWasLetGoOfIsToldAgain) {
    Stalled life;
    const auto claim = life.ended({Errc::refused, denied});
    for (int i = 0; i < 3; ++i) {
        life.scene.units.table.clear();
        life.recover();
        ASSERT_EQ(life.task().row().hold, Hold::infra) << i;
        ASSERT_NO_FATAL_FAILURE(life.let_go_and_finish());
        EXPECT_EQ(life.stall(claim)->tries, 1);
    }
}

// A deploy whose hook ended well, while nothing can be written to the repository.
struct DeployedUnrecorded : Stalled {
    DeployedUnrecorded() {
        scene.without({Role::build});
        scene.project().deploy = settings::Project::Deploy{"/hook", "/config"};
        task().in(Stage::deploy);
        commit = forge_head();
        claim = start(Role::deploy, commit);
        scene.watch.refuses = Error{Errc::refused, denied};
        ends(0);
    }
    std::string live_commit() {
        const auto live = must(store::live_release(scene.db, "hello"));
        return live ? live->commit : "";
    }
    std::string commit;
    store::Claim claim;
};

TEST(StallTest, R12_WhatWasDeployedIsLiveThoughItsEndIsGivenUp) {
    DeployedUnrecorded life;
    life.scene.units.table.clear();
    life.recover();
    ASSERT_EQ(life.task().row().hold, Hold::infra);
    EXPECT_EQ(life.live_commit(), life.commit) << "an older commit would be deployed over it";
}

TEST(StallTest, R12_AnEndThatIsGoneOnWithLeavesLiveWhatReplacedItsDeploy) {
    DeployedUnrecorded life;
    life.scene.units.table.clear();
    life.recover();
    life.scene.write([&](store::Tx& tx) {
        return store::put_release(tx, {"hello", "a-later-one", life.commit, "live", life.scene.now.utc_ms});
    });
    life.scene.watch.refuses = {};
    ASSERT_NO_FATAL_FAILURE(life.let_go_and_finish());
    EXPECT_EQ(life.job(life.claim.job.id).status, JobStatus::done);
    EXPECT_EQ(life.verdict(Gate::deploy_status)->colour, Colour::green);
    EXPECT_EQ(life.live_commit(), "a-later-one");
    EXPECT_EQ(must(store::find_release(life.scene.db, "hello", life.commit))->state, "replaced");
}

TEST(StallTest, RetryWorksTheStageAnew) {
    Stalled life;
    const auto claim = life.ended({Errc::refused, denied});
    life.scene.units.table.clear();
    life.recover();
    life.scene.watch.refuses = {};
    auto control = life.scene.world("control");
    must(engine::retry(control, "HELLO-1", "uid:0 root"));
    life.scene.units.table.clear();
    life.start();
    EXPECT_NE(life.live().run.id, claim.run.id);
}

TEST(StallTest, AFinishThatNeverSaysAWordIsCountedByWhoStartsIt) {
    Stalled life;
    life.scene.settings.finish_max_tries = 3;
    const auto claim = life.start(Stage::development);
    life.scene.write([&](store::Tx& tx) {
        return store::record_exit(tx, claim.run.id, {ExitKind::exited, 0}, life.invocation(), life.scene.now);
    });
    int called = 0;
    while (called < 100 && life.is_called()) ++called;
    EXPECT_EQ(called, 2) << "the first was cut off, two were called and came to nothing";
    EXPECT_EQ(life.task().row().hold, Hold::infra);
    EXPECT_TRUE(contains(life.task().row().hold_reason, "ended without a word: see `journalctl -u orchd-finish-ok@HELLO-1"))
        << life.task().row().hold_reason;
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
}

TEST(StallTest, AFinishThatIsKilledEachTimeComesToAnEnd) {
    Stalled life;
    const auto claim = life.start(Stage::development);
    life.commits({{"x", "x"}});
    const auto monitor = life.exited(0);
    int kills = 0;
    for (; kills < 100 && life.job(claim.job.id).status == JobStatus::running; ++kills)  // Restart=on-failure, every time
        (void)killed_at(1'000'000, [&] {
            life.scene.watch.before_push = [] { throw Crashed{}; };
            must(life.finish(monitor));
        });
    EXPECT_LE(kills, 2 * life.scene.settings.finish_max_tries);
    life.scene.units.table.clear();
    life.recover();
    EXPECT_EQ(life.task().row().hold, Hold::infra);
}

TEST(StallTest, OfARunThatWasCutShortTheWorkIsNotLostToAForgeThatDoesNotAnswer) {
    Stalled life;
    const auto claim = life.start(Stage::development);
    life.commits({{"half", "half"}});
    life.scene.watch.refuses = Error{Errc::unavailable, passing};
    must(life.finish({"signal", "killed", "KILL", life.invocation()}));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running) << "its end is tried again";
    ASSERT_TRUE(life.is_called());
    life.scene.watch.refuses = {};
    must(life.finish({}));
    EXPECT_EQ(life.forge_file("half"), "half");
    EXPECT_TRUE(contains(life.job(claim.job.id).error, "killed")) << life.job(claim.job.id).error;
    life.scene.units.table.clear();
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_EQ(life.task().row().hold, Hold::none);
}

TEST(StallTest, ABeginningThatFailsIsCountedOverItsRunsAndSaid) {
    Stalled life;
    life.task().in(Stage::development);
    for (int i = 1; i <= 2; ++i) {
        life.scene.units.table.clear();
        life.scene.watch.refuses = Error{Errc::unavailable, passing};
        life.dispatch();
        ASSERT_FALSE(life.prepare());
        const auto claim = life.live();
        ASSERT_TRUE(life.stall(claim));
        EXPECT_EQ(life.stall(claim)->tries, i);
        must(life.finish({"success", "", "", ""}));
        life.recover();
        const auto why = life.why();
        EXPECT_TRUE(contains(why.text, std::string("could not be prepared: ") + passing + "; tried " + std::to_string(i)))
            << why.text;
        life.scene.pass(1'000'000);
    }
    EXPECT_EQ(store::number_of(must(store::find_state(life.scene.db, "prepare_failures_total"))), 2);
    EXPECT_EQ(life.task().row().hold, Hold::none);
    life.scene.watch.refuses = {};
    life.start();
    EXPECT_TRUE(contains(life.why().text, "Under way")) << life.why().text;
}

TEST(StallTest, TheEndOfARunThatCouldNotBeginIsCountedByItself) {
    Stalled life;
    life.task().in(Stage::development);
    life.scene.watch.refuses = Error{Errc::unavailable, passing};
    life.dispatch();
    ASSERT_FALSE(life.prepare());
    const auto claim = life.live();
    const engine::Monitor monitor{"success", "", "", ""};
    EXPECT_TRUE(killed_at(2, [&] { must(life.finish(monitor)); })) << "its exit is on record, and nothing else";
    ASSERT_EQ(life.job(claim.job.id).status, JobStatus::running);
    must(life.finish(monitor));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    EXPECT_EQ(must(store::find_stall(life.scene.db, claim.run.id, store::StallPart::beginning))->tries, 1);
    EXPECT_EQ(life.stall(claim)->tries, 1);
    life.scene.units.table.clear();
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_TRUE(contains(life.why().text, "could not be prepared")) << life.why().text;
}

TEST(StallTest, ABeginningThatCannotEverBeHoldsTheTaskTheFirstTime) {
    Stalled life;
    life.task().in(Stage::development);
    life.scene.watch.refuses = Error{Errc::refused, denied};
    life.dispatch();
    ASSERT_FALSE(life.prepare());
    must(life.finish({"success", "", "", ""}));
    EXPECT_EQ(life.recover().held, 1);
    EXPECT_TRUE(contains(life.task().row().hold_reason, denied)) << life.task().row().hold_reason;
    life.scene.watch.refuses = {};
    auto control = life.scene.world("control");
    must(engine::release_hold(control, "HELLO-1", "uid:0 root"));
    life.scene.pass(1'000'000);
    life.start();
    EXPECT_EQ(life.live().run.exit, std::nullopt) << "a run of its own";
}

TEST(StallTest, AnArtefactThatCannotBeReadIsTheRunsFaultAndNoEndThatFails) {
    Stalled life;
    const auto claim = life.start(Stage::review);
    life.commits({{life.artefact(Artefact::review), "---\nverdict: APPROVED\n---\n" + std::string(1 << 21, 'x')}});
    life.ends(0);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    const auto row = life.verdict(Gate::review_approved);
    ASSERT_TRUE(row);
    EXPECT_TRUE(row->unusable);
    EXPECT_TRUE(contains(row->reason, "is larger than")) << row->reason;
}

TEST(StallTest, CancelledMeanwhileItSaysNothingMore) {
    Stalled life;
    const auto claim = life.ended({Errc::unavailable, passing});
    auto control = life.scene.world("control");
    must(engine::cancel(control, "HELLO-1", "no", "uid:0 root"));
    must(life.finish({}));
    life.scene.units.table.clear();
    life.recover();
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::cancelled);
    EXPECT_EQ(life.stall(claim)->tries, 1);
}

}  // namespace
}  // namespace orchd::support
