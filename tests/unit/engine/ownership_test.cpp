// R12, R13: who may move a task, and who may use a target: transition leases, fences, lost races, staging and production
// targets.
#include "core/boundary.h"
#include "engine/advance_fixture.h"
#include "engine/leases.h"

namespace orchd::engine {
namespace {

using Ownership = Advance;

TEST_F(Ownership, R13_TakesOverTheLeaseOfAnotherBootAtOnce) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    scene.write([&](store::Tx& tx) {
        return store::acquire_transition(tx, task().row().id, {"orchd-step@HELLO-1.service", "old", scene.now.boot_id, 7}, 0,
                                         Stage::review, std::nullopt, scene.now);
    });
    scene.reboot();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
    EXPECT_EQ(task().events("lease_reclaimed").size(), 1u);
    EXPECT_EQ(must(store::find_transition(scene.db, task().row().id))->fence, 2);
}

TEST_F(Ownership, R13_TakesOverFromAnEarlierInvocationOfItsUnit) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    scene.write([&](store::Tx& tx) {
        return store::acquire_transition(tx, task().row().id, {"orchd-step@HELLO-1.service", "killed", scene.now.boot_id, 7}, 0,
                                         Stage::review, std::nullopt, scene.now);
    });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
    EXPECT_TRUE(scene.units.stopped.empty());
}

TEST_F(Ownership, R13_StopsAnEmptyUnitBeforeItTakesItsLease) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    scene.write([&](store::Tx& tx) {
        return store::acquire_transition(tx, task().row().id, {"other.service", "x", scene.now.boot_id, 7}, 0, Stage::review,
                                         std::nullopt, scene.now);
    });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
    EXPECT_EQ(scene.units.stopped, std::vector<std::string>{"other.service"});
}

TEST_F(Ownership, R13_ALivingOwnerIsLeftAloneAndTheJobPutBackUntilItsAttemptsRunOut) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    scene.units.runs("other.service", "x");
    scene.write([&](store::Tx& tx) {
        return store::acquire_transition(tx, task().row().id, {"other.service", "x", scene.now.boot_id, 7}, 0, Stage::review,
                                         std::nullopt, scene.now);
    });
    for (int attempt = 1; attempt <= scene.settings.job_max_attempts; ++attempt) {
        ASSERT_EQ(task().row().hold, Hold::none);
        must(scene.step("HELLO-1"));
        EXPECT_EQ(task().stage(), Stage::review);
        scene.claim();
        EXPECT_TRUE(scene.running.empty()) << "it waits for its time";
        scene.pass(scene.settings.backoff_cap_s * 1000);
    }
    EXPECT_EQ(task().row().hold, Hold::infra) << "never silence";
    EXPECT_EQ(posts("orchctl task release HELLO-1").size(), 1u);
    EXPECT_TRUE(scene.units.stopped.empty());
}

TEST_F(Ownership, R38_WithoutLeasesTheCompareAndSwapAloneDecides) {
    scene.settings.transition_lease_enabled = false;
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
    EXPECT_FALSE(must(store::find_transition(scene.db, task().row().id)));
}

TEST_F(Ownership, R38_OnlyListedProjectsTakeTheLease) {
    scene.settings.transition_lease_repos = {"another"};
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::testing);
    EXPECT_FALSE(must(store::find_transition(scene.db, task().row().id)));
    scene.settings.transition_lease_repos = {"another", "hello"};
    auto listed = task("HELLO-2").in(Stage::testing);
    scene.work("HELLO-2", Role::test);
    must(scene.step("HELLO-2"));
    EXPECT_EQ(listed.stage(), Stage::deploy_staging);
    EXPECT_TRUE(must(store::find_transition(scene.db, listed.row().id)));
}

// A hook at the boundary before the finishing commit, where others may be faster.
std::function<void()> meanwhile;
std::string_view at_boundary;
class Meanwhile {
public:
    explicit Meanwhile(std::function<void()> what, std::string_view at = "advance.move.before") {
        meanwhile = std::move(what);
        at_boundary = at;
        set_boundary_hook([](std::string_view name) {
            if (name == at_boundary && meanwhile) std::exchange(meanwhile, nullptr)();
        });
    }
    ~Meanwhile() { set_boundary_hook(nullptr); }
};

TEST_F(Ownership, R13_ALostRaceWritesNothingAndLooksAgain) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    const auto before = task().row();
    {
        Meanwhile other([&] {
            scene.write([&](store::Tx& tx) {
                return store::write_stage(tx, before.id, Stage::review, before.stage_seq, Stage::development, {}, "by hand", 99,
                                          scene.now);
            });
        });
        must(scene.step("HELLO-1"));
    }
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_EQ(task().row().stage_seq, before.stage_seq + 1);
    EXPECT_TRUE(task().events("stage_changed").empty());
    EXPECT_FALSE(scene.runs("HELLO-1", Role::test));
    EXPECT_TRUE(scene.runs("HELLO-1", Role::step)) << "it looks again";
    EXPECT_TRUE(must(store::held_transitions(scene.db)).empty());
}

TEST_F(Ownership, R13_AHoldThatComesInTheLastMomentIsKept) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    {
        Meanwhile other([&] {
            scene.write([&](store::Tx& tx) { return store::set_hold(tx, task().row().id, Hold::human, "stop", scene.now); });
        });
        must(scene.step("HELLO-1"));
    }
    EXPECT_EQ(task().stage(), Stage::review);
    EXPECT_EQ(task().row().hold, Hold::human);
}

TEST_F(Ownership, R13_AnOldFenceStopsAtOnce) {
    task().in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    {
        Meanwhile other([&] {
            const auto lease = must(store::find_transition(scene.db, task().row().id));
            scene.write([&](store::Tx& tx) {
                return store::acquire_transition(tx, task().row().id, {"other.service", "new", scene.now.boot_id, 8}, 0,
                                                 Stage::review, lease->owner, scene.now);
            });
        });
        const auto stepped = scene.step("HELLO-1");
        ASSERT_FALSE(stepped);
        EXPECT_EQ(stepped.error().code, Errc::conflict);
    }
    EXPECT_EQ(task().stage(), Stage::review);
    EXPECT_EQ(must(store::find_transition(scene.db, task().row().id))->owner->unit, "other.service") << "not released either";
    EXPECT_EQ(must(store::running_advance(scene.db, task().row().id))->status, JobStatus::running);
}

TEST_F(Ownership, R12_StagingIsWorkedByOneTaskOfAProjectAtATime) {
    task("HELLO-1").in(Stage::deploy_staging);
    task("HELLO-2").in(Stage::deploy_staging);
    must(scene.step("HELLO-1"));
    must(scene.step("HELLO-2"));
    EXPECT_TRUE(scene.runs("HELLO-1", Role::staging));
    EXPECT_FALSE(scene.runs("HELLO-2", Role::staging));
    EXPECT_EQ(task("HELLO-2").row().waiting_for, wait_staging_target);
    scene.work("HELLO-1", Role::staging);
    must(scene.step("HELLO-1"));  // gives the target up
    must(scene.step("HELLO-2"));  // and so it is asked at once
    EXPECT_TRUE(scene.runs("HELLO-2", Role::staging));
    EXPECT_EQ(task("HELLO-2").row().waiting_for, "");
}

TEST_F(Ownership, R12_AWaitingTaskLooksAgainByItselfIfTheHolderDied) {
    task("HELLO-1").in(Stage::deploy_staging);
    task("HELLO-2").in(Stage::deploy_staging);
    must(scene.step("HELLO-1"));
    must(scene.step("HELLO-2"));
    scene.claim();
    const auto staging = *std::ranges::find(scene.running, "HELLO-1", &store::Claim::work_item);
    scene.write([&](store::Tx& tx) {
        return store::finish_job(tx, staging.job.id, staging.run.id, JobStatus::failed, "lost", "", scene.now);
    });
    EXPECT_FALSE(scene.runs("HELLO-2", Role::step));
    scene.pass(scene.settings.backoff_cap_s * 1000);
    must(scene.step("HELLO-2"));
    EXPECT_TRUE(scene.runs("HELLO-2", Role::staging));
}

TEST_F(Ownership, R12_ARunThatStoodStillUnderALeaseStartsOnlyWithIt) {
    task("HELLO-1").in(Stage::deploy_staging);
    task("HELLO-2").in(Stage::deploy_staging);
    must(scene.step("HELLO-1"));
    const auto first = task("HELLO-1").row().id;
    scene.write([&](store::Tx& tx) { return store::pause_task(tx, first, "alice", "lunch", scene.now); });
    must(scene.step("HELLO-2"));
    EXPECT_TRUE(scene.runs("HELLO-2", Role::staging)) << "a paused task stands in nobody's way";
    EXPECT_FALSE(must(store::live_run_job(scene.db, first))) << "its own run is not left to start beside it";
    scene.write([&](store::Tx& tx) { return store::resume_task(tx, first, scene.now); });
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task("HELLO-1").row().waiting_for, wait_staging_target);
    scene.settle();
    EXPECT_EQ(task("HELLO-1").stage(), Stage::done);
    EXPECT_EQ(task("HELLO-2").stage(), Stage::done);
}

TEST_F(Ownership, R12_AJobThatIsRetriedByAPersonWaitsForItsLeaseToo) {
    task("HELLO-1").in(Stage::deploy_staging);
    task("HELLO-2").in(Stage::deploy_staging);
    must(scene.step("HELLO-1"));
    auto world = scene.world("control");
    const auto job = must(store::live_run_job(scene.db, task("HELLO-1").row().id));
    must(cancel_job(world, job->id, "uid:1000 alice"));
    EXPECT_EQ(task("HELLO-1").row().hold, Hold::human);
    must(scene.step("HELLO-2"));
    EXPECT_TRUE(scene.runs("HELLO-2", Role::staging));
    must(retry_job(world, job->id, "uid:1000 alice"));
    EXPECT_EQ(task("HELLO-1").row().hold, Hold::none);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task("HELLO-1").row().waiting_for, wait_staging_target);
}

// HELLO-2 is merged after HELLO-1, and contains it; both are to be deployed.
class TwoToDeploy : public Ownership {
protected:
    TwoToDeploy() {
        for (const char* item : {"HELLO-1", "HELLO-2"}) {
            task(item).in(Stage::testing);
            task(item).commits({{item, "x\n"}});
            scene.work(item, Role::test);
            must(scene.step(item));
            must(scene.step(item));
            scene.work(item, Role::staging);
            must(scene.step(item));
            scene.work(item, Role::retest);
            must(scene.step(item));
            EXPECT_EQ(task(item).stage(), Stage::deploy);
        }
    }
    void deploy(const char* item) {
        must(scene.step(item));
        scene.work(item, Role::build);
        must(scene.step(item));
        scene.work(item, Role::deploy);
        must(scene.step(item));
        EXPECT_EQ(task(item).stage(), Stage::done);
    }
};

TEST_F(TwoToDeploy, R12_AStepThatWasOvertakenDeploysNothingOlder) {
    {
        Meanwhile other([&] { deploy("HELLO-2"); }, "advance.work.before");
        must(scene.step("HELLO-1"));
    }
    EXPECT_FALSE(scene.runs("HELLO-1", Role::build));
    scene.settle();
    EXPECT_EQ(task("HELLO-1").stage(), Stage::done);
    EXPECT_EQ(must(store::live_release(scene.db, "hello"))->commit, task("HELLO-2").row().merged);
}

TEST_F(TwoToDeploy, R12_ACommitOlderThanTheLiveOneIsNeverDeployed) {
    must(scene.step("HELLO-2"));  // the later merge is deployed first
    scene.work("HELLO-2", Role::build);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task("HELLO-1").row().waiting_for, wait_deploy_target);
    must(scene.step("HELLO-2"));
    scene.work("HELLO-2", Role::deploy);
    must(scene.step("HELLO-2"));
    EXPECT_EQ(task("HELLO-2").stage(), Stage::done);
    scene.settle();
    EXPECT_EQ(task("HELLO-1").stage(), Stage::done);
    EXPECT_EQ(must(store::live_release(scene.db, "hello"))->commit, task("HELLO-2").row().merged);
    const auto answers = task("HELLO-1").events("gate_answered");
    EXPECT_NE(answers.back().find("superseded"), std::string::npos) << answers.back();
}

}  // namespace
}  // namespace orchd::engine
