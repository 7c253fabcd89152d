// Issue 10: whoever answers knows whether there is a worker.
#include "store/worker_lock.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <csignal>

#include "store_fixture.h"

namespace orchd::store {
namespace {

TEST_F(StoreTest, AWorkerIsSeenForAsLongAsItHoldsItsLock) {
    EXPECT_EQ(worker_lives(path), std::nullopt) << "no worker was ever there";
    {
        const auto one = must(WorkerLock::take(path));
        EXPECT_EQ(worker_lives(path), true);
        const auto two = must(WorkerLock::take(path));
        EXPECT_EQ(worker_lives(path), true) << "looking twice lets go of nothing";
    }
    EXPECT_EQ(worker_lives(path), false);
    struct stat seen {};
    ASSERT_EQ(::stat((path + "-worker").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 07777U, 0660U);
}

TEST_F(StoreTest, AWorkerThatIsKilledIsGoneAtOnce) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const auto child = ::fork();
    if (child == 0) {
        const auto lock = WorkerLock::take(path);
        (void)!::write(ready[1], lock ? "y" : "n", 1);
        for (;;) ::pause();
    }
    char said = 0;
    ASSERT_EQ(::read(ready[0], &said, 1), 1);
    EXPECT_EQ(said, 'y');
    EXPECT_EQ(worker_lives(path), true);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(worker_lives(path), false);
    ::close(ready[0]);
    ::close(ready[1]);
}

}  // namespace
}  // namespace orchd::store
