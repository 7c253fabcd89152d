// R09, R10, R13, R38: leases that nobody owns any more, what the switches leave alone, and that one pass is made at a time.
#include <algorithm>

#include "engine/leases.h"
#include "engine/operate.h"
#include "engine/strays.h"
#include "run_life.h"
#include "store/pass_lock.h"

namespace orchd::support {
namespace {

const std::string other = "other.service";

// HELLO-1's transition lease, held by a unit that is no step of it.
void lease_to(RunLife& life, const std::string& unit) {
    const store::LeaseOwner owner{unit, "x", life.scene.now.boot_id, 7};
    life.scene.write([&](store::Tx& tx) {
        return store::acquire_transition(tx, life.task().row().id, owner, 0, Stage::development, std::nullopt, life.scene.now);
    });
}
bool leased(RunLife& life) { return !must(store::held_transitions(life.scene.db)).empty(); }

TEST(ReaperTest, R13_ALivingOwnerIsDeferredToUntilTheCeilingThenStoppedAndItsLeaseTakenWithOneAlert) {
    RunLife life;
    life.task().in(Stage::development);
    life.scene.units.runs(other, "x");
    lease_to(life, other);
    for (int i = 0; i < 5; ++i) life.recover();
    EXPECT_TRUE(leased(life));
    EXPECT_TRUE(life.scene.units.stopped.empty());
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000);
    EXPECT_EQ(life.recover().leases, 1);
    EXPECT_FALSE(leased(life));
    EXPECT_EQ(life.scene.units.stopped, std::vector{other});
    life.recover();
    ASSERT_EQ(life.task().events("lease_reclaimed").size(), 1u);
    EXPECT_NE(life.task().events("lease_reclaimed")[0].find("\"forced\":1"), std::string::npos);
    EXPECT_EQ(life.task().events("alert").size(), 1u);
    const auto posts = must(store::due_posts(life.scene.db, "journal", 10, life.scene.now));
    const bool told = std::any_of(posts.begin(), posts.end(), [](const store::OutboxRow& post) {
        return post.body.find(names::msg_lease_forced) != std::string::npos;
    });
    EXPECT_TRUE(told);
}

TEST(ReaperTest, R13_AnOwnerThatCannotBeStoppedKeepsItsLease) {
    RunLife life;
    life.task().in(Stage::development);
    life.scene.units.runs(other, "x");
    lease_to(life, other);
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 1);
    struct Deaf : FakeUnits {
        Status stop(const std::string&) override { return {}; }
    } units;
    units.table = life.scene.units.table;
    auto world = life.scene.world("worker");
    world.units = &units;
    EXPECT_EQ(must(engine::recover(world)).leases, 0);
    EXPECT_TRUE(leased(life)) << "by force means: its unit was seen empty";
}

TEST(ReaperTest, R10_TheUnitOfAStepThatLetGoOfItsLeaseMeanwhileIsTheNextOnes) {
    RunLife life;
    life.task().in(Stage::development);
    life.scene.units.is_gone(other);
    lease_to(life, other);
    struct GoneAndBack : FakeUnits {
        std::function<void()> meanwhile;
        UnitSeen see(const std::string& unit) override {
            const auto seen = FakeUnits::see(unit);
            if (unit == other) std::exchange(meanwhile, [] {})();
            return seen;
        }
    } units;
    units.meanwhile = [&] {
        life.scene.write([&](store::Tx& tx) -> Status {
            const auto fence = must(store::find_transition(tx.db(), life.task().row().id))->fence;
            EXPECT_TRUE(must(store::release_transition(tx, life.task().row().id, fence)));
            return {};
        });
        units.runs(other, "the next one's");
    };
    auto world = life.scene.world("worker");
    world.units = &units;
    EXPECT_EQ(must(engine::recover(world)).leases, 0);
    EXPECT_TRUE(units.stopped.empty());
}

TEST(ReaperTest, R10_AReapedStepLosesItsLeaseInTheSameTransaction) {
    RunLife life;
    life.task().in(Stage::deploy);
    life.dispatch();
    const auto step = must(store::live_jobs(life.scene.db)).at(0);
    life.scene.write([&](store::Tx& tx) {
        return store::acquire_transition(tx, step.job.task_id, {step.run.unit, "step-1", life.scene.now.boot_id, 7},
                                         step.run.id, Stage::deploy, {}, life.scene.now);
    });
    life.scene.settings.lease_reclaim_enabled = false;
    life.scene.units.is_gone(step.run.unit);
    for (int i = 0; i < life.scene.settings.reaper_dead_ticks; ++i) life.recover();
    EXPECT_EQ(life.job(step.job.id).status, JobStatus::queued);
    EXPECT_FALSE(leased(life));
}

TEST(ReaperTest, R38_WithoutLeaseReclaimTheNextStepTakesOver) {
    RunLife life;
    life.task().in(Stage::development);
    lease_to(life, other);
    life.scene.settings.lease_reclaim_enabled = false;
    for (int i = 0; i < 5; ++i) life.recover();
    EXPECT_TRUE(leased(life));
    life.scene.settings.lease_reclaim_enabled = true;
    EXPECT_EQ(life.recover().leases, 1);
    EXPECT_FALSE(leased(life));
}

TEST(ReaperTest, R12_AStaleMergeOrTargetLeaseIsDeletedAndWhoWaitsForItAsked) {
    for (const auto& [kind, key, waits] :
         {std::tuple(store::LeaseKind::merge, std::string(), engine::wait_merge_lease),
          std::tuple(store::LeaseKind::target, engine::staging_target("hello"), engine::wait_staging_target)}) {
        RunLife life;
        life.task("HELLO-1").in(Stage::development);
        life.task("HELLO-2").in(Stage::development);
        const auto holder = life.task("HELLO-1").row(), waiter = life.task("HELLO-2").row();
        const auto repository = key.empty() ? "local:" + life.scene.project().forge_path : key;
        const auto job = life.queued("HELLO-1").at(0).job.id;
        life.scene.write([&](store::Tx& tx) -> Status {
            must(store::acquire_held(tx, kind, repository, holder.id, job, life.scene.now));
            return store::set_waiting(tx, waiter.id, waits, "", life.scene.now);
        });
        EXPECT_EQ(life.recover().leases, 0) << "its job is live";
        life.scene.write([&](store::Tx& tx) { return store::cancel_queued(tx, job, "by hand", life.scene.now); });
        EXPECT_EQ(life.recover().leases, 1);
        EXPECT_FALSE(must(store::find_held(life.scene.db, kind, repository)));
        EXPECT_TRUE(life.scene.runs("HELLO-2", Role::step)) << "no waiting for its own next look";
        EXPECT_EQ(life.task("HELLO-1").events("lease_reclaimed").size(), 1u);
    }
}

TEST(ReaperTest, R10_APrepareFinishOrStepThatNoJobOwnsIsStoppedOnceItDoesNotEndByItself) {
    RunLife life;
    life.task().in(Stage::development);
    std::vector<std::string> stray;
    for (const auto stem :
         {names::step, names::prepare, names::finish_ok, names::finish_fail, names::deploy_ok, names::deploy_fail})
        stray.push_back(names::unit(stem, "HELLO-9"));
    for (const auto& unit : stray) life.scene.units.runs(unit, "stuck");
    life.recover();
    life.scene.pass(engine::stray_patience_ms - 3 * engine::between_ticks_ms);
    life.recover();
    EXPECT_TRUE(life.scene.units.stopped.empty()) << "it may be about to end";
    life.scene.units.runs(stray[0], "started anew");
    life.scene.pass(2 * engine::between_ticks_ms);
    auto reaper = life.scene.world("reaper");  // another process than the one that saw them first
    must(engine::recover(reaper));
    EXPECT_EQ(std::set(life.scene.units.stopped.begin(), life.scene.units.stopped.end()),
              std::set(stray.begin() + 1, stray.end()));
    life.scene.pass(engine::stray_patience_ms);
    life.recover();
    EXPECT_EQ(life.scene.units.stopped.back(), stray[0]);
}

TEST(ReaperTest, R10_UnitsOfALiveRunAreNeverStrays) {
    RunLife life;
    life.start(Stage::development);
    life.task("HELLO-2").in(Stage::deploy);
    life.dispatch();
    for (const auto stem : {names::prepare, names::finish_ok, names::network})
        life.scene.units.runs(names::unit(stem, "HELLO-1"), "x");
    for (int i = 0; i < 100; ++i) life.recover();
    EXPECT_TRUE(life.scene.units.stopped.empty()) << life.scene.units.stopped.front();
}

TEST(ReaperTest, R10_AStrayIsJudgedAnewAfterABoot) {
    RunLife life;
    const auto step = names::unit(names::step, "HELLO-9");
    life.scene.units.runs(step, "x");
    life.recover();
    life.scene.reboot();
    life.scene.pass(2 * engine::stray_patience_ms);
    life.scene.units.runs(step, "x");
    life.recover();
    EXPECT_TRUE(life.scene.units.stopped.empty());
}

TEST(ReaperTest, R38_SwitchedOffNothingOfThisBootIsJudged) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.scene.settings.reaper_enabled = false;
    life.scene.units.runs(life.agent("HELLO-9"), "nobody's");
    life.scene.units.is_gone(life.agent());
    for (int i = 0; i < 10; ++i) EXPECT_EQ(engine::describe(life.recover()), "");
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 1);
    EXPECT_EQ(engine::describe(life.recover()), "");
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    EXPECT_TRUE(life.scene.units.stopped.empty());
    life.scene.reboot();
    EXPECT_EQ(life.recover().requeued, 1) << "another boot is no judgement";
}

TEST(ReaperTest, R10_OnePassIsMadeAtATime) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.scene.reboot();
    {
        const auto held = must(store::PassLock::try_take(life.scene.db.path()));
        ASSERT_TRUE(held);
        const auto done = life.recover();
        EXPECT_TRUE(done.elsewhere);
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::running);
    }
    EXPECT_EQ(life.recover().requeued, 1);
}

TEST(ReaperTest, NothingWaitsForEver_AUnitThatCannotBeStoppedCallsAPerson) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    struct Deaf : FakeUnits {
        Status stop(const std::string&) override { return orchd::fail(Errc::unavailable, "is still being stopped"); }
    } units;
    units.table = life.scene.units.table;
    auto world = life.scene.world("worker");
    world.units = &units;
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 1);
    must(engine::recover(world));
    EXPECT_EQ(life.task().row().hold, Hold::none);
    life.scene.pass(600'001);
    must(engine::recover(world));
    EXPECT_EQ(life.task().row().hold, Hold::infra);
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::stopping) << "not seen empty: not queued again";
}

TEST(ReaperTest, R09_ImpossibleRowsOfAForeignHandAreHealedByEveryPass) {
    RunLife life;
    life.task().in(Stage::development);
    const auto job = life.queued().at(0).job;
    must(life.scene.db.execute(
        "PRAGMA ignore_check_constraints = ON; INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot)"
        " SELECT id, task_id, 'u', 'b', 0, 0 FROM jobs; UPDATE jobs SET run_id = (SELECT max(id) FROM runs), started_at = 5,"
        " finished_at = 6; PRAGMA ignore_check_constraints = OFF"));
    life.scene.settings.impossible_queued_sanitize_enabled = false;
    EXPECT_EQ(life.recover().healed, 0);
    life.scene.settings.impossible_queued_sanitize_enabled = true;
    EXPECT_EQ(life.recover().healed, 1);
    EXPECT_EQ(life.recover().healed, 0);
    EXPECT_EQ(must(store::find_state(life.scene.db, "impossible_queued_total"))->value, "1");
    EXPECT_EQ(life.dispatch(), 1) << "and it can be claimed";
    EXPECT_EQ(life.live().job.id, job.id);
}

TEST(ReleaseLease, R13_ALivingOwnerKeepsItsLeaseUnlessForced) {
    RunLife life;
    life.task().in(Stage::development);
    auto control = life.scene.world("control");
    const engine::LeaseRelease asked{.key = "HELLO-1", .reason = "it hangs"}, forced{"HELLO-1", "it hangs", true};
    EXPECT_EQ(engine::release_transition(control, asked, "ada").error().code, Errc::conflict) << "nobody holds it";
    life.scene.units.runs(other, "x");
    lease_to(life, other);
    const auto refused = engine::release_transition(control, asked, "ada");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_NE(refused.error().text.find(other), std::string::npos);
    EXPECT_TRUE(leased(life));
    {
        const auto pass = must(store::PassLock::try_take(life.scene.db.path()));
        EXPECT_EQ(engine::release_transition(control, forced, "ada").error().code, Errc::unavailable);
    }
    must(engine::release_transition(control, forced, "ada"));
    EXPECT_FALSE(leased(life));
    EXPECT_EQ(life.scene.units.stopped, std::vector{other});
    EXPECT_NE(life.task().events("lease_reclaimed").at(0).find("it hangs"), std::string::npos);
    lease_to(life, "gone.service");
    must(engine::release_transition(control, asked, "ada"));
    EXPECT_FALSE(leased(life));
}

TEST(ReleaseLease, R12_AMergeLeaseIsTakenFromARunByCancellingItAndAskingAnew) {
    RunLife life;
    life.task().in(Stage::deploy_staging);
    life.task("HELLO-2").in(Stage::deploy_staging);
    must(life.scene.step("HELLO-1"));
    must(life.scene.step("HELLO-2"));
    const auto key = engine::staging_target("hello");
    ASSERT_TRUE(life.scene.runs("HELLO-1", Role::staging));
    life.scene.units.runs(life.agent(), "staging");
    auto control = life.scene.world("control");
    EXPECT_EQ(engine::release_held(control, {.key = "no such"}, "ada").error().code, Errc::no_such);
    EXPECT_EQ(engine::release_held(control, {.key = key}, "ada").error().code, Errc::conflict);
    must(engine::release_held(control, {key, "urgent", true}, "ada"));
    EXPECT_EQ(life.scene.units.stopped, std::vector{life.agent()});
    EXPECT_FALSE(must(store::live_run_job(life.scene.db, life.task().row().id)));
    EXPECT_FALSE(must(store::find_held(life.scene.db, store::LeaseKind::target, key)));
    EXPECT_TRUE(life.scene.runs("HELLO-1", Role::step)) << "it asks for its lease again";
    EXPECT_TRUE(life.scene.runs("HELLO-2", Role::step)) << "and who waits goes on";
}

TEST(ReleaseLease, R38_NoPassIsAskedForWhileTheReaperIsOff) {
    RunLife life;
    auto control = life.scene.world("control");
    must(engine::reap_now(control, "ada"));
    EXPECT_EQ(life.scene.units.started.at(0).unit, "orchd-reaper.service");
    life.scene.settings.reaper_enabled = false;
    EXPECT_EQ(engine::reap_now(control, "ada").error().code, Errc::conflict);
}

}  // namespace
}  // namespace orchd::support
