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
