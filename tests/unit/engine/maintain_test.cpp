// The maintenance pass: what it keeps, what it removes, and that one failing part leaves the others alone.
#include "engine/maintain.h"

#include <fstream>

#include "engine/operate.h"
#include "run_life.h"
#include "store/backup.h"

namespace orchd::support {
namespace {

namespace fs = std::filesystem;

class MaintainTest : public testing::Test {
protected:
    RunLife life;
    Scene& scene = life.scene;
    std::vector<std::string> warnings;

    engine::Maintained pass() {
        auto world = scene.world("maintenance");
        world.paths.backups_dir = scene.folder / "backups";
        world.warn = [this](const std::string&, const std::string& text) { warnings.push_back(text); };
        world.paths.agent_states_dir = scene.folder / "agents";
        world.paths.deploy_states_dir = scene.folder / "deploys";
        return must(engine::maintain(world));
    }
    bool due() {
        auto world = scene.world("maintenance");
        return must(engine::maintenance_due(world));
    }
    void file(const std::string& path) {
        fs::create_directories(fs::path(path).parent_path());
        std::ofstream(path) << "x";
    }
};

TEST_F(MaintainTest, BacksUpAndKeepsTheNewest) {
    fs::create_directories(scene.folder / "backups");
    scene.settings.backups_kept = 2;
    for (int n = 0; n < 3; ++n, scene.now.utc_ms += 1000) {
        const auto done = pass();
        EXPECT_EQ(done.failures, 0) << warnings.front();
        EXPECT_EQ(must(store::verify_backup(done.backup)), store::schema_version());
    }
    EXPECT_EQ(must(store::list_backups(scene.folder / "backups")).size(), 2U);
}

TEST_F(MaintainTest, MakesNoBackupThatWouldTakeTheDiskBelowItsFloor) {
    fs::create_directories(scene.folder / "backups");
    scene.free_bytes = scene.settings.disk_floor_bytes + 1;
    EXPECT_EQ(pass().failures, 1);
    EXPECT_TRUE(must(store::list_backups(scene.folder / "backups")).empty());
}

TEST_F(MaintainTest, RemovesStateDirectoriesThatNoTaskOwns) {
    fs::create_directories(scene.folder / "backups");
    for (const auto* item : {"HELLO-1", "HELLO-2", "HELLO-3", "HELLO-4", "x"})
        fs::create_directories(scene.folder / (std::string("agents/") + item));
    fs::create_directories(scene.folder / "deploys/HELLO-4");
    life.task().in(Stage::review);            // open
    scene.task("HELLO-2").in(Stage::review);  // over
    must(engine::cancel(life.worker, "HELLO-2", "", "ann"));
    scene.units.runs("orchd-agent@HELLO-3.service", "i");  // unknown, and not gone yet
    const auto done = pass();                              // HELLO-4: unknown
    EXPECT_EQ(done.failures, 0) << warnings.front();
    EXPECT_EQ(scene.units.cleaned, (std::vector<std::string>{"orchd-agent@HELLO-2.service", "orchd-agent@HELLO-4.service",
                                                             "orchd-deploy@HELLO-4.service"}));
    EXPECT_EQ(done.states, 3);
}

TEST_F(MaintainTest, OneFailingPartLeavesTheOthers_R40) {
    file(scene.folder / "runs/HELLO-9/spec.json");
    const auto done = pass();  // there is no folder for backups
    EXPECT_EQ(done.failures, 1);
    EXPECT_EQ(done.run_folders, 1);
    EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(MaintainTest, ARunFolderGoesOnlyWithoutALiveRun) {
    life.task("HELLO-1").in(Stage::analysis);
    ASSERT_EQ(life.dispatch(), 1);
    for (const auto* name : {"HELLO-1", "HELLO-7", "not-ours"})
        file(scene.folder / ("runs/" + std::string(name) + "/spec.json"));
    EXPECT_EQ(pass().run_folders, 1);
    EXPECT_TRUE(fs::exists(scene.folder / "runs/HELLO-1/spec.json"));
    EXPECT_FALSE(fs::exists(scene.folder / "runs/HELLO-7"));
    EXPECT_TRUE(fs::exists(scene.folder / "runs/not-ours"));
}

TEST_F(MaintainTest, IsDueWhenItsIntervalHasPassed_R38) {
    EXPECT_TRUE(due());
    (void)pass();
    EXPECT_FALSE(due());
    scene.now.utc_ms += scene.settings.maintenance_interval_s * 1000;
    EXPECT_TRUE(due());
    scene.now.utc_ms -= 400LL * 86'400'000;
    EXPECT_TRUE(due()) << "a clock that was set back";
}

}  // namespace
}  // namespace orchd::support
