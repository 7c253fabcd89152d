// R30: what `orchctl project grant-deploy` lays for the shipped hook.
#include "orchctl/grant_deploy.h"
#include "git/scene.h"

namespace orchd::orchctl {
namespace {

class GrantDeploy : public testing::Test {
protected:
    GrantDeploy() {
        project.name = "demo";
        project.deploy = settings::Project::Deploy{std::string(names::deploy_hook), folder / "demo.conf", 300};
        // The folder of a test lies under /tmp, which is no place for releases.
        root = "/var/tmp/" + std::filesystem::path(folder.path()).filename().string() + "/demo";
        configure(root, "demo.service");
        to.drop_ins = folder / "units";
        to.rules = folder / "rules";
        to.user = "nobody";
        to.reload_manager = [this] {
            ++reloads;
            return Status{};
        };
    }
    ~GrantDeploy() override { std::filesystem::remove_all(std::filesystem::path(root).parent_path()); }
    void configure(const std::string& path, const std::string& unit) {
        scene::write(folder / "demo.conf", "# ROOT=/x\nROOT=" + path + "\nUNIT=" + unit + "\nKEEP=3\n");
    }
    Errc refused() {
        const auto granted = grant_deploy(project, to);
        EXPECT_FALSE(granted);
        EXPECT_FALSE(std::filesystem::exists(folder / "units")) << "nothing is laid for what is refused";
        return granted ? Errc::internal : granted.error().code;
    }
    scene::Folder folder;
    settings::Project project;
    GrantTo to;
    std::string root;
    int reloads = 0;
};

TEST_F(GrantDeploy, LaysOnePathAndOneUnitOnce) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a folder away";
    const auto granted = grant_deploy(project, to);
    ASSERT_TRUE(granted) << granted.error().text;
    EXPECT_EQ(granted->size(), 3u);
    EXPECT_EQ(reloads, 1);
    EXPECT_EQ(scene::sh(folder.path(), "stat -c '%U %a' " + root + " rules/60-orchd-deploy-demo.rules"),
              "nobody 755\nroot 644");
    EXPECT_NE(scene::read(folder / "units/demo.conf").find("\n[Service]\nReadWritePaths=-" + root + '\n'), std::string::npos);
    EXPECT_NE(scene::read(folder / "rules/60-orchd-deploy-demo.rules").find(R"(action.lookup("unit") == "demo.service")"),
              std::string::npos);
    const auto again = grant_deploy(project, to);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->empty());
    EXPECT_EQ(reloads, 1);
}

TEST_F(GrantDeploy, RefusesPathsAndUnitsThatAreNotAProjects) {
    for (const auto& path : {"", "/", "/srv", "srv/x", "/etc/x", "/usr/lib/x", "/var/lib/orchd/x", "/srv/../etc", "/srv/x y",
                             "/srv/x%h", "/srv/x/"}) {
        configure(path, "demo.service");
        EXPECT_EQ(refused(), Errc::invalid_argument) << path;
    }
    for (const auto& unit :
         {"", "demo", "demo.socket", "*.service", "orchd-worker.service", "x\" || true.service", "-H.service"}) {
        configure(root, unit);
        EXPECT_EQ(refused(), Errc::invalid_argument) << unit;
    }
}

TEST_F(GrantDeploy, RefusesAFolderThatIsInUseByAnother) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a folder away";
    scene::write(root + "/precious", "x");
    EXPECT_EQ(refused(), Errc::conflict);
}

TEST_F(GrantDeploy, RefusesAHookThatIsTheOperatorsOwnAndAProjectWithoutOne) {
    project.deploy->hook = "/usr/local/bin/my-hook";
    EXPECT_EQ(refused(), Errc::invalid_argument);
    project.deploy.reset();
    EXPECT_EQ(refused(), Errc::invalid_argument);
}

}  // namespace
}  // namespace orchd::orchctl
