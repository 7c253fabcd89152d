// R08, R33: what a run is handed, and on which branch it works.
#include <sys/stat.h>

#include "engine/advance.h"
#include "run_life.h"

namespace orchd::support {
namespace {

TEST(PrepareTest, R33MakesTheBranchOnTheForgeAndHandsOverWhereToWork) {
    RunLife life;
    auto world = life.scene.world("control");
    const auto main = life.scene.forge.at("main");
    life.scene.write([&](store::Tx& tx) -> Status {
        const auto project = must(store::ensure_project(tx, "hello"));
        const auto task =
            must(store::create_task(tx, project.id, "HELLO-1", "task/HELLO-1", "A title", "A body", life.scene.now));
        return engine::start_stage(world, tx, task, life.scene.project());
    });
    life.start();
    EXPECT_EQ(life.forge_head(), main);
    const auto spec = life.spec();
    EXPECT_EQ(spec.run_id, life.live().run.id);
    EXPECT_EQ(spec.role, Role::analyst);
    EXPECT_EQ(spec.branch, "task/HELLO-1");
    EXPECT_EQ(spec.commit, main);
    EXPECT_EQ(spec.base, main);
    EXPECT_EQ(spec.command, std::vector<std::string>{"./analyst"});
    EXPECT_EQ(spec.timeout_s, life.scene.settings.run_timeout_s);
    EXPECT_EQ(std::filesystem::read_symlink(life.scene.folder / "runs/HELLO-1/mirror"), life.scene.folder / "hello.git");
    EXPECT_EQ(life.live().run.head_before, main);
    EXPECT_TRUE(life.live().run.prepared_at);
}

TEST(PrepareTest, TheSpecIsReadableByTheRunsUserWhateverTheUmask) {
    RunLife life;
    const auto before = ::umask(0077);
    life.start(Stage::analysis);
    ::umask(before);
    using std::filesystem::perms;
    for (const auto* name : {"runs", "runs/HELLO-1", "runs/HELLO-1/spec.json", "runs/HELLO-1/prompt.md"})
        EXPECT_NE(std::filesystem::status(life.scene.folder / name).permissions() & perms::others_read, perms::none) << name;
}

TEST(PrepareTest, ThePromptHasTheRolesTextTheTaskAndTheReason) {
    RunLife life;
    scene::write(life.scene.folder / "developer.md", "You write code.");
    life.scene.project().workers[Role::developer].prompt_file = life.scene.folder / "developer.md";
    life.task().in(Stage::development);
    life.scene.write([&](store::Tx& tx) -> Status {
        const auto task = life.task().row();
        must(store::cancel_queued(tx, life.queued().at(0).job.id, "", life.scene.now));
        must(store::write_stage(tx, task.id, task.stage, task.stage_seq, task.stage, {}, "the test fails on Sundays", 0,
                                life.scene.now));
        auto world = life.scene.world();
        return engine::start_stage(world, tx, life.task().row(), life.scene.project());
    });
    life.start();
    const auto prompt = scene::read(life.scene.folder / "runs/HELLO-1/prompt.md");
    for (const auto* part : {"You write code.", "HELLO-1: A title", "A body", "the test fails on Sundays",
                             "docs/work-items/HELLO-1/", "task/HELLO-1"})
        EXPECT_TRUE(contains(prompt, part)) << part << " is not in\n" << prompt;
}

TEST(PrepareTest, R33ThePromptSaysWhereTheArtefactGoesAndWhatItsFrontMatterMaySay) {
    struct Asked {
        Stage stage;
        std::vector<std::string> says;
    };
    for (const auto& [stage, says] :
         {Asked{Stage::analysis, {"docs/work-items/HELLO-1/10-analysis.md", "---\nstatus: READY\n---"}},
          Asked{Stage::architecture, {"docs/work-items/HELLO-1/11-architecture.md", "---\nstatus: READY\n---"}},
          Asked{Stage::development, {"commit it to the branch task/HELLO-1"}},
          Asked{Stage::review,
                {"docs/work-items/HELLO-1/12-review.md", "---\nverdict: APPROVED\n---", "`APPROVED` or `REQUEST_CHANGES`"}}}) {
        RunLife life;
        life.start(stage);
        const auto prompt = scene::read(life.scene.folder / "runs/HELLO-1/prompt.md");
        for (const auto& part : says) EXPECT_TRUE(contains(prompt, part)) << part << " is not in\n" << prompt;
    }
}

TEST(PrepareTest, StartsFromAPersonsCommitOnTheBranch) {
    RunLife life;
    life.task().in(Stage::development);
    const auto theirs = life.task().commits({{"theirs", "by a person"}});
    life.start();
    EXPECT_EQ(life.spec().commit, theirs);
    EXPECT_EQ(life.live().run.head_before, theirs);
}

TEST(PrepareTest, FollowsABranchThatAPersonRewound) {
    RunLife life;
    life.start(Stage::development);
    life.commits({{"a", "a"}});
    life.ends(0);
    const auto main = life.scene.forge.at("main");
    scene::sh(life.scene.forge.path, "git update-ref refs/heads/task/HELLO-1 " + main);
    life.start(Role::developer, "");
    EXPECT_EQ(life.spec().commit, main) << "the forge is the truth";
}

TEST(PrepareTest, BringsBackABranchThatWasRemoved) {
    RunLife life;
    life.start(Stage::development);
    life.commits({{"a", "a"}});
    life.ends(0);
    const auto ours = life.forge_head();
    scene::sh(life.scene.forge.path, "git update-ref -d refs/heads/task/HELLO-1");
    life.start(Role::developer, "");
    EXPECT_EQ(life.forge_head(), ours) << "work that was pushed once is not lost";
}

TEST(PrepareTest, ACheckWorksOnExactlyTheCommitItIsFor) {
    RunLife life;
    life.task().in(Stage::deploy_staging);
    const auto tested = life.forge_head();
    life.task().commits({{"later", "later"}});
    life.start(Role::retest, tested);
    EXPECT_EQ(life.spec().commit, tested);
    EXPECT_EQ(life.spec().command, std::vector<std::string>{"./test"}) << "re-tests are made by the test command";
}

TEST(PrepareTest, ADeployIsHandedItsHookAndItsRelease) {
    RunLife life;
    life.task().in(Stage::deploy);
    const auto commit = life.scene.forge.at("main");
    scene::write(life.scene.folder / ("releases/hello/" + commit + ".tar"), "tar");
    life.start(Role::deploy, commit);
    const auto spec = life.spec();
    EXPECT_EQ(spec.kind, JobKind::deploy);
    EXPECT_EQ(spec.commit, commit);
    EXPECT_EQ(spec.command, std::vector<std::string>{"/hook"});
    EXPECT_EQ(spec.config, "/config");
    EXPECT_EQ(spec.release, "/run/orchd/releases/hello/" + commit + ".tar");
    EXPECT_EQ(life.live().run.unit, "orchd-deploy@HELLO-1.service");
}

TEST(PrepareTest, RefusesWhatIsNotToBeStarted) {
    RunLife life;
    EXPECT_EQ(life.prepare().error().code, Errc::no_such);
    life.task().in(Stage::development);
    EXPECT_EQ(life.prepare().error().code, Errc::conflict) << "queued: nobody claimed it";
    life.start();
    EXPECT_EQ(life.prepare().error().code, Errc::conflict) << "a second StartUnit must not prepare the run again";
    EXPECT_EQ(life.spec().run_id, life.live().run.id) << "what the run was handed stays";
    const auto claim = life.live();
    life.scene.write([&](store::Tx& tx) { return store::begin_stopping(tx, claim.job.id, claim.run.id, ""); });
    EXPECT_EQ(life.prepare().error().code, Errc::conflict) << "it is being stopped";
}

TEST(PrepareTest, AnAgentWhoseArtefactCouldBeInNoCommitIsNotStarted) {
    RunLife life;
    life.scene.forge.commit("echo docs/ >.gitignore; git add .; git commit -qm ignored; git push -q origin main");
    life.task().in(Stage::analysis);
    life.dispatch();
    const auto prepared = life.prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, Errc::refused);
    EXPECT_TRUE(contains(prepared.error().text, ".gitignore:1:docs/")) << prepared.error().text;
}

TEST(PrepareTest, KeepsWithTheJobWhyItFailed) {
    RunLife life;
    life.task().in(Stage::development);
    life.scene.without({Role::developer});
    life.dispatch();
    const auto prepared = life.prepare();
    ASSERT_FALSE(prepared);
    EXPECT_TRUE(contains(life.live().job.error, "says nothing about the role developer")) << life.live().job.error;
    EXPECT_FALSE(life.live().run.prepared_at);
    EXPECT_FALSE(std::filesystem::exists(life.scene.folder / "runs/HELLO-1")) << "nothing is left that a run could take";
}

TEST(PrepareTest, R11KilledAnywhereItLeavesARunThatRecoveryQueuesAgain) {
    for (int n = 1;; ++n) {
        RunLife life;
        life.task().in(Stage::development);
        life.dispatch();
        const bool killed = killed_at(n, [&] { must(life.prepare()); });
        if (!killed) {
            EXPECT_GT(n, 1);
            return;
        }
        SCOPED_TRACE(CrashAt::passed().back());
        life.scene.units.is_gone(life.agent());
        for (int i = 0; i < life.scene.settings.reaper_dead_ticks; ++i) life.recover();
        life.scene.pass(1'000'000);
        EXPECT_EQ(life.dispatch(), 1);
        must(life.prepare());
        EXPECT_EQ(life.spec().run_id, life.live().run.id);
    }
}

TEST(PrepareTest, TakesTheSpecAwayAtTheEnd) {
    RunLife life;
    life.start(Stage::development);
    auto world = life.scene.world("prepare");
    engine::unprepare(world.paths, "../runs/HELLO-1");
    EXPECT_TRUE(std::filesystem::exists(life.scene.folder / "runs/HELLO-1/spec.json"));
    engine::unprepare(world.paths, "HELLO-1");
    EXPECT_FALSE(std::filesystem::exists(life.scene.folder / "runs/HELLO-1/spec.json"));
}

}  // namespace
}  // namespace orchd::support
