#include "host/host.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "host/fd.h"
#include "host/log.h"

namespace orchd::host {
namespace {

TEST(Now, ReadsBothClocksAndTheBootId) {
    const auto one = now(), two = now();
    EXPECT_EQ(one.boot_id.size(), 36u);
    EXPECT_GE(two.boot_ms, one.boot_ms);
    EXPECT_GT(one.utc_ms, 1'600'000'000'000);
}

TEST(Poke, IsOneDatagramAndNoErrorWithoutAListener) {
    std::string folder = (std::filesystem::temp_directory_path() / "orchd-poke-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const std::string path = folder + "/wake";
    poke(path);  // nobody listens: nothing happens

    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    poke(path);
    char byte = 0;
    EXPECT_EQ(recv(fd.get(), &byte, 1, 0), 1);
    EXPECT_EQ(recv(fd.get(), &byte, 1, 0), -1);

    for (int i = 0; i < 10'000; ++i) poke(path);  // a full queue does not block
    std::filesystem::remove_all(folder);
}

TEST(RandomUnit, StaysBelowOne) {
    for (int i = 0; i < 1000; ++i) {
        const auto r = random_unit();
        EXPECT_GE(r, 0.0);
        EXPECT_LT(r, 1.0);
    }
}

TEST(Log, WritesOneLineWithItsPriorityWhereThereIsNoJournal) {
    unsetenv("JOURNAL_STREAM");
    testing::internal::CaptureStderr();
    log(Level::warning, "title {} \x1b[2J\nsecond", {{"ORCHD_TASK", "ORCH-1"}});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "<4>title {}  [2J second\n");
}

}  // namespace
}  // namespace orchd::host
