// Space held back for what must be on record.
#include "store/ballast.h"

#include <sys/stat.h>
#include <fstream>

#include "storage/fault_vfs.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

constexpr std::int64_t ballast_bytes = 1 << 20;

TEST(Ballast, HoldsItsSpaceUntilItIsGivenBack) {
    Folder folder;
    const auto path = ballast_beside(folder / "orchd.db");
    EXPECT_EQ(path, folder / "ballast");
    EXPECT_EQ(ballast_size(path), 0);
    must(lay_ballast(path, ballast_bytes));
    EXPECT_EQ(ballast_size(path), ballast_bytes);
    struct stat seen {};
    ASSERT_EQ(::stat(path.c_str(), &seen), 0);
    EXPECT_GE(seen.st_blocks * 512, ballast_bytes) << "a hole holds nothing";
    must(lay_ballast(path, ballast_bytes / 2));
    EXPECT_EQ(ballast_size(path), ballast_bytes / 2);
    must(lay_ballast(path, 0));
    EXPECT_FALSE(std::filesystem::exists(path));
    drop_ballast(path);
}

TEST(Ballast, ASymlinkInItsPlaceIsNotFollowed) {
    Folder folder;
    std::ofstream(folder / "theirs") << "kept";
    std::filesystem::create_symlink(folder / "theirs", folder / "ballast");
    EXPECT_EQ(ballast_size(folder / "ballast"), 0);
    must(lay_ballast(folder / "ballast", ballast_bytes));
    EXPECT_EQ(std::filesystem::file_size(folder / "theirs"), 4U);
}

// Wherever in the work the disk is found full.
TEST(Ballast, WhatMustBeOnRecordIsWrittenAllTheSame) {
    Folder folder;
    tests::FaultVfs disk("full");
    const auto path = folder / "orchd.db";
    Db db = must(Db::open(path, {.mode = Mode::create, .vfs = disk.name(), .checkpoint_pages = 0}));
    int given_back = 0;
    for (int call = 1; call < 40; ++call) {
        must(lay_ballast(ballast_beside(path), ballast_bytes));
        disk.fail_once_at(call, SQLITE_FULL);
        const auto written = db.write_surely([&](Tx& tx) {
            return put_state(tx, {.key = "exit", .value = std::string(20'000, 'x'), .by = "t", .reason = "", .at = call});
        });
        disk.no_more_faults();
        const bool gave = ballast_size(ballast_beside(path)) == 0;
        given_back += gave ? 1 : 0;
        if (!written) {
            EXPECT_EQ(written.error().code, Errc::io) << written.error().text;  // a read that failed
        }
        EXPECT_EQ(must(find_state(db, "exit")).value_or(StateRow{}).at == call, written.has_value());
    }
    EXPECT_GT(given_back, 3);
}

TEST(Ballast, OtherWorkLeavesItAlone) {
    Folder folder;
    tests::FaultVfs disk("full");
    const auto path = folder / "orchd.db";
    Db db = must(Db::open(path, {.mode = Mode::create, .vfs = disk.name(), .checkpoint_pages = 0}));
    must(lay_ballast(ballast_beside(path), ballast_bytes));
    int refused = 0;
    for (int call = 1; call < 20; ++call) {
        disk.fail_once_at(call, SQLITE_FULL);
        const auto written =
            db.write([&](Tx& tx) { return put_state(tx, {.key = "k", .value = "v", .by = "t", .reason = "", .at = call}); });
        disk.no_more_faults();
        refused += !written && written.error().code == Errc::no_space ? 1 : 0;
    }
    EXPECT_GT(refused, 1);
    EXPECT_EQ(ballast_size(ballast_beside(path)), ballast_bytes);
}

}  // namespace
}  // namespace orchd::store
