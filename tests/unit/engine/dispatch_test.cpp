// R07: claims become started units, within the limits and once.
#include "run_life.h"

namespace orchd::support {
namespace {

TEST(DispatchTest, R08StartsTheRunsUnitWithTheRolesLimitsAndNetwork) {
    RunLife life;
    auto& developer = life.scene.project().workers[Role::developer];
    developer.memory_bytes = 1 << 30;
    developer.tasks_max = 99;
    developer.network = true;
    life.task().in(Stage::development);
    ASSERT_EQ(life.dispatch(), 1);
    const auto& request = life.scene.units.started.at(0);
    EXPECT_EQ(request.unit, life.agent());
    EXPECT_EQ(request.limits.memory_bytes, 1u << 30);
    EXPECT_EQ(request.limits.tasks_max, 99);
    EXPECT_EQ(request.network_unit, "orchd-network@HELLO-1.service");
    EXPECT_TRUE(request.network);
    EXPECT_EQ(life.live().job.status, JobStatus::running);
    EXPECT_EQ(life.dispatch(), 0) << "a claimed job is not claimed again";
}

TEST(DispatchTest, ChecksNeverGetTheNetwork) {
    RunLife life;
    life.scene.project().workers[Role::test].network = true;
    life.task().in(Stage::testing);
    ASSERT_EQ(life.dispatch(), 1);
    EXPECT_FALSE(life.scene.units.started.at(0).network);
    EXPECT_FALSE(life.scene.units.started.at(0).network_unit.empty()) << "what an earlier run had is taken away";
}

TEST(DispatchTest, R07KeepsToTheLimitOfARole) {
    RunLife life;
    life.scene.project().workers[Role::analyst].max_concurrency = 1;
    life.task("HELLO-1").in(Stage::analysis);
    life.task("HELLO-2").in(Stage::analysis);
    EXPECT_EQ(life.dispatch(), 1);
    EXPECT_EQ(life.dispatch(), 0);
}

TEST(DispatchTest, R07KeepsToTheHostsLimitAndSaysThatThereIsMore) {
    RunLife life;
    life.scene.settings.max_concurrency = 2;
    for (const auto* item : {"HELLO-1", "HELLO-2", "HELLO-3"}) life.task(item).in(Stage::analysis);
    const auto first = must(life.dispatcher.pass(1));
    EXPECT_EQ(first.started, 1);
    EXPECT_TRUE(first.more);
    EXPECT_EQ(must(life.dispatcher.pass(10)).started, 1);
    EXPECT_EQ(must(life.dispatcher.pass(10)).started, 0);
}

TEST(DispatchTest, OneLookIsEnoughForAllThatIsStarted) {
    RunLife life;
    for (const auto* item : {"HELLO-1", "HELLO-2", "HELLO-3"}) life.task(item).in(Stage::analysis);
    life.scene.units.runs(names::unit(names::prepare, "HELLO-2"), "an earlier one");
    const auto result = must(life.dispatcher.pass(10));
    EXPECT_EQ(result.started, 2);
    EXPECT_EQ(result.waiting, 1);
    EXPECT_EQ(life.scene.units.looks, 1);
    for (const auto& request : life.scene.units.started) EXPECT_NE(request.unit, names::unit(names::agent, "HELLO-2"));
}

TEST(DispatchTest, StartsNothingOfAProjectWithoutAValidFile) {
    RunLife life;
    life.task().in(Stage::analysis);
    const auto kept = std::exchange(life.scene.projects.good, {});
    EXPECT_EQ(life.dispatch(), 0);
    life.scene.projects.good = kept;
    EXPECT_EQ(life.dispatch(), 1);
}

TEST(DispatchTest, WaitsForAUnitOfTheTaskThatIsStillEnding) {
    RunLife life;
    life.task().in(Stage::analysis);
    life.scene.units.runs(names::unit(names::prepare, "HELLO-1"), "an earlier one");
    auto result = must(life.dispatcher.pass(10));
    EXPECT_EQ(result.started, 0);
    EXPECT_EQ(result.waiting, 1);
    EXPECT_TRUE(life.scene.units.started.empty()) << "a StartUnit would merge with what is ending";
    life.scene.units.is_gone(names::unit(names::prepare, "HELLO-1"));
    result = must(life.dispatcher.pass(10));
    EXPECT_EQ(result.started, 1);
    EXPECT_EQ(result.waiting, 0);
}

TEST(DispatchTest, ForgetsAWaitingClaimThatWasTakenBack) {
    RunLife life;
    life.task().in(Stage::analysis);
    life.scene.units.runs(life.agent(), "an earlier one");
    ASSERT_EQ(must(life.dispatcher.pass(10)).waiting, 1);
    const auto claim = life.live();
    life.scene.write([&](store::Tx& tx) { return store::begin_stopping(tx, claim.job.id, claim.run.id, "taken back"); });
    life.scene.units.is_gone(life.agent());
    const auto result = must(life.dispatcher.pass(10));
    EXPECT_EQ(result.started, 0);
    EXPECT_EQ(result.waiting, 0);
}

TEST(DispatchTest, AUnitThatSystemdRefusesIsQueuedAgainWithBackOff) {
    RunLife life;
    life.task().in(Stage::analysis);
    life.scene.units.refuses.insert(life.agent());
    EXPECT_EQ(life.dispatch(), 0);
    EXPECT_EQ(life.live().job.status, JobStatus::stopping);
    EXPECT_EQ(life.recover().requeued, 1);
    const auto jobs = life.queued();
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_FALSE(jobs[0].job.run_id) << "R09: a queued job carries no run";
    EXPECT_GT(jobs[0].job.available_at, life.scene.now.utc_ms);
    EXPECT_NE(jobs[0].job.error.find("could not be started"), std::string::npos);
}

TEST(DispatchTest, R11AClaimWhoseStartWasLostIsQueuedAgain) {
    RunLife life;
    life.task().in(Stage::analysis);
    EXPECT_THROW(
        {
            CrashAt crash(3);  // claim.before, claim.after, start.before
            (void)life.dispatcher.pass(10);
        },
        Crashed);
    EXPECT_EQ(CrashAt::passed().back(), "dispatch.start.before");
    ASSERT_TRUE(life.scene.units.started.empty());
    engine::Dispatcher another(life.worker);
    EXPECT_EQ(must(another.pass(10)).started, 0) << "it is claimed: only recovery may take it back";
    for (int i = 1; i < life.scene.settings.reaper_dead_ticks; ++i) EXPECT_EQ(life.recover().requeued, 0);
    EXPECT_EQ(life.recover().requeued, 1);
    life.scene.pass(1'000'000);
    EXPECT_EQ(must(another.pass(10)).started, 1);
}

}  // namespace
}  // namespace orchd::support
