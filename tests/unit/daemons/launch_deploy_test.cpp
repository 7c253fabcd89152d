// R30: the launcher of a deploy asks the hook what is live before it deploys.
#include "prepared.h"

namespace orchd::daemons {
namespace {

class LaunchDeploy : public Prepared {
protected:
    LaunchDeploy() {
        spec.kind = JobKind::deploy;
        spec.role = Role::deploy;
        spec.release = "/releases/x.tar";
        spec.config = "/etc/orchd/deploy.d/hello.conf";
        spec.command = {folder / "hook"};
    }
    // A hook whose verbs are these scripts; `deploy` leaves its environment in ../env.
    void hook(const std::string& status, const std::string& deploy) {
        scene::write(folder / "hook", "#!/bin/sh\ncd " + folder.path() + "\ncase $1 in status) " + status +
                                          ";; deploy) env >env; " + deploy + ";; esac\n");
        scene::sh(folder.path(), "chmod +x hook");
    }
    [[nodiscard]] bool deployed() const { return std::filesystem::exists(folder / "env"); }
};

TEST_F(LaunchDeploy, CallsTheHookWithWhatItIsToDeploy) {
    hook("echo " + std::string(40, 'a'), "exit 0");
    ASSERT_EQ(launch(), 0);
    EXPECT_EQ(scene::sh(folder.path(), "grep ^ORCHD_ env | sort"),
              "ORCHD_COMMIT=" + spec.commit + "\nORCHD_DEPLOY_CONFIG=" + spec.config +
                  "\nORCHD_PROJECT=hello\nORCHD_RELEASE=/releases/x.tar\nORCHD_RESULT_DIR=" + paths.state_dir +
                  "/result\nORCHD_RUN_ID=7\nORCHD_WORK_ITEM=HELLO-1");
}

TEST_F(LaunchDeploy, DoesNotDeployWhatIsLiveAlready) {
    hook("echo \" $ORCHD_COMMIT since today\"", "exit 1");
    EXPECT_EQ(launch(), 0);
    EXPECT_FALSE(deployed());
}

TEST_F(LaunchDeploy, DeploysWhereNothingIsLiveYet) {
    hook("exit 0", "exit 0");
    EXPECT_EQ(launch(), 0);
    EXPECT_TRUE(deployed());
}

TEST_F(LaunchDeploy, DoesNotDeployWhileTheHookCannotTell) {
    for (const auto* status : {"exit 75", "echo $ORCHD_COMMIT; exit 1", "kill -KILL $$"}) {
        ++spec.run_id;
        hook(status, "exit 0");
        EXPECT_EQ(launch(), 75) << status;
    }
    EXPECT_FALSE(deployed());
}

TEST_F(LaunchDeploy, EndsAsTheHookEnds) {
    const std::vector<std::pair<std::string, int>> ends{
        {"exit 0", 0}, {"exit 1", 1}, {"exit 2", 2}, {"exit 75", 75}, {"kill -KILL $$", -9}};
    for (const auto& [deploy, end] : ends) {
        ++spec.run_id;
        hook(":", deploy);
        EXPECT_EQ(launch(), end) << deploy;
    }
    ++spec.run_id;
    spec.timeout_s = 1;
    hook(":", "exec sleep 1000");
    EXPECT_EQ(launch(), 124);
    ++spec.run_id;
    spec.command = {folder / "none"};
    EXPECT_EQ(launch(), 127);
}

TEST_F(LaunchDeploy, TakesASpecOnce) {
    hook(":", "exit 0");
    ASSERT_EQ(launch(), 0);
    std::filesystem::remove(folder / "env");
    EXPECT_EQ(launch(), names::exit_not_set_up) << "no word of the hook's";
    EXPECT_FALSE(deployed());
}

// A unit whose start was asked for long ago finds what was prepared for the task since.
TEST_F(LaunchDeploy, R14_IsWorkedByItsOwnUnitAlone) {
    hook(":", "exit 0");
    lay();
    EXPECT_EQ(WEXITSTATUS(launch_run(paths)), names::exit_not_set_up);
    spec.kind = JobKind::agent;
    lay();
    EXPECT_EQ(WEXITSTATUS(launch_deploy(paths)), names::exit_not_set_up);
    EXPECT_FALSE(deployed());
    EXPECT_TRUE(std::filesystem::is_empty(paths.state_dir)) << "nor is the spec taken";
}

}  // namespace
}  // namespace orchd::daemons
