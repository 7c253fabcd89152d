// Whether the whole file is sound.
#include "store/check.h"

#include <fstream>

#include "store_fixture.h"

namespace orchd::store {
namespace {

using CheckTest = StoreTest;

TEST_F(CheckTest, ANewDatabaseIsSound) { EXPECT_TRUE(must(integrity_problems(db)).empty()); }

TEST_F(CheckTest, ADamagedPageIsSaid) {
    must(db.checkpoint());
    const auto size = std::filesystem::file_size(path);
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(size - 8192));
        file << std::string(8192, 'x');
    }
    auto damaged = must(Db::open(path, {.mode = Mode::read_only}));
    const auto problems = integrity_problems(damaged);
    if (problems) {
        EXPECT_FALSE(problems->empty());
    } else {
        EXPECT_EQ(problems.error().code, Errc::corrupt);
    }
}

}  // namespace
}  // namespace orchd::store
