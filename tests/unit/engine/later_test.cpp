// R04, R08: a run that ends with 75 asks to come later. It is waited for, with growing waits or until the time it names, and no
// longer than `defer_limit_s`: nobody's fault, and no infrastructure.
#include "engine/later.h"

#include "core/utc_text.h"
#include "engine/operate.h"
#include "engine/why.h"
#include "run_life.h"

namespace orchd::support {
namespace {

constexpr std::int64_t minute_ms = 60'000, hour_ms = 60 * minute_ms;

class LaterTest : public testing::Test {
protected:
    RunLife life;
    Scene& scene = life.scene;
    std::int64_t job_id = 0;

    // The stage's first run asks to come later.
    void asks(Stage stage) {
        job_id = life.start(stage).job.id;
        ends_with_75();
    }
    void ends_with_75() {
        life.ends(75);
        life.recover();
        std::filesystem::remove_all(scene.folder / "left/result");  // as the launcher of the next run does
    }
    store::Job job() { return life.job(job_id); }
    std::int64_t wait_ms() { return job().available_at - scene.now.utc_ms; }
    void comes_again() {
        scene.pass(wait_ms());
        life.start();
    }
    std::string rfc3339(std::int64_t utc_ms) {
        auto text = utc_text(utc_ms);  // "2026-07-01 10:00:00 UTC"
        text[10] = 'T';
        return text.substr(0, 19) + "Z\n";
    }
    engine::Why why() {
        const auto view = view_of(scene.world());
        const auto task = life.task().row();
        return engine::why(task, must(engine::look_around(view, task)), must(engine::look_at_host(view)));
    }
};

TEST_F(LaterTest, IsWaitedForWithGrowingWaitsAndHoldsNothing) {
    asks(Stage::testing);
    std::int64_t before = 0;
    for (int times = 1; times <= 2 * scene.settings.job_max_attempts; ++times) {
        EXPECT_EQ(job().status, JobStatus::queued);
        EXPECT_EQ(job().deferrals, times);
        EXPECT_GT(wait_ms(), before) << times;
        before = std::min(wait_ms(), scene.settings.defer_cap_s * 1000 / 2);
        EXPECT_EQ(life.task().row().hold, Hold::none) << life.task().row().hold_reason;
        comes_again();
        ends_with_75();
    }
    EXPECT_EQ(life.task().row().retries.infrastructure, 0);
    EXPECT_FALSE(life.verdict(Gate::tests_passed));
    comes_again();
    life.ends(0);
    EXPECT_EQ(life.verdict(Gate::tests_passed)->colour, Colour::green);
}

TEST_F(LaterTest, SaysSoAndWhenAndHowOften) {
    const auto since = scene.now.utc_ms;
    asks(Stage::development);
    const auto at = utc_text(job().available_at);
    EXPECT_EQ(why().text, "Asked to come later: job " + std::to_string(job_id) + " (developer) is started again at " + at +
                              ": the developer's run asked to come later (once since " + utc_text(scene.now.utc_ms) + ").");
    EXPECT_EQ(why().until, job().available_at);
    EXPECT_FALSE(why().needs_you);
    comes_again();
    EXPECT_TRUE(contains(why().text, "Under way")) << why().text;
    ends_with_75();
    EXPECT_TRUE(contains(why().text, "(2 times since " + utc_text(since).substr(0, 10))) << why().text;
    comes_again();
    must(life.finish({"signal", "killed", "KILL", life.invocation()}));
    life.recover();
    EXPECT_TRUE(contains(why().text, "Backing off")) << "that one died: " << why().text;
    EXPECT_FALSE(contains(why().text, "asked to come later")) << why().text;
}

TEST_F(LaterTest, ATimeThatItNamesIsKept) {
    const auto at = (scene.now.utc_ms / 1000 + 7200) * 1000;
    for (const auto& text : {rfc3339(at), std::to_string(at / 1000)}) {
        life.start(Stage::testing);
        job_id = life.live().job.id;
        life.leaves("retry_at", text);
        ends_with_75();
        EXPECT_EQ(job().available_at, at) << text;
        EXPECT_EQ(job().retry_at, at);
        EXPECT_TRUE(contains(why().text, "asked to come later, at " + utc_text(at))) << why().text;
        scene.write([&](store::Tx& tx) { return store::cancel_queued(tx, job_id, "", scene.now); });
    }
}

TEST_F(LaterTest, ATimeThatIsNoneOrPastIsSaidAndNotHeeded) {
    struct Left {
        std::string text, said;
    };
    const auto past = scene.now.utc_ms - hour_ms;
    for (const auto& left : {Left{"tomorrow\x1b[31m", "its retry_at is no time (\"tomorrow [31m\"), and is not heeded"},
                             Left{"", "its retry_at is no time (\"\"), and is not heeded"},
                             Left{rfc3339(past), "its retry_at is past (" + utc_text(past)},
                             Left{std::string(5000, '1'), "its retry_at cannot be read"}}) {
        life.start(Stage::testing);
        job_id = life.live().job.id;
        life.leaves("retry_at", left.text);
        ends_with_75();
        EXPECT_LE(wait_ms(), scene.settings.backoff_base_s * 1000);
        EXPECT_TRUE(contains(why().text, left.said)) << why().text;
        scene.write([&](store::Tx& tx) { return store::cancel_queued(tx, job_id, "", scene.now); });
    }
}

TEST_F(LaterTest, WhatAnEarlierRunLeftIsNotThisOnes) {
    life.task().in(Stage::testing);
    life.dispatch();
    must(life.prepare());
    job_id = life.live().job.id;
    life.leaves("retry_at", rfc3339(scene.now.utc_ms + 5 * hour_ms));
    ends_with_75();  // and never took its spec
    EXPECT_LE(wait_ms(), scene.settings.backoff_base_s * 1000);
}

TEST_F(LaterTest, R04BeyondItsLimitItIsEscalatedOnceAndSaysHowOftenSinceWhen) {
    scene.settings.defer_limit_s = 600;
    const auto begin = scene.now.utc_ms;
    asks(Stage::testing);
    int times = 1;
    for (; life.task().row().hold == Hold::none; ++times) {
        ASSERT_LT(times, 50) << "there is no end to it";
        comes_again();
        ends_with_75();
    }
    EXPECT_LE(scene.now.utc_ms - begin, 600'000 + 1000 * times);
    const auto row = life.task().row();
    EXPECT_EQ(row.hold, Hold::escalated);
    EXPECT_EQ(row.hold_reason, "job " + std::to_string(job_id) + " (test): the test's run asked to come later (" +
                                   std::to_string(times) + " times since " + utc_text(*job().deferred_since) +
                                   "); a run is waited for so for 10 min at most (defer_limit_s)");
    EXPECT_EQ(row.retries.infrastructure, 0);
    EXPECT_EQ(must(store::due_posts(scene.db, "journal", 10, scene.now)).size(), 1u);

    auto control = scene.world("control");
    must(engine::release_hold(control, "HELLO-1", "ann"));  // the hold alone: the next time is one too many
    for (const auto& queued : life.queued())
        if (queued.job.role == Role::step) must(scene.step("HELLO-1"));
    scene.pass(hour_ms);
    life.start();
    job_id = life.live().job.id;
    ends_with_75();
    EXPECT_EQ(life.task().row().hold, Hold::escalated);

    must(engine::retry(control, "HELLO-1", "ann"));  // anew
    scene.pass(hour_ms);
    life.start();
    job_id = life.live().job.id;
    EXPECT_EQ(job().deferrals, 0);
    ends_with_75();
    EXPECT_EQ(life.task().row().hold, Hold::none);
}

TEST_F(LaterTest, R04ATimeBeyondTheLimitIsAPersonsAtOnce) {
    const auto at = (scene.now.utc_ms / 1000 + 400 * 86'400) * 1000;
    life.start(Stage::development);
    job_id = life.live().job.id;
    life.leaves("retry_at", rfc3339(at));
    ends_with_75();
    EXPECT_EQ(life.task().row().hold, Hold::escalated);
    EXPECT_TRUE(contains(life.task().row().hold_reason, "asked to come later, at " + utc_text(at) + " (once since"))
        << life.task().row().hold_reason;
    EXPECT_TRUE(contains(life.task().row().hold_reason, "24 h at most (defer_limit_s)"));
    EXPECT_LT(wait_ms(), hour_ms) << "and once it is released it is not waited for so long";
}

TEST_F(LaterTest, DeathsInBetweenCountApart) {
    scene.settings.job_max_attempts = 3;
    asks(Stage::testing);
    for (int deaths = 1; deaths <= 3; ++deaths) {
        EXPECT_EQ(life.task().row().hold, Hold::none);
        scene.pass(hour_ms / 4);
        life.start();
        must(life.finish({"signal", "killed", "KILL", life.invocation()}));
        life.recover();
        if (deaths == 3) break;
        scene.pass(hour_ms / 4);
        life.start();
        ends_with_75();
    }
    EXPECT_EQ(life.task().row().hold, Hold::infra);
    EXPECT_TRUE(contains(life.task().row().hold_reason, "was killed by signal")) << life.task().row().hold_reason;
    EXPECT_TRUE(contains(life.task().row().hold_reason, "the last of 3 attempts")) << life.task().row().hold_reason;
}

TEST_F(LaterTest, R30ADeployHookMayAskForItToo) {
    scene.without({Role::build});
    scene.project().deploy = settings::Project::Deploy{"/hook", "/config"};
    life.task().in(Stage::deploy);
    life.start(Role::deploy, life.forge_head());
    job_id = life.live().job.id;
    const auto at = (scene.now.utc_ms / 1000 + 3600) * 1000;
    life.leaves("retry_at", rfc3339(at));
    ends_with_75();
    EXPECT_EQ(job().available_at, at);
    EXPECT_EQ(life.task().row().hold, Hold::none);
    EXPECT_FALSE(life.verdict(Gate::deploy_status));
    EXPECT_TRUE(contains(job().error, "the deploy's run asked to come later, at ")) << job().error;
}

TEST_F(LaterTest, AReTestThatComesLaterKeepsNobodyFromMerging) {
    scene.without({Role::staging, Role::build});
    for (const auto* item : {"HELLO-1", "HELLO-2"}) {
        life.task(item).in(Stage::deploy_staging);
        life.task(item).commits({{item, "new\n"}});
    }
    must(scene.step("HELLO-1"));
    must(scene.step("HELLO-2"));
    EXPECT_EQ(life.task("HELLO-2").row().waiting_for, "merge_lease");
    life.start();
    job_id = life.live().job.id;
    const auto at = (scene.now.utc_ms / 1000 + 7200) * 1000;
    life.leaves("retry_at", rfc3339(at));
    ends_with_75();
    std::erase_if(scene.running, [&](const auto& claim) { return claim.job.id == job_id; });
    must(scene.step("HELLO-2"));  // asked at once
    scene.work("HELLO-2", Role::retest);
    must(scene.step("HELLO-2"));
    EXPECT_EQ(life.task("HELLO-2").stage(), Stage::deploy);
    must(scene.step("HELLO-1"));  // rebased, and asks for the re-test of what that came to
    const auto queued = must(store::live_run_job(scene.db, life.task("HELLO-1").row().id));
    ASSERT_TRUE(queued);
    EXPECT_NE(queued->id, job_id);
    EXPECT_EQ(queued->deferrals, 1) << "and is still the one that asked to come later";
    EXPECT_EQ(queued->available_at, at);
    scene.pass(2 * hour_ms);
    scene.settle();
    EXPECT_EQ(life.task("HELLO-1").stage(), Stage::done);
}

TEST_F(LaterTest, ARebootShortensNoWaitThatWasAskedFor) {
    life.start(Stage::testing);
    job_id = life.live().job.id;
    const auto at = (scene.now.utc_ms / 1000 + 7200) * 1000;
    life.leaves("retry_at", rfc3339(at));
    ends_with_75();
    scene.reboot();
    EXPECT_EQ(job().available_boot - scene.now.boot_ms, at - scene.now.utc_ms);
}

}  // namespace
}  // namespace orchd::support
