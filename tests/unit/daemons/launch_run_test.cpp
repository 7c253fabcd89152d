// R08: the launcher of a run, from its spec to its exit status.
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <csignal>

#include "engine/left.h"
#include "host/fd.h"
#include "prepared.h"

namespace orchd::daemons {
namespace {

class LaunchRun : public Prepared {};
namespace fs = std::filesystem;
using scene::sh;

TEST_F(LaunchRun, GivesTheCommandItsCloneAndExactlyTheAllowedEnvironment) {
    ::setenv("ORCHD_TEST_SECRET", "x", 1);
    scene::write(paths.run_dir + "/prompt.md", "Do it.\n");
    ASSERT_EQ(launch("pwd >$ORCHD_RESULT_DIR/pwd; cat file $ORCHD_PROMPT_FILE >$ORCHD_RESULT_DIR/cat; "
                     "exec env >$ORCHD_RESULT_DIR/env"),
              0);
    EXPECT_EQ(left("result/pwd"), paths.state_dir + "/clone\n");
    EXPECT_EQ(left("result/cat"), "one\ntwo\nthree\nDo it.\n");
    const char* language = std::getenv("LANG");
    EXPECT_EQ(sh(paths.state_dir, "sort result/env | grep -v -e ^PWD= -e ^OLDPWD= -e ^_= -e ^SHLVL="),
              "HOME=" + paths.state_dir + "/home\nLANG=" + (language != nullptr ? language : "C.UTF-8") +
                  "\nORCHD_ARTEFACTS=docs/work-items/HELLO-1\nORCHD_BASE=" + spec.base +
                  "\nORCHD_BRANCH=task/HELLO-1\nORCHD_PROJECT=hello\nORCHD_PROMPT_FILE=" + paths.run_dir +
                  "/prompt.md\nORCHD_RESULT_DIR=" + paths.state_dir +
                  "/result\nORCHD_ROLE=developer\nORCHD_RUN_ID=7\nORCHD_STAGE=development\nORCHD_WORK_ITEM=HELLO-1\nPATH=" +
                  std::getenv("PATH") + "\nTMPDIR=/tmp");
}

TEST_F(LaunchRun, TakesASpecOnceAndLeavesWhatTheFirstRunLeft) {
    ASSERT_EQ(launch("echo 1 >$ORCHD_RESULT_DIR/x"), 0);
    EXPECT_EQ(launch("echo 2 >$ORCHD_RESULT_DIR/x"), names::exit_not_set_up) << "no word of the command's";
    EXPECT_EQ(left("result/x"), "1\n");
}

TEST_F(LaunchRun, WithNothingPreparedCouldNotBeSetUp) {
    fs::remove_all(paths.run_dir);
    EXPECT_EQ(launch_run(paths), names::exit_not_set_up << 8);
}

TEST_F(LaunchRun, StartsFromNothingThatAnEarlierRunLeft) {
    ASSERT_EQ(
        launch("echo 'exit 9' >~/.profile; git config --global core.pager evil; mkdir -p ../locked/in; echo x >../locked/in/x; "
               "chmod -R a-rwx ../locked; echo 1 >file; ln -s /etc ../bundle; touch ../taken-9"),
        0);
    spec.run_id = 8;
    ASSERT_EQ(launch("cat ~/.gitconfig >$ORCHD_RESULT_DIR/config; git status --porcelain >$ORCHD_RESULT_DIR/status; ls -A .. "
                     ">$ORCHD_RESULT_DIR/ls; ls -A ~ >>$ORCHD_RESULT_DIR/ls"),
              0);
    EXPECT_EQ(left("result/status"), "");
    EXPECT_EQ(left("result/ls"), "clone\nhome\nresult\ntaken-8\n.gitconfig\n");
    EXPECT_EQ(left("result/config").find("evil"), std::string::npos);
}

TEST_F(LaunchRun, EndsAsItsCommandEnded) {
    const std::vector<std::pair<std::string, int>> ends{
        {"exit 0", 0}, {"exit 3", 3}, {"exit 75", 75}, {"kill -KILL $$", -SIGKILL}, {"kill -TERM $$", -SIGTERM}};
    for (const auto& [script, end] : ends) {
        ++spec.run_id;
        EXPECT_EQ(launch(script), end) << script;
    }
    spec.run_id = 100;
    spec.command = {"./no-such-command"};
    EXPECT_EQ(launch(), 127);
    EXPECT_EQ(left("result/launcher-said"), "cannot execute ./no-such-command: No such file or directory\n");
    spec.run_id = 101;
    spec.command = {"./file"};
    EXPECT_EQ(launch(), 126);
    EXPECT_EQ(left("result/launcher-said"), "cannot execute ./file: Permission denied\n");
    EXPECT_EXIT(end_as(SIGKILL), testing::KilledBySignal(SIGKILL), "");
    EXPECT_EXIT(end_as(SIGTERM), testing::KilledBySignal(SIGTERM), "");
    EXPECT_EXIT(end_as(3 << 8), testing::ExitedWithCode(3), "");
}

TEST_F(LaunchRun, IsStoppedAtItsTimeLimitAndKeepsWhatWasDone) {
    spec.timeout_s = 1;
    EXPECT_EQ(launch("echo half >half; sleep 1000"), 124);
    EXPECT_EQ(left("result/launcher-said"), "stopped after its time limit of 1 s\n");
    ASSERT_EQ(bundle_run(paths), 0);
    EXPECT_EQ(sh(paths.state_dir, "cd bench; git show task/HELLO-1:half"), "half");
}

TEST_F(LaunchRun, OfAnAgentLeavesABundleWithItsCommitsAndLeftovers) {
    ASSERT_EQ(launch("echo a >a; git add a; git commit -qm 'by the agent'; echo b >b"), 0);
    ASSERT_EQ(bundle_run(paths), 0);
    const auto commit = (*git::open_mirror(paths.mirror, {}))->import_bundle(paths.state_dir + "/bundle", spec.branch, 1 << 20);
    ASSERT_TRUE(commit) << commit.error().text;
    EXPECT_EQ(sh(paths.mirror, "git log --format='%an: %s' " + spec.base + ".." + *commit),
              "orchd developer: What the developer left uncommitted\norchd developer: by the agent");
}

TEST_F(LaunchRun, OfAnAgentThatWasKilledLeavesWhatItCommitted) {
    ASSERT_EQ(launch("echo a >a; git add a; git commit -qm a; touch .git/index.lock; kill -KILL $$"), -SIGKILL);
    ASSERT_EQ(bundle_run(paths), 0);
    EXPECT_TRUE(fs::exists(paths.state_dir + "/bundle"));
}

TEST_F(LaunchRun, OfAnAgentSaysWhatItCouldNotBringIn) {
    ASSERT_EQ(launch("git checkout -q --detach; echo a >a; git add a; git commit -qm a; git init -q tool"), 0);
    const auto said = engine::left_from_json(left("left.json"));
    ASSERT_TRUE(said) << said.error().text;
    EXPECT_EQ(said->head, sh(paths.state_dir, "cd bench; git rev-parse task/HELLO-1"));
    ASSERT_EQ(said->reasons.size(), 1u);
    EXPECT_EQ(said->reasons.front().find("tool is a repository"), 0u) << said->reasons.front();
}

TEST_F(LaunchRun, OfAnAgentWhoseLauncherWasKilledLeavesTheCommitsAllTheSame) {
    ASSERT_EQ(launch("git checkout -q --detach; echo a >a; git add a; git commit -qm a; echo b >b"), 0);
    for (const auto* file : {"/bundle", "/left.json", "/bench"}) fs::remove_all(paths.state_dir + file);
    ASSERT_EQ(bundle_run(paths), 0);
    EXPECT_EQ(sh(paths.state_dir, "cd bench; git show --name-only --format= task/HELLO-1"), "a");
    const auto said = engine::left_from_json(left("left.json"));
    ASSERT_TRUE(said && said->reasons.size() == 1u);
    EXPECT_NE(said->reasons.front().find("ended before"), std::string::npos);
}

TEST_F(LaunchRun, OfAnAgentThatDidNothingLeavesNoBundle) {
    ASSERT_EQ(launch("true"), 0);
    EXPECT_EQ(bundle_run(paths), 0);
    EXPECT_FALSE(fs::exists(paths.state_dir + "/bundle"));
}

TEST_F(LaunchRun, OfACheckLeavesNoCommits) {
    spec.kind = JobKind::check;
    spec.role = Role::build;
    ASSERT_EQ(launch("echo a >a; git add a; git commit -qm a; echo tar >$ORCHD_RESULT_DIR/release.tar"), 0);
    EXPECT_EQ(bundle_run(paths), 0);
    EXPECT_FALSE(fs::exists(paths.state_dir + "/bundle"));
    EXPECT_EQ(left("result/release.tar"), "tar\n");
}

TEST_F(LaunchRun, ItsOwnGitWorksWithTheMirrorOfAnotherUser) {
    if (::geteuid() == 0) sh(folder.path(), "chown -R 65534 m.git");
    ASSERT_EQ(
        launch("git fetch -q origin; test \"$(git rev-parse origin/main)\" = $ORCHD_BASE; git commit -q --allow-empty -m x"),
        0);
}

// As in its unit: a user of the dynamic range, whose every process is the run's.
TEST_F(LaunchRun, KillsWhateverForkedAwayFromItsCommand) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become a run's user";
    constexpr uid_t user = 61'499;
    spec.command = {"/bin/sh", "-c",
                    "setsid -f sh -c 'setsid -f sh -c \"echo \\$\\$; exec sleep 1000\"' >$ORCHD_RESULT_DIR/pid; "
                    "until test -s $ORCHD_RESULT_DIR/pid; do :; done"};
    lay();
    sh(folder.path(), "chown -R " + std::to_string(user) + " .");
    const auto launcher = ::fork();
    if (launcher == 0) {
        if (::setresgid(user, user, user) != 0 || ::setresuid(user, user, user) != 0) ::_exit(99);
        ::_exit(WEXITSTATUS(launch_run(paths)));
    }
    int status = 0;
    ASSERT_EQ(::waitpid(launcher, &status, 0), launcher);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    const auto pid = std::stoi(left("result/pid"));
    EXPECT_EQ(::kill(pid, 0), -1) << "the forked process " << pid << " is still there";
}

}  // namespace
}  // namespace orchd::daemons
