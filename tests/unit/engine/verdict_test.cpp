// R03, R12, R26, R27, R30, R33: what the end of a run says of the code.
#include <sys/stat.h>

#include "engine/gates.h"
#include "run_life.h"

namespace orchd::support {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(VerdictTest, R33TheExitOfCiIsTheStatusOfItsCommit) {
    for (const int code : {0, 1}) {
        RunLife life;
        life.task().in(Stage::deploy_staging);
        const auto head = life.forge_head();
        const auto claim = life.start(Role::ci, head);
        life.ends(code);
        EXPECT_EQ(life.status(head, std::string(engine::ci_context)), code == 0 ? Colour::green : Colour::red);
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done) << "it ran: its exit is the verdict";
        EXPECT_EQ(life.forge_head(), head);
    }
}

TEST(VerdictTest, R12TheExitOfARetestIsTheStatusOfExactlyItsCommit) {
    RunLife life;
    life.task().in(Stage::deploy_staging);
    const auto head = life.forge_head();
    life.task().commits({{"later", "later"}});
    life.start(Role::retest, head);
    life.ends(0);
    EXPECT_EQ(life.status(head, std::string(engine::retest_context)), Colour::green);
    EXPECT_EQ(life.status(life.forge_head(), std::string(engine::retest_context)), Colour::undecided);
}

TEST(VerdictTest, R26TheExitOfTheTestsBecomesTheReportAndTheVerdict) {
    for (const int code : {0, 1}) {
        RunLife life;
        life.start(Stage::testing);
        const auto tested = life.forge_head();
        const auto invocation = life.invocation();
        life.ends(code);
        const auto report = life.forge_file(life.artefact(Artefact::test_report));
        const auto said = orchd::verdict(Artefact::test_report, report);
        EXPECT_EQ(said.colour, code == 0 ? Colour::green : Colour::red) << report;
        EXPECT_FALSE(said.unusable);
        for (const auto& part : {std::string("./test"), tested, invocation, "exit status " + std::to_string(code)})
            EXPECT_TRUE(contains(report, part)) << part << " is not in\n" << report;
        const auto row = life.verdict(Gate::tests_passed);
        ASSERT_TRUE(row);
        EXPECT_EQ(row->colour, said.colour);
        EXPECT_EQ(row->commit, tested);
        EXPECT_FALSE(row->patch_id.empty());
        EXPECT_EQ(life.task().row().head, life.forge_head());
    }
}

TEST(VerdictTest, R27TheExitOfStagingBecomesItsLogAndTheVerdict) {
    RunLife life;
    life.task().in(Stage::deploy_staging);
    life.start(Role::staging, life.forge_head());
    life.ends(1);
    EXPECT_TRUE(contains(life.forge_file(life.artefact(Artefact::staging_log)), "staging_status: FAILED"));
    EXPECT_EQ(life.verdict(Gate::staging_status)->colour, Colour::red);
}

TEST(VerdictTest, R03TheReviewersWordIsTakenFromItsOwnRun) {
    RunLife life;
    life.start(Stage::review);
    const auto reviewed = life.forge_head();
    life.commits({{life.artefact(Artefact::review), "---\nverdict: APPROVED\n---\nFine.\n"}});
    life.ends(0);
    const auto row = life.verdict(Gate::review_approved);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->colour, Colour::green);
    EXPECT_EQ(row->commit, reviewed);
    EXPECT_TRUE(contains(row->by, "run:"));
}

TEST(VerdictTest, R03AReviewThatTheRunDidNotWriteIsUnusable) {
    RunLife life;
    life.task().in(Stage::review);
    life.task().writes("12-review.md", "verdict: APPROVED");  // by whomever, before
    life.start();
    life.commits({{"other", "other"}});
    life.ends(0);
    const auto row = life.verdict(Gate::review_approved);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->colour, Colour::red);
    EXPECT_TRUE(row->unusable);
}

TEST(VerdictTest, R03AReviewThatIsMissingOrContradictoryIsUnusable) {
    for (const auto* text :
         {"no front matter", "---\nverdict: MAYBE\n---\n", "---\nverdict: APPROVED\nverdict: APPROVED\n---\n"}) {
        RunLife life;
        life.start(Stage::review);
        life.commits({{life.artefact(Artefact::review), text}});
        life.ends(0);
        const auto row = life.verdict(Gate::review_approved);
        ASSERT_TRUE(row);
        EXPECT_EQ(row->colour, Colour::red) << text;
        EXPECT_TRUE(row->unusable) << text;
    }
}

TEST(VerdictTest, R03ADeveloperCannotApproveItself) {
    RunLife life;
    life.start(Stage::development);
    life.commits({{"x", "x"}, {life.artefact(Artefact::review), "---\nverdict: APPROVED\n---\n"}});
    life.ends(0);
    EXPECT_FALSE(life.verdict(Gate::review_approved));
    const auto events = life.task().events("artefact_ignored");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_TRUE(contains(events[0], "12-review.md"));
}

TEST(VerdictTest, R03CodeThatTheReviewerChangedItselfIsNotWhatItApproved) {
    RunLife life;
    life.start(Stage::review);
    life.commits({{"sneaked-in", "x"}, {life.artefact(Artefact::review), "---\nverdict: APPROVED\n---\n"}});
    life.ends(0);
    auto world = life.scene.world();
    auto mirror = must(world.open_mirror(life.scene.project()));
    const auto now = must(mirror->patch_id(life.scene.forge.at("main"), life.forge_head(), "docs/work-items"));
    EXPECT_NE(life.verdict(Gate::review_approved)->patch_id, now);
}

TEST(VerdictTest, R30TheBuildsReleaseIsKeptForTheDeploy) {
    RunLife life;
    life.task().in(Stage::deploy);
    const auto commit = life.forge_head();
    const auto claim = life.start(Role::build, commit);
    life.leaves("release.tar", "the release");
    life.ends(0);
    EXPECT_EQ(scene::read(life.scene.folder / ("releases/hello/" + commit + ".tar")), "the release");
    EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
    EXPECT_FALSE(life.verdict(Gate::deploy_status));
}

TEST(VerdictTest, R30ABuildWithoutAUsableReleaseIsRed) {
    const auto broken = [](RunLife& life, int how) {
        const auto file = life.scene.folder / "left/result/release.tar";
        if (how == 0) return;
        if (how == 1) life.leaves("release.tar", std::string(100, 'x'));
        if (how == 2) std::filesystem::create_symlink("other", file);
        if (how == 3) {
            ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
        }
        if (how == 4) std::filesystem::create_directory(file);
    };
    for (int how = 0; how < 5; ++how) {
        SCOPED_TRACE(how);
        RunLife life;
        life.scene.settings.release_max_bytes = 99;
        life.task().in(Stage::deploy);
        const auto commit = life.forge_head();
        const auto claim = life.start(Role::build, commit);
        life.leaves("other", "");
        broken(life, how);
        life.ends(0);
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::failed);
        EXPECT_EQ(life.verdict(Gate::deploy_status)->colour, Colour::red);
        EXPECT_FALSE(std::filesystem::exists(life.scene.folder / ("releases/hello/" + commit + ".tar")));
    }
}

struct DeployCase {
    int code;
    const char* state;
    Colour colour;
};

TEST(VerdictTest, R30TheHooksExitSettlesTheDeploy) {
    for (const auto& expected : {DeployCase{0, "live", Colour::green}, DeployCase{1, "rolled_back", Colour::red},
                                 DeployCase{2, "failed", Colour::red}}) {
        SCOPED_TRACE(expected.code);
        RunLife life;
        life.scene.without({Role::build});
        life.scene.project().deploy = settings::Project::Deploy{"/hook", "/config"};
        life.task().in(Stage::deploy);
        const auto commit = life.forge_head();
        const auto claim = life.start(Role::deploy, commit);
        life.ends(expected.code);
        const auto live = must(store::live_release(life.scene.db, "hello"));
        EXPECT_EQ(live ? live->commit : "", expected.code == 0 ? commit : "");
        EXPECT_EQ(life.verdict(Gate::deploy_status)->colour, expected.colour);
        const auto log = life.forge_file(life.artefact(Artefact::deploy_log));
        EXPECT_EQ(orchd::verdict(Artefact::deploy_log, log).colour, expected.colour) << log;
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::done);
        EXPECT_EQ(life.count_queued(Role::step), 1);
    }
}

}  // namespace
}  // namespace orchd::support
