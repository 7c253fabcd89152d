// The floor of free space, and the ballast.
#include "engine/disk.h"

#include "run_life.h"
#include "store/ballast.h"

namespace orchd::support {
namespace {

constexpr std::int64_t mib = 1 << 20;

TEST(DiskTest, BelowTheFloorNothingIsStartedAndWhatRunsStillEnds_R07) {
    RunLife life;
    life.scene.settings.disk_floor_bytes = 256 * mib;
    life.task("HELLO-1").in(Stage::analysis);
    EXPECT_EQ(life.dispatch(), 1);
    life.task("HELLO-2").in(Stage::analysis);
    life.scene.free_bytes = 256 * mib - 1;
    EXPECT_EQ(life.dispatch(), 0);
    life.scene.free_bytes = 256 * mib;
    EXPECT_EQ(life.dispatch(), 1);
}

TEST(DiskTest, InodesCountAsTheFloorDoes_R07) {
    RunLife life;
    life.scene.settings.disk_floor_inodes = 1000;
    life.task("HELLO-1").in(Stage::analysis);
    life.scene.inodes = {.free = 999, .total = 1'000'000};
    EXPECT_EQ(life.dispatch(), 0);
    const auto low = engine::low_disk(life.scene.settings, life.scene.free_bytes, life.scene.inodes);
    EXPECT_EQ(low->text,
              "the disk of the database has 999 inodes free, which is below the floor of 1000 inodes (disk_floor_inodes).");
    life.scene.inodes = {.free = 39, .total = 400};
    EXPECT_EQ(life.dispatch(), 0) << "a small one has a small floor";
    life.scene.inodes.free = 40;
    EXPECT_EQ(life.dispatch(), 1);
    life.task("HELLO-2").in(Stage::analysis);
    life.scene.inodes = {};
    EXPECT_EQ(life.dispatch(), 1) << "no count is no floor";
}

TEST(DiskTest, TheBallastIsLaidOnceItFitsAboveTheFloor) {
    Scene scene;
    const auto path = store::ballast_beside(scene.db.path());
    scene.settings.ballast_bytes = 2 * mib;
    scene.settings.disk_floor_bytes = 10 * mib;
    scene.free_bytes = 12 * mib - 1;
    must(engine::keep_ballast(scene.world()));
    EXPECT_EQ(store::ballast_size(path), 0);
    scene.free_bytes = 12 * mib;
    must(engine::keep_ballast(scene.world()));
    EXPECT_EQ(store::ballast_size(path), 2 * mib);
    scene.free_bytes = 0;  // what lies there stays
    must(engine::keep_ballast(scene.world()));
    EXPECT_EQ(store::ballast_size(path), 2 * mib);
    scene.settings.ballast_bytes = 0;
    must(engine::keep_ballast(scene.world()));
    EXPECT_EQ(store::ballast_size(path), 0);
}

}  // namespace
}  // namespace orchd::support
