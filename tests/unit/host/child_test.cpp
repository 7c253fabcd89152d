// Child processes: what is handed over, what comes back, and that nothing stays behind.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <csignal>

#include "host/fd.h"
#include "host/host.h"

namespace orchd::host {
namespace {

Child sh(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}, .environment = {"PATH=/usr/bin:/bin"}}; }

TEST(Child, GivesItsOutputItsErrorsAndItsStatus) {
    const auto ended = run(sh("echo out; echo err >&2; exit 7"));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->out, "out\n");
    EXPECT_EQ(ended->err, "err\n");
    EXPECT_EQ(WEXITSTATUS(ended->status), 7);
}

TEST(Child, InheritsNothingOfTheEnvironment) {
    ::setenv("ORCHD_TEST_SECRET", "x", 1);
    const auto ended = run({.argv = {"/usr/bin/env"}, .environment = {"ONLY=this"}});
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->out, "ONLY=this\n");
}

TEST(Child, ReadsInputLargerThanAPipeAndMayLeaveItUnread) {
    auto cat = sh("wc -c");
    cat.input.assign(1 << 20, 'x');
    EXPECT_EQ(run(cat)->out, "1048576\n");
    auto deaf = sh("true");
    deaf.input = cat.input;
    EXPECT_EQ(run(deaf)->status, 0);
}

TEST(Child, IsStoppedAtItsTimeLimitWithAllOfItsGroup) {
    auto slow = sh("sleep 1000 & echo $!; wait");
    slow.timeout_ms = 100;
    const auto ended = run(slow);
    ASSERT_TRUE(ended);
    EXPECT_TRUE(ended->timed_out);
    EXPECT_EQ(WTERMSIG(ended->status), SIGTERM);
    const Fd sleeper(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(ended->out), 0)));
    pollfd gone{sleeper.get(), POLLIN, 0};
    EXPECT_TRUE(!sleeper.open() || ::poll(&gone, 1, 10'000) == 1) << "the sleeper is still there";
}

TEST(Child, DoesNotWaitForALeftoverThatHoldsItsOutputOpen) {
    const auto ended = run(sh("sleep 1000 & echo done"));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->out, "done\n");
}

TEST(Child, IsCutOffWhenItWritesTooMuch) {
    auto loud = sh("yes");
    loud.max_output = 100'000;
    const auto ended = run(loud);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, Errc::invalid_argument);
}

TEST(Child, TellsAMissingProgramFromOneThatMayNotRunAndFromAMissingDirectory) {
    EXPECT_EQ(run({.argv = {"/nonexistent"}}).error().code, Errc::no_such);
    EXPECT_EQ(run({.argv = {"/etc/passwd"}}).error().code, Errc::not_permitted);
    auto lost = sh("true");
    lost.directory = "/nonexistent";
    EXPECT_EQ(run(lost).error().code, Errc::io);
}

TEST(Child, StartsWithNoSignalBlockedOrIgnored) {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    const auto ended = run(sh("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
    ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

}  // namespace
}  // namespace orchd::host
