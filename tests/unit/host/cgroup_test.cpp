#include "host/cgroup.h"

#include <gtest/gtest.h>

namespace orchd::host {
namespace {

TEST(CgroupMount, IsFoundOnAUnifiedHost) {
    EXPECT_EQ(cgroup_mount_in("22 28 0:21 / /proc rw - proc proc rw\n"
                              "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"),
              "/sys/fs/cgroup");
}

TEST(CgroupMount, IsFoundBesideTheOldHierarchies) {
    EXPECT_EQ(cgroup_mount_in("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
                              "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                              "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"),
              "/sys/fs/cgroup/unified");
}

TEST(CgroupMount, IsEmptyWithoutVersionTwo) {
    EXPECT_EQ(cgroup_mount_in("39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"), "");
}

TEST(CgroupEvents, SayWhetherAnythingRuns) {
    EXPECT_TRUE(populated_in("populated 1\nfrozen 0\n"));
    EXPECT_TRUE(populated_in("frozen 0\npopulated 1\n"));
    EXPECT_FALSE(populated_in("populated 0\nfrozen 1\n"));
    EXPECT_FALSE(populated_in(""));
}

TEST(UnitOfCgroup, IsTheInnermostUnit) {
    EXPECT_EQ(unit_of("/orchd.slice/orchd-step@ORCH-1.service"), "orchd-step@ORCH-1.service");
    EXPECT_EQ(unit_of("/system.slice/x.service/worker"), "x.service");
    EXPECT_EQ(unit_of("/user.slice/user-0.slice/session-1.scope"), "session-1.scope");
    EXPECT_EQ(unit_of("/"), "");
}

TEST(SeeCgroup, ReportsNothingForOneThatIsNotThere) {
    int error = -1;
    EXPECT_FALSE(see_cgroup("/orchd.slice/orchd-agent@NOSUCH-1.service", error).has_value());
    EXPECT_EQ(error, 0);
}

}  // namespace
}  // namespace orchd::host
