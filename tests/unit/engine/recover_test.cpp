// R08, R10, R11, R13: what died is found and put right, what lives is left alone, and both are never confused.
#include "engine/operate.h"
#include "run_life.h"

namespace orchd::support {
namespace {

int ticks(RunLife& life) { return static_cast<int>(life.scene.settings.reaper_dead_ticks); }

TEST(RecoverTest, ALivingRunIsLeftAloneForEver) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    for (int i = 0; i < 20; ++i) {
        const auto done = life.recover();
        EXPECT_EQ(done.requeued + done.stopped_units + done.resumed + done.held, 0);
    }
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    EXPECT_EQ(life.run(claim.run.id).invocation_id, life.invocation()) << "the run is known by its invocation from now on";
    EXPECT_EQ(life.run(claim.run.id).dead_ticks, 0);
}

TEST(RecoverTest, WhatCannotBeReadCountsAsAlive) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.scene.units.table[life.agent()] = UnitSeen{.readable = false, .invocation_id = {}};
    for (int i = 0; i < 10; ++i) life.recover();
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
}

TEST(RecoverTest, ARunWhoseHelperIsAtWorkIsAlive) {
    for (const auto stem : {names::prepare, names::finish_ok, names::finish_fail}) {
        RunLife life;
        const auto claim = life.start(Stage::development);
        life.scene.units.is_gone(life.agent());
        life.scene.units.runs(names::unit(stem, "HELLO-1"), "helper");
        for (int i = 0; i < 10; ++i) life.recover();
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running) << stem;
    }
}

TEST(RecoverTest, AJobThatPid1HasForTheUnitIsALife) {
    RunLife life;
    life.task().in(Stage::development);
    life.dispatch();
    life.scene.units.table[life.agent()] = UnitSeen{.job_pending = true, .invocation_id = {}};
    for (int i = 0; i < 10; ++i) life.recover();
    EXPECT_EQ(life.live().job.status, JobStatus::running);
}

TEST(RecoverTest, R10AnEmptyRunIsLostOnlyAfterTicksInARow) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    const auto seen = life.scene.units.see(life.agent());
    life.scene.units.is_gone(life.agent());
    for (int i = 1; i < ticks(life); ++i) life.recover();
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    life.scene.units.table[life.agent()] = seen;
    life.recover();
    EXPECT_EQ(life.run(claim.run.id).dead_ticks, 0) << "seen alive: they count anew";
    life.scene.units.is_gone(life.agent());
    for (int i = 1; i < ticks(life); ++i) life.recover();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(must(engine::recover(life.worker)).requeued, 0);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running) << "passes at the same moment count one tick";
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
    EXPECT_EQ(life.run(claim.run.id).exit->kind, ExitKind::lost);
    EXPECT_EQ(life.task().row().retries.infrastructure, 1);
}

TEST(RecoverTest, R10AnotherBootIsProofAtOnce) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.scene.reboot();
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
    EXPECT_FALSE(life.job(claim.job.id).run_id);
    EXPECT_EQ(life.recover().requeued, 0) << "recovery twice is recovery once";
}

TEST(RecoverTest, AForeignInvocationIsStoppedAndTheRunLost) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.recover();
    life.scene.units.runs(life.agent(), "started by hand");
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_EQ(life.scene.units.stopped.at(0), life.agent());
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
}

TEST(RecoverTest, R10TheCeilingStopsTheUnitBeforeTheJobIsQueuedAgain) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 1);
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_EQ(life.scene.units.stopped.at(0), life.agent());
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
}

TEST(RecoverTest, AStoppingJobWaitsForItsUnitAndItsFinish) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    const auto monitor = life.exited(0);
    life.scene.write([&](store::Tx& tx) { return store::begin_stopping(tx, claim.job.id, claim.run.id, "why"); });
    life.scene.units.runs(names::unit(names::finish_ok, "HELLO-1"), "records the exit");
    EXPECT_EQ(life.recover().requeued, 0) << "a requeued run's cgroup was empty, and its exit is on record";
    EXPECT_FALSE(life.scene.units.table.contains(life.agent()));
    must(life.finish(monitor));
    life.scene.units.is_gone(names::unit(names::finish_ok, "HELLO-1"));
    EXPECT_EQ(life.recover().requeued, 1);
    EXPECT_EQ(life.run(claim.run.id).exit->kind, ExitKind::exited);
}

TEST(RecoverTest, ARunIsQueuedAgainOnlyWhenItsUnitWasSeenEmpty) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    struct Deaf : FakeUnits {
        Status stop(const std::string&) override { return {}; }
    } units;
    units.table = life.scene.units.table;
    auto world = life.scene.world("worker");
    world.units = &units;
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 1);
    EXPECT_EQ(must(engine::recover(world)).requeued, 0);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping);
    units.is_gone(life.agent());
    EXPECT_EQ(must(engine::recover(world)).requeued, 1);
}

TEST(RecoverTest, R10ARecordedExitWithoutAFinishIsGivenOne) {
    for (const int code : {0, 3}) {
        RunLife life;
        const auto claim = life.start(Stage::development);
        life.scene.write([&](store::Tx& tx) {
            return store::record_exit(tx, claim.run.id, {ExitKind::exited, code}, life.invocation(), life.scene.now);
        });
        life.scene.units.is_gone(life.agent());
        life.scene.units.started.clear();
        for (int i = 1; i < ticks(life); ++i) EXPECT_EQ(life.recover().resumed, 0);
        EXPECT_EQ(life.recover().resumed, 1);
        ASSERT_EQ(life.scene.units.started.size(), 1u);
        EXPECT_EQ(life.scene.units.started[0].unit, names::unit(code == 0 ? names::finish_ok : names::finish_fail, "HELLO-1"));
        EXPECT_EQ(life.recover().resumed, 0) << "it is at work";
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    }
}

TEST(RecoverTest, R11ARecordedExitOutlivesTheBoot) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.commits({{"x", "x"}});
    life.scene.write([&](store::Tx& tx) {
        return store::record_exit(tx, claim.run.id, {ExitKind::exited, 0}, life.invocation(), life.scene.now);
    });
    life.scene.reboot();
    for (int i = 0; i < ticks(life); ++i) life.recover();
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running) << "what it left is on disk";
    must(life.finish({}));
    EXPECT_EQ(life.forge_file("x"), "x");
}

TEST(RecoverTest, ADeploysRunHasAPairOfItsOwn) {
    RunLife life;
    life.scene.without({Role::build});
    life.scene.project().deploy = settings::Project::Deploy{"/hook", "/config"};
    life.task().in(Stage::deploy);
    const auto claim = life.start(Role::deploy, life.forge_head());
    life.scene.write([&](store::Tx& tx) {
        return store::record_exit(tx, claim.run.id, {ExitKind::exited, 1}, life.invocation(), life.scene.now);
    });
    life.scene.units.table.clear();
    life.scene.units.started.clear();
    for (int i = 0; i < ticks(life); ++i) life.recover();
    ASSERT_FALSE(life.scene.units.started.empty());
    EXPECT_EQ(life.scene.units.started[0].unit, "orchd-deploy-fail@HELLO-1.service");
}

TEST(RecoverTest, AFinishThatHangsForHoursCallsAPerson) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.scene.write([&](store::Tx& tx) {
        return store::record_exit(tx, claim.run.id, {ExitKind::exited, 0}, life.invocation(), life.scene.now);
    });
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 600'001);
    life.scene.units.table.clear();
    life.scene.units.runs(names::unit(names::finish_ok, "HELLO-1"), "inv");
    for (int i = 0; i < 4 * ticks(life); ++i) life.recover();
    EXPECT_EQ(life.task().row().hold, Hold::infra);
    const auto posts = must(store::due_posts(life.scene.db, "journal", 10, life.scene.now));
    ASSERT_EQ(posts.size(), 1u);
    EXPECT_NE(posts[0].body.find(names::msg_alert), std::string::npos) << "as what the host's administrator looks for";
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running) << "its work is not thrown away";
}

TEST(RecoverTest, R13AStepThatDiedIsQueuedAgainAndItsLeaseReleased) {
    RunLife life;
    life.task().in(Stage::deploy);  // begins with an advance
    life.dispatch();
    const auto claim = must(store::live_jobs(life.scene.db)).at(0);
    ASSERT_EQ(claim.job.kind, JobKind::advance);
    const store::LeaseOwner owner{claim.run.unit, "step-1", life.scene.now.boot_id, 17};
    life.scene.units.runs(claim.run.unit, "step-1");
    life.scene.write([&](store::Tx& tx) -> Status {
        must(store::acquire_transition(tx, claim.job.task_id, owner, claim.run.id, Stage::deploy, {}, life.scene.now));
        return {};
    });
    for (int i = 0; i < 5; ++i) life.recover();
    EXPECT_EQ(must(store::held_transitions(life.scene.db)).size(), 1u) << "its owner lives";
    life.scene.units.is_gone(claim.run.unit);
    for (int i = 0; i < ticks(life); ++i) life.recover();
    EXPECT_TRUE(must(store::held_transitions(life.scene.db)).empty());
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
    EXPECT_EQ(life.task().row().retries.infrastructure, 1);
}

TEST(RecoverTest, R13ANewBootMakesEveryLeaseStale) {
    RunLife life;
    life.task().in(Stage::deploy);
    life.dispatch();
    const auto step = must(store::live_jobs(life.scene.db)).at(0);
    const store::LeaseOwner owner{step.run.unit, "step-1", "an earlier boot", 17};
    life.scene.write([&](store::Tx& tx) -> Status {
        must(store::acquire_transition(tx, step.job.task_id, owner, step.run.id, Stage::deploy, {}, life.scene.now));
        return {};
    });
    life.recover();
    EXPECT_TRUE(must(store::held_transitions(life.scene.db)).empty());
    EXPECT_EQ(life.task().events("lease_reclaimed").size(), 1u);
}

TEST(RecoverTest, R10UnitsThatNoJobOwnsAreStopped) {
    RunLife life;
    life.start(Stage::development);
    life.scene.units.runs(life.agent("HELLO-9"), "nobody's");
    life.scene.units.runs(names::unit(names::deploy, "HELLO-1"), "nobody's");
    life.scene.units.runs(names::unit(names::network, "HELLO-1"), "the run's");
    life.scene.units.runs(names::unit(names::network, "HELLO-9"), "nobody's");
    life.scene.units.runs(names::unit(names::finish_ok, "HELLO-9"), "ends by itself");
    life.scene.units.runs(names::unit(names::step, "HELLO-9"), "ends by itself");
    EXPECT_EQ(life.recover().stopped_units, 3);
    auto stopped = life.scene.units.stopped;
    std::ranges::sort(stopped);
    EXPECT_EQ(stopped, (std::vector<std::string>{"orchd-agent@HELLO-9.service", "orchd-deploy@HELLO-1.service",
                                                 "orchd-network@HELLO-9.service"}));
}

// Units of which the first look at one is the last that sees it empty: meanwhile its run ends well, and the next one begins.
struct GoneAndBack : FakeUnits {
    std::function<void()> meanwhile;
    UnitSeen see(const std::string& unit) override {
        const auto seen = FakeUnits::see(unit);
        if (meanwhile && unit == RunLife::agent()) std::exchange(meanwhile, nullptr)();
        return seen;
    }
};

TEST(RecoverTest, R10TheUnitOfARunThatEndedMeanwhileIsTheNextOnes) {
    RunLife life;
    life.scene.settings.reaper_dead_ticks = 1;
    const auto claim = life.start(Stage::development);
    GoneAndBack units;
    units.meanwhile = [&] {
        life.scene.write([&](store::Tx& tx) -> Status {
            must(store::finish_job(tx, claim.job.id, claim.run.id, JobStatus::done, "", "", life.scene.now));
            return {};
        });
        units.runs(life.agent(), "the next run's");
    };
    auto world = life.scene.world("worker");
    world.units = &units;
    must(engine::recover(world));
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    EXPECT_TRUE(units.stopped.empty());
}

TEST(RecoverTest, R40OneBadJobNeverStopsThePass) {
    RunLife life;
    life.task("HELLO-1").in(Stage::analysis);
    life.task("HELLO-2").in(Stage::analysis);
    life.dispatch();
    const auto first = life.live("HELLO-1");
    life.scene.write([&](store::Tx& tx) -> Status {
        must(store::begin_stopping(tx, first.job.id, first.run.id, ""));
        return {};
    });
    struct Stubborn : FakeUnits {
        Status stop(const std::string& unit) override {
            return unit.find("HELLO-1") != std::string::npos ? orchd::fail(Errc::internal, "no") : FakeUnits::stop(unit);
        }
    } units;
    units.table = life.scene.units.table;
    units.is_gone(life.agent("HELLO-2"));
    auto world = life.scene.world("worker");
    world.units = &units;
    std::vector<std::string> warned;
    world.warn = [&](const std::string& item, const std::string&) { warned.push_back(item); };
    for (int i = 0; i < ticks(life); ++i) {
        life.scene.pass(engine::between_ticks_ms);
        must(engine::recover(world));
    }
    EXPECT_EQ(must(store::list_jobs(life.scene.db, {.work_item = "HELLO-2", .status = JobStatus::queued})).size(), 1u);
    EXPECT_FALSE(warned.empty());
    EXPECT_EQ(life.live("HELLO-1").job.status, JobStatus::stopping) << "not seen empty: not queued again";
}

TEST(RecoverTest, R11KilledAnywhereItIsDoneByTheNextPass) {
    for (int n = 1;; ++n) {
        RunLife life;
        const auto claim = life.start(Stage::development);
        life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 1);
        const bool killed = killed_at(n, [&] { life.recover(); });
        if (killed) life.recover();
        SCOPED_TRACE(CrashAt::passed().empty() ? "" : CrashAt::passed().back());
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
        EXPECT_EQ(life.task().row().retries.infrastructure, 1);
        if (!killed) {
            EXPECT_GT(n, 4);
            return;
        }
    }
}

TEST(TidyTest, RemovesTheStateOfATaskThatIsOverOnce) {
    RunLife life;
    life.task().in(Stage::analysis);
    tidy(life.worker);
    EXPECT_TRUE(life.scene.units.cleaned.empty());
    must(engine::cancel(life.worker, "HELLO-1", "", "ann"));
    life.scene.units.runs(life.agent(), "still ending");
    tidy(life.worker);
    EXPECT_TRUE(life.scene.units.cleaned.empty());
    life.scene.units.is_gone(life.agent());
    tidy(life.worker);
    EXPECT_EQ(life.scene.units.cleaned.size(), 2u) << "the agent's and the deploy's";
    tidy(life.worker);
    EXPECT_EQ(life.scene.units.cleaned.size(), 2u);
}

TEST(TidyTest, AUnitThatStillEndsKeepsNoOtherTaskWaiting_R40) {
    RunLife life;
    for (const auto* item : {"HELLO-1", "HELLO-2"}) {
        life.task(item).in(Stage::analysis);
        must(engine::cancel(life.worker, item, "", "ann"));
    }
    life.scene.units.runs(life.agent("HELLO-1"), "still ending");
    const std::vector<std::string> second{"orchd-agent@HELLO-2.service", "orchd-deploy@HELLO-2.service"};
    for (int pass = 0; pass < 3; ++pass) {
        tidy(life.worker);
        EXPECT_EQ(life.scene.units.cleaned, second) << "once, in the first pass";
    }
    life.scene.units.is_gone(life.agent("HELLO-1"));
    for (int pass = 0; pass < 2; ++pass) {
        tidy(life.worker);
        EXPECT_EQ(life.scene.units.cleaned.size(), 4u) << "and the first when it may be";
    }
}

}  // namespace
}  // namespace orchd::support
