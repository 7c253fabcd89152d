// Who keeps whom out, and that a checkpoint is not starved by writers that overlap.
#include "store/checkpoint_lock.h"

#include <thread>

#include "store_fixture.h"

namespace orchd::store {
namespace {

class CheckpointLockTest : public testing::Test {
protected:
    Folder folder;
    CheckpointLock a = open(), b = open(), c = open();

    CheckpointLock open() { return must(CheckpointLock::open(folder / "db-ckpt")); }
    static bool writes(CheckpointLock& lock) { return lock.lock_for_write(0).has_value(); }
    static bool checkpoints(CheckpointLock& lock) { return lock.lock_for_checkpoint(0).has_value(); }
};

TEST_F(CheckpointLockTest, WritersPassTogetherAndACheckpointAlone) {
    EXPECT_TRUE(writes(a));
    EXPECT_TRUE(writes(b));
    EXPECT_FALSE(checkpoints(c));
    a.unlock();
    EXPECT_FALSE(checkpoints(c));
    b.unlock();
    EXPECT_TRUE(checkpoints(c));
    EXPECT_FALSE(writes(a));
    EXPECT_FALSE(checkpoints(b));
    c.unlock();
    EXPECT_TRUE(writes(a));
}

TEST_F(CheckpointLockTest, OneThatWasRefusedHoldsNothing) {
    EXPECT_TRUE(writes(a));
    EXPECT_FALSE(checkpoints(b));
    EXPECT_TRUE(writes(c));
    c.unlock();
    a.unlock();
    EXPECT_TRUE(checkpoints(a));
    EXPECT_FALSE(writes(b));
    a.unlock();
    EXPECT_TRUE(checkpoints(c));
}

TEST_F(CheckpointLockTest, NoNewWriterPassesACheckpointThatWaits) {
    ASSERT_TRUE(writes(a));
    std::jthread waiting([this] {
        EXPECT_TRUE(b.lock_for_checkpoint(30'000));
        b.unlock();
    });
    // From the moment it stands in the turnstile nobody else passes, though the gate itself would still admit a writer.
    while (writes(c)) c.unlock();
    EXPECT_FALSE(writes(c));
    a.unlock();
    waiting.join();
    EXPECT_TRUE(writes(c));
}

TEST_F(CheckpointLockTest, WhoeverDiesLetsGo) {
    {
        auto dying = open();
        ASSERT_TRUE(checkpoints(dying));
    }
    EXPECT_TRUE(writes(a));
}

}  // namespace
}  // namespace orchd::store
