// What a unit of ours sees is asked with its eyes: as its user, in its sandbox.
#include "orchctl/eyes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orchctl/doctor.h"
#include "settings/files.h"

namespace orchd::orchctl {
namespace {

using ::testing::HasSubstr;

const std::string agent_shows =
    "User=orchd-CHECK-1\nGroup=\nDynamicUser=yes\nProtectHome=yes\nPrivateTmp=yes\nTemporaryFileSystem=/run:ro,mode=755\n"
    "BindReadOnlyPaths=/run/orchd/runs/CHECK-1:/run/orchd/run:rbind "
    "-/run/systemd/resolve:-/run/systemd/resolve:rbind\nBindPaths=\n"
    "InaccessiblePaths=-/etc/orchd -/srv/git\n";

class EyesTest : public ::testing::Test {
protected:
    EyesTest() { open_up(folder.path()); }
    static void open_up(const std::string& path, ::mode_t mode = 0755) { ASSERT_EQ(::chmod(path.c_str(), mode), 0); }
    TemporaryFolder folder;
    const Eyes stranger{.unit = "orchd-agent@.service"};
};

TEST(Eyes, SeeTheSandboxThatTheUnitHas) {
    const auto agent = eyes_from("orchd-agent@.service", agent_shows);
    EXPECT_EQ(agent.user, "");
    for (const auto* path : {"/root/agent", "/home/me/bin/agent", "/run/user/1000/x", "/tmp/agent", "/var/tmp/agent", "/run/x",
                             "/etc/orchd/agent", "/srv/git/x.git/hooks/agent"})
        EXPECT_THAT(unusable(agent, path, X_OK).value_or("it is seen"), HasSubstr("is not seen by orchd-agent@.service"))
            << path;
    EXPECT_THAT(*unusable(agent, "/root/agent", X_OK), HasSubstr("ProtectHome="));
    for (const auto* path : {"/usr/bin/env", "/rooted", "/homestead", "/run/orchd/run/prompt.md"})
        EXPECT_THAT(unusable(agent, path, F_OK).value_or(""), Not(HasSubstr("is not seen"))) << path;
}

TEST(Eyes, SeeWhatAnAdministratorsDropInChanges) {
    auto shows = agent_shows;
    shows.replace(shows.find("ProtectHome=yes"), 15, "ProtectHome=no");
    EXPECT_THAT(unusable(eyes_from("u", shows), "/home", F_OK).value_or(""), Not(HasSubstr("is not seen")));
    shows = agent_shows;
    shows.replace(shows.find("BindPaths=\n"), 11, "BindPaths=/home/tools:/home/tools:rbind\n");
    EXPECT_THAT(unusable(eyes_from("u", shows), "/home/tools/agent", F_OK).value_or(""), Not(HasSubstr("is not seen")));
    EXPECT_THAT(unusable(eyes_from("u", shows), "/home/other/agent", F_OK).value_or(""), HasSubstr("is not seen"));
}

TEST(Eyes, OfAServiceAreItsUsers) {
    const auto step = eyes_from("orchd-step@.service", "User=orchd\nGroup=orchd-db\nDynamicUser=no\nProtectHome=yes\n");
    EXPECT_EQ(step.user, "orchd");
    EXPECT_EQ(step.group, "orchd-db");
}

TEST_F(EyesTest, LookAsTheUnitsUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    const auto id = [] {
        return std::to_string(::geteuid()) + ' ' + std::to_string(::getegid()) + ' ' + std::to_string(::getgroups(0, nullptr));
    };
    EXPECT_EQ(seen_by(stranger, id), "61184 61184 0");
    const auto nobody = seen_by({.unit = "u", .user = "nobody", .group = "daemon"}, id);
    ASSERT_TRUE(nobody);
    EXPECT_THAT(*nobody, testing::StartsWith("65534 1 "));
    EXPECT_EQ(::geteuid(), 0U);
    EXPECT_EQ(seen_by({.unit = "u", .user = "no-such-user"}, id).error().code, Errc::no_such);
}

TEST_F(EyesTest, AFolderThatIsClosedAboveIsMissedByRootAlone) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    const auto program = folder.write("bin/agent", "#!/bin/sh\n");
    open_up(program);
    EXPECT_EQ(unusable_program(stranger, program), std::nullopt);
    open_up(folder.path("bin"), 0700);
    EXPECT_THAT(unusable_program(stranger, program).value_or("it is seen"),
                HasSubstr(program + " cannot be read by the user of a run of orchd-agent@.service: Permission denied"));
    // A link from where all is well leads there too.
    std::filesystem::create_directories(folder.path("open"));
    std::filesystem::create_symlink(program, folder.path("open/agent"));
    EXPECT_THAT(unusable_program(stranger, folder.path("open/agent")).value_or("it is seen"), HasSubstr("Permission denied"));
}

TEST_F(EyesTest, AScriptNeedsItsInterpreter) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    const auto python = folder.write("closed/python", "");
    open_up(python);
    open_up(folder.path("closed"), 0700);
    const auto program = folder.write("agent", "#!" + python + " -u\n");
    open_up(program);
    EXPECT_THAT(unusable_program(stranger, program).value_or("it is seen"), HasSubstr(program + " is run by " + python));
}

TEST_F(EyesTest, ALinkIntoWhatTheSandboxHidesIsFollowed) {
    std::filesystem::create_directories(folder.path("hidden"));
    folder.write("hidden/agent", "");
    std::filesystem::create_symlink(folder.path("hidden/agent"), folder.path("agent"));
    Eyes eyes = stranger;
    eyes.hidden = {folder.path("hidden")};
    EXPECT_THAT(unusable(eyes, folder.path("agent"), R_OK).value_or("it is seen"),
                HasSubstr("(it leads to " + folder.path("hidden/agent") + ")"));
}

TEST(Doctor, ADisabledTimerIsToldAndIsNoFailure) {
    const auto off = idle_unit("orchd-reaper.timer", "inactive", "disabled");
    EXPECT_EQ(off.health, Health::warn);
    EXPECT_THAT(off.text, HasSubstr("orchd-reaper.timer is disabled"));
    EXPECT_EQ(idle_unit("orchd-reaper.timer", "inactive", "masked").health, Health::warn);
    const auto until_boot = idle_unit("orchd-reaper.timer", "inactive", "masked-runtime");
    EXPECT_EQ(until_boot.health, Health::warn);
    EXPECT_THAT(until_boot.advice, HasSubstr("unmask --runtime orchd-reaper.timer && systemctl enable --now"));
    EXPECT_EQ(idle_unit("orchd-reaper.timer", "inactive", "enabled").health, Health::fail);
    EXPECT_EQ(idle_unit("orchd-reaper.timer", "failed", "disabled").health, Health::fail);
    EXPECT_EQ(idle_unit("orchd-worker.service", "inactive", "static").health, Health::fail);
}

}  // namespace
}  // namespace orchd::orchctl
