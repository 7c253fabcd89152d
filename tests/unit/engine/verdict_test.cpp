// R03, R12, R26, R27, R30, R33: what the end of a run says of the code.
#include <sys/stat.h>
#include <array>
#include <functional>
#include <optional>
#include <tuple>

#include "engine/gates.h"
#include "engine/operate.h"
#include "run_life.h"

namespace orchd::support {
namespace {

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

// The three outcomes of R27: the command ran, the environment is broken for good, it failed for now. Every exit of whatever the
// project has run is one of them.
struct EndOfCheck {
    int status;
    enum { passed, failed, held, later, again } is;
};
void PrintTo(const EndOfCheck& end, std::ostream* out) { *out << "exit status " << end.status; }

class CheckEnds : public testing::TestWithParam<std::tuple<Role, EndOfCheck>> {
protected:
    store::Claim start() {
        if (role == Role::test) return life.start(Stage::testing);
        life.task().in(role == Role::build ? Stage::deploy : Stage::deploy_staging);
        life.scene.write([](store::Tx& tx) { return tx.db().execute("DELETE FROM statuses"); });  // of its way here
        return life.start(role, life.forge_head());
    }
    // The verdict that is on record of the commit, if any.
    std::optional<Colour> said(const store::Job& job, const std::string& commit) {
        if (role == Role::ci || role == Role::retest) {
            const auto context = role == Role::ci ? engine::ci_context : engine::retest_context;
            for (const auto& status : must(store::statuses_of(life.scene.db, "hello", commit)))
                if (status.context == context) return status.state;
            return std::nullopt;
        }
        if (role == Role::build && job.status == JobStatus::done) return Colour::green;
        const auto verdict = life.verdict(role == Role::test      ? Gate::tests_passed
                                          : role == Role::staging ? Gate::staging_status
                                                                  : Gate::deploy_status);
        return verdict ? std::optional(verdict->colour) : std::nullopt;
    }
    const Role role = std::get<0>(GetParam());
    const EndOfCheck end = std::get<1>(GetParam());
    RunLife life;
};

TEST_P(CheckEnds, R27OnlyACommandThatRanIsAVerdict) {
    SCOPED_TRACE(to_text(role));
    const auto claim = start();
    const auto head = life.forge_head();
    const auto before = life.task().stage();
    life.leaves("release.tar", "the release");
    life.ends(end.status);
    life.recover();
    const auto row = life.task().row();
    const auto job = life.job(claim.job.id);
    const bool good = end.is == EndOfCheck::passed;
    const bool ran = good || end.is == EndOfCheck::failed;
    const auto colour = said(job, head);
    ASSERT_EQ(colour.has_value(), ran);
    EXPECT_EQ(row.hold, end.is == EndOfCheck::held ? Hold::infra : Hold::none) << row.hold_reason;
    EXPECT_EQ(must(store::due_posts(life.scene.db, "journal", 10, life.scene.now)).size(), row.hold == Hold::infra ? 1u : 0u);
    EXPECT_EQ(row.stage, before);
    EXPECT_EQ(row.retries.developer + row.retries.again + row.retries.conflict, 0);
    EXPECT_EQ(row.retries.infrastructure, end.is == EndOfCheck::again || end.status == 124 ? 1 : 0);
    if (!ran) {
        EXPECT_EQ(life.forge_head(), head) << "nothing is written of a command that did not run";
        EXPECT_EQ(job.status, JobStatus::queued);
        return;
    }
    EXPECT_EQ(*colour, good ? Colour::green : Colour::red);
    EXPECT_EQ(job.status, role == Role::build && !good ? JobStatus::failed : JobStatus::done);
    if (role != Role::staging) return;
    EXPECT_TRUE(contains(life.forge_file(life.artefact(Artefact::staging_log)),
                         good ? "staging_status: SUCCESS" : "staging_status: FAILED"));
}
INSTANTIATE_TEST_SUITE_P(
    AllOf, CheckEnds,
    testing::Combine(testing::Values(Role::ci, Role::test, Role::staging, Role::retest, Role::build),
                     testing::Values(EndOfCheck{0, EndOfCheck::passed}, EndOfCheck{1, EndOfCheck::failed},
                                     EndOfCheck{2, EndOfCheck::failed}, EndOfCheck{74, EndOfCheck::failed},
                                     EndOfCheck{75, EndOfCheck::later}, EndOfCheck{76, EndOfCheck::failed},
                                     EndOfCheck{124, EndOfCheck::held}, EndOfCheck{125, EndOfCheck::failed},
                                     EndOfCheck{126, EndOfCheck::held}, EndOfCheck{127, EndOfCheck::held},
                                     EndOfCheck{128, EndOfCheck::failed}, EndOfCheck{203, EndOfCheck::again},
                                     EndOfCheck{255, EndOfCheck::failed})));

// What is told of an end that is no verdict: its command, how it came to it, and the last that it said.
TEST(VerdictTest, R27AnEndThatIsNoVerdictIsToldAsWhatItIs) {
    struct Told {
        int status;
        const char *launcher, *line, *expected;
    };
    for (const auto& told :
         {Told{127, "cannot execute ./stage: No such file or directory", "",
               "the staging's run (`./stage --all`) ended with exit status 127: cannot execute ./stage: No such file or "
               "directory"},
          Told{127, "", "./stage: line 3: frobnicate: command not found",
               "the staging's run (`./stage --all`) ended with exit status 127: it calls a command that is not there; its last "
               "line was: ./stage: line 3: frobnicate: command not found"},
          Told{126, "", "", "ended with exit status 126: it calls a command that may not be executed"},
          Told{
              124, "stopped after its time limit of 600 s", "waiting for the database",
              "the staging's run (`./stage --all`) ended with exit status 124: stopped after its time limit of 600 s; its last "
              "line was: waiting for the database"},
          Told{124, "", "", "ended with exit status 124: a time limit of its own"}}) {
        RunLife life;
        life.scene.project().workers[Role::staging].command = {"./stage", "--all"};
        life.scene.last_line = told.line;
        life.task().in(Stage::deploy_staging);
        const auto claim = life.start(Role::staging, life.forge_head());
        if (*told.launcher != '\0') life.leaves("launcher-said", told.launcher);
        life.ends(told.status);
        life.recover();
        const auto reason = life.task().row().hold_reason;
        EXPECT_TRUE(contains(reason, told.expected)) << reason;
        EXPECT_TRUE(contains(reason, "job " + std::to_string(claim.job.id) + " (staging): ")) << reason;
    }
}

TEST(VerdictTest, R27AProgramThatTheBranchLostIsTheCodesFaultAndOneThatIsNowhereIsNot) {
    struct Case {
        bool on_main, on_branch;
    };
    for (const auto& c : {Case{true, false}, Case{false, false}, Case{true, true}}) {
        SCOPED_TRACE(std::string(c.on_main ? "on main" : "not on main") + (c.on_branch ? ", on the branch" : ""));
        RunLife life;
        life.scene.project().workers[Role::test].command = {"./run-tests"};
        if (c.on_main)
            life.scene.forge.commit(
                "git checkout -q -B main origin/main; echo '#!/bin/sh' >run-tests; chmod +x run-tests; git add -A; "
                "git commit -qm tests; git push -q origin main");
        life.task().in(Stage::testing);
        if (c.on_main && !c.on_branch) {
            scene::sh(life.scene.forge.person,
                      "git fetch -q; git checkout -q -B work origin/task/HELLO-1; git rm -q run-tests");
            const auto head = life.scene.forge.commit("git commit -qm gone; git push -q origin work:task/HELLO-1");
            life.scene.write([&](store::Tx& tx) { return store::set_head(tx, life.task().row().id, head, life.scene.now); });
            life.task().verdict(Gate::review_approved, Colour::green, "it was seen so");
            life.scene.write([&](store::Tx& tx) {
                return store::put_status(tx, {.project = "hello",
                                              .commit = head,
                                              .context = engine::ci_context,
                                              .description = "it passes without",
                                              .state = Colour::green,
                                              .at = life.scene.now.utc_ms});
            });
        }
        life.start();
        life.leaves("launcher-said", "cannot execute ./run-tests: No such file or directory");
        life.ends(127);
        life.recover();
        const auto row = life.task().row();
        const bool fault = c.on_main && !c.on_branch;
        EXPECT_EQ(row.hold, fault ? Hold::none : Hold::infra) << row.hold_reason;
        ASSERT_EQ(life.verdict(Gate::tests_passed).has_value(), fault);
        if (!fault) continue;
        EXPECT_EQ(life.verdict(Gate::tests_passed)->colour, Colour::red);
        const auto reason = life.verdict(Gate::tests_passed)->reason;
        EXPECT_TRUE(contains(reason, "cannot execute ./run-tests")) << reason;
        EXPECT_TRUE(contains(reason, "; main has it, and the branch has not")) << reason;
        must(life.scene.step("HELLO-1"));
        EXPECT_EQ(life.task().stage(), Stage::development);
    }
}

// It is not tried again and again: each time would take its whole time limit.
TEST(VerdictTest, R26TestsThatHangAreHeldAtOnceAndAnAgentThatDoesIsTriedAgain) {
    for (const auto stage : {Stage::testing, Stage::development}) {
        RunLife life;
        const auto claim = life.start(stage);
        life.ends(124);
        life.recover();
        EXPECT_EQ(life.task().row().hold, stage == Stage::testing ? Hold::infra : Hold::none);
        EXPECT_EQ(life.job(claim.job.id).status, JobStatus::queued);
        EXPECT_EQ(life.task().row().retries.infrastructure, 1);
        EXPECT_EQ(life.task().row().retries.developer, 0);
    }
}

// What was pushed in the meantime is what is tested then, not the commit at which it was held.
TEST(VerdictTest, R27AReleasedCheckLooksAtTheHeadOfThen) {
    RunLife life;
    life.task().in(Stage::development);
    life.start();
    life.commits({{"x", "x\n"}});
    life.ends(0);
    must(life.scene.step("HELLO-1"));
    life.start();
    EXPECT_EQ(life.live().job.role, Role::ci);
    life.ends(127);
    life.recover();
    ASSERT_EQ(life.task().row().hold, Hold::infra);
    const auto mended = life.task().commits({{"mended", "y\n"}});
    auto control = life.scene.world("control");
    must(engine::release_hold(control, "HELLO-1", "ann"));
    must(life.scene.step("HELLO-1"));
    const auto job = must(store::live_run_job(life.scene.db, life.task().row().id));
    ASSERT_TRUE(job);
    EXPECT_EQ(job->role, Role::ci);
    EXPECT_EQ(job->commit, mended);
}

TEST(VerdictTest, R27AHoldOverACommandEndsOnceSomethingChangedAndNotBefore) {
    const auto changes = std::to_array<std::function<void(RunLife&)>>(
        {[](RunLife& life) {
             life.scene.project().workers[Role::test].command = {"./test", "--mended"};
         },
         [](RunLife& life) { life.scene.project().workers[Role::test].timeout_s = 7200; },
         [](RunLife& life) { life.scene.settings.run_timeout_s = 7000; },
         [](RunLife& life) {
             life.task().commits({{"mended", "x"}});
         }});
    for (const auto& change : changes)
        for (const int status : {124, 126, 127}) {
            RunLife life;
            life.start(Stage::testing);
            life.ends(status);
            life.recover();
            for (int i = 0; i < 3; ++i) EXPECT_EQ(life.recover().released, 0);
            life.scene.reboot();
            EXPECT_EQ(life.recover().released, 0) << "another boot mends nothing";
            ASSERT_EQ(life.task().row().hold, Hold::infra);
            change(life);
            EXPECT_EQ(life.recover().released, 1);
            EXPECT_EQ(life.task().row().hold, Hold::none);
            EXPECT_EQ(life.recover().released, 0);
            must(life.scene.step("HELLO-1"));
            life.scene.pass(life.scene.settings.backoff_cap_s * 1000);
            EXPECT_EQ(life.start().job.role, Role::test) << "and it is tried once more";
        }
}

TEST(VerdictTest, R27AHoldOfAnotherKindIsAPersons) {
    RunLife life;
    life.scene.settings.job_max_attempts = 1;
    life.start(Stage::testing);
    must(life.finish({"signal", "killed", "KILL", life.invocation()}));
    life.recover();
    ASSERT_EQ(life.task().row().hold, Hold::infra);
    life.scene.project().workers[Role::test].command = {"./test", "--other"};
    EXPECT_EQ(life.recover().released, 0);
    EXPECT_EQ(life.task().row().hold, Hold::infra);
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
