// Nothing waits for ever: whatever becomes of a task, somebody moves it next, and where that is a person, one was told what to
// type. R13: and whoever comes back after its replacement changes nothing.
#include <filesystem>

#include "core/boundary.h"
#include "engine/leases.h"
#include "engine/operate.h"
#include "run_life.h"

namespace orchd::support {
namespace {

bool was_told(Scene& scene, const std::string& item) {
    for (const auto& post : must(store::due_posts(scene.db, "journal", 1000, scene.now)))
        if (post.body.find("orchctl task") != std::string::npos && post.body.find(item) != std::string::npos) return true;
    return false;
}

// Who moves the task next; empty where nobody would.
std::string who_moves(Scene& scene, const std::string& item = "HELLO-1") {
    const auto task = scene.task(item).row();
    if (terminal(task.stage)) return "it is over";
    for (const auto& claim : must(store::list_jobs(scene.db, {.work_item = item, .only_live = true}))) {
        if (claim.job.status != JobStatus::queued) return "recovery, if not its unit";
        if (!claim.job.blocked) return "the worker";
    }
    if (task.paused_at) return "who paused it";
    const bool waits_for_a_person = task.hold != Hold::none || task.waiting_for == to_text(Gate::analysis_approved);
    return waits_for_a_person && was_told(scene, item) ? "a person" : "";
}

const std::vector stages{Stage::analysis, Stage::architecture,   Stage::development, Stage::review,
                         Stage::testing,  Stage::deploy_staging, Stage::deploy};

TEST(NothingWaitsForEver, InNoStageWhenAllGoesWell) {
    for (const Stage stage : stages) {
        if (stage == Stage::deploy) continue;  // reached by a merge alone
        Scene scene;
        scene.task("HELLO-1").in(stage);
        EXPECT_EQ(who_moves(scene), "the worker") << to_text(stage);
        scene.settle();
        EXPECT_EQ(who_moves(scene), stage == Stage::analysis ? "a person" : "it is over") << to_text(stage);
    }
}

TEST(NothingWaitsForEver, InNoStageWhoseWorkIsRedAgainAndAgain) {
    for (const Stage stage : stages) {
        Scene scene;
        scene.task("HELLO-1").in(stage);
        for (int turn = 0; turn < 200 && who_moves(scene) == "the worker"; ++turn) {
            scene.claim();
            ASSERT_FALSE(scene.running.empty());
            const auto next = scene.running.front();
            const bool at_stage = scene.task("HELLO-1").stage() == stage;
            if (next.job.role == Role::step)
                must(scene.step("HELLO-1"));
            else if (at_stage && next.job.role != Role::build)
                scene.fail("HELLO-1", next.job.role, "red");
            else
                scene.work("HELLO-1", next.job.role);
        }
        EXPECT_EQ(who_moves(scene), "a person") << to_text(stage);
        EXPECT_NE(scene.task("HELLO-1").row().hold, Hold::none) << to_text(stage);
    }
}

TEST(NothingWaitsForEver, NoRunOrStepThatDiesEachTime) {
    for (const Stage stage : stages) {
        RunLife life;
        life.task().in(stage);
        for (int turn = 0; turn < 20 && life.task().row().hold == Hold::none; ++turn) {
            life.scene.pass(life.scene.settings.backoff_cap_s * 1000);
            life.dispatch();
            life.scene.units.table.clear();
            for (int i = 0; i < life.scene.settings.reaper_dead_ticks; ++i) life.recover();
        }
        EXPECT_EQ(life.task().row().hold, Hold::infra) << to_text(stage);
        EXPECT_EQ(life.task().row().retries.developer, 0);
        EXPECT_EQ(who_moves(life.scene), "a person") << to_text(stage);
        EXPECT_EQ(life.task().events("alert").size(), 1u) << to_text(stage);
        must(engine::release_hold(life.worker, "HELLO-1", "ada"));
        EXPECT_EQ(who_moves(life.scene), "the worker") << "and the person's word moves it";
    }
}

TEST(NothingWaitsForEver, NoStepWhoseForgeIsGone) {
    for (const Stage stage : stages) {
        Scene scene;
        scene.task("HELLO-1").in(stage);
        for (scene.claim(); !scene.running.empty() && scene.running.front().job.role != Role::step; scene.claim())
            scene.work("HELLO-1", scene.running.front().job.role);
        std::filesystem::rename(scene.forge.path, scene.forge.path + ".away");
        for (int turn = 0; turn < 20 && scene.task("HELLO-1").row().hold == Hold::none; ++turn) {
            EXPECT_EQ(who_moves(scene).empty(), false) << to_text(stage);
            scene.pass(scene.settings.backoff_cap_s * 1000);
            (void)scene.step("HELLO-1");
        }
        EXPECT_EQ(scene.task("HELLO-1").row().hold, Hold::infra) << to_text(stage);
        EXPECT_EQ(who_moves(scene), "a person") << to_text(stage);
        EXPECT_TRUE(must(store::held_transitions(scene.db)).empty());
    }
}

TEST(NothingWaitsForEver, NoTaskWhoseJobAPersonCancelled) {
    for (const Stage stage : stages) {
        Scene scene;
        scene.task("HELLO-1").in(stage);
        const auto job = must(store::list_jobs(scene.db, {.work_item = "HELLO-1", .only_live = true})).at(0).job;
        auto control = scene.world("control");
        must(engine::cancel_job(control, job.id, "ada"));
        EXPECT_EQ(who_moves(scene), "a person") << to_text(stage);
        must(engine::release_hold(control, "HELLO-1", "ada"));
        EXPECT_EQ(who_moves(scene), "the worker") << to_text(stage);
    }
}

TEST(NothingWaitsForEver, AFinishThatIsStartedOverAndOverCallsAPerson) {
    RunLife life;
    const auto claim = life.start(Stage::development);
    life.scene.write([&](store::Tx& tx) {
        return store::record_exit(tx, claim.run.id, {ExitKind::exited, 0}, life.invocation(), life.scene.now);
    });
    life.scene.units.table.clear();
    // Between two of its own restarts the manager calls it activating.
    life.scene.units.table[names::unit(names::finish_ok, "HELLO-1")] = UnitSeen{.active = true, .invocation_id = {}};
    life.recover();
    EXPECT_EQ(life.task().row().hold, Hold::none);
    life.scene.pass(life.scene.settings.reaper_max_running_s * 1000 + 600'000);
    life.recover();
    EXPECT_EQ(life.task().row().hold, Hold::infra);
    EXPECT_EQ(who_moves(life.scene), "recovery, if not its unit") << "and it is tried on";
}

// A step that is stopped at each of its boundaries until its replacement has done the work, and goes on then.
struct Replaced {
    std::string at;
    bool under_way = false;
    int n = 0, passed = 0;
    std::function<void()> replacement;
} replaced;

int stop_step_at(int n, bool leases) {
    Scene scene;
    scene.settings.transition_lease_enabled = leases;
    scene.task("HELLO-1").in(Stage::review);
    scene.work("HELLO-1", Role::reviewer);
    const auto before = scene.task("HELLO-1").row();
    replaced = {.at = {}, .n = n, .replacement = [&] {
                    scene.recover("HELLO-1");
                    must(scene.step("HELLO-1"));
                }};
    set_boundary_hook([](std::string_view name) {
        if (replaced.under_way || ++replaced.passed != replaced.n) return;
        replaced.at = name;
        if (replaced.at == "advance.move.after") return;
        replaced.under_way = true;
        replaced.replacement();
        replaced.under_way = false;
    });
    const auto came_back = scene.step("HELLO-1");
    set_boundary_hook(nullptr);
    if (replaced.at.empty() || replaced.at == "advance.move.after") return replaced.passed;
    EXPECT_FALSE(came_back) << replaced.at << ": its writes are refused";
    const auto task = scene.task("HELLO-1").row();
    EXPECT_EQ(task.stage, Stage::testing) << replaced.at;
    EXPECT_EQ(task.stage_seq, before.stage_seq + 1) << replaced.at;
    EXPECT_EQ(scene.task("HELLO-1").events("stage_changed").size(), 1u) << replaced.at;
    EXPECT_TRUE(must(store::held_transitions(scene.db)).empty()) << replaced.at;
    return replaced.passed;
}

TEST(Replaced, R13_AStepThatComesBackAfterItsReplacementWritesNothing) {
    const int boundaries = stop_step_at(0, true);
    for (int n = 1; n <= boundaries; ++n) stop_step_at(n, true);
    EXPECT_GE(boundaries, 4);
}

TEST(Replaced, R38_WithoutLeasesNeither) {
    const int boundaries = stop_step_at(0, false);
    for (int n = 1; n <= boundaries; ++n) stop_step_at(n, false);
    EXPECT_GE(boundaries, 2);
}

}  // namespace
}  // namespace orchd::support
