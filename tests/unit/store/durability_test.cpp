// What a commit promises, shown on a disk that drops unsynced writes and fails where it is told to.
#include <filesystem>
#include <random>

#include "storage/fault_vfs.h"
#include "store/check.h"
#include "store/mark.h"
#include "store_fixture.h"
#include "support/stride.h"

namespace orchd::store {
namespace {

class DurabilityTest : public testing::Test {
protected:
    Folder folder;
    tests::FaultVfs disk{"fault"};
    std::string path = folder / "orchd.db";

    // Small enough that the workloads below checkpoint several times.
    [[nodiscard]] OpenOptions options(Mode mode = Mode::read_write, int checkpoint_pages = 12) const {
        return {.mode = mode, .vfs = disk.name(), .busy_timeout_ms = 100, .checkpoint_pages = checkpoint_pages};
    }
    void make_database() { (void)must(Db::open(path, options(Mode::create))); }
    // Two rows in one transaction: both or none.
    static Status commit(Db& db, int n) {
        return db.write([&](Tx& tx) -> Status {
            for (const std::string half : {"left", "right"}) {
                auto put = put_state(
                    tx, {.key = half + std::to_string(n), .value = std::string(3000, 'x'), .by = "t", .reason = "", .at = n});
                if (!put) return put;
            }
            return {};
        });
    }
    // How many of the two rows are there.
    static int halves(Db& db, int n) {
        int found = 0;
        for (const std::string half : {"left", "right"})
            found += must(find_state(db, half + std::to_string(n))).has_value() ? 1 : 0;
        return found;
    }
    // Commits ten times, each time with a power cut directly after it; how many of the commits were lost. Without checkpoints,
    // which sync too.
    int lost_in_ten_cuts(const std::string& pragma) {
        make_database();
        int lost = 0;
        for (int n = 0; n < 10; ++n) {
            {
                Db db = must(Db::open(path, options(Mode::read_write, 0)));
                must(db.execute(pragma));
                must(commit(db, n));
                disk.stop_at(1);
            }
            disk.power_cut();
            Db db = must(Db::open(path, options()));
            EXPECT_TRUE(must(integrity_problems(db)).empty());
            if (halves(db, n) != 2) ++lost;
        }
        return lost;
    }
};

TEST_F(DurabilityTest, ACommitOutlivesAPowerCut) { EXPECT_EQ(lost_in_ten_cuts(""), 0); }

// The same with the sync taken out: so we know that the test above can see.
TEST_F(DurabilityTest, WithoutTheSyncOfEachCommitItDoesNot) { EXPECT_GT(lost_in_ten_cuts("PRAGMA synchronous = NORMAL"), 0); }
TEST_F(DurabilityTest, WithoutAnySyncItDoesNot) { EXPECT_GT(lost_in_ten_cuts("PRAGMA synchronous = OFF"), 0); }

TEST_F(DurabilityTest, WhatWasCommittedIsThereWhereverThePowerFails) {
    make_database();
    const auto pristine = folder / "pristine.db";
    disk.power_cut();
    std::filesystem::copy_file(path, pristine);
    std::mt19937 chance(20'240'607);
    constexpr int commits = 8;
    for (int call = 1;; ++call) {
        SCOPED_TRACE("stopped at call " + std::to_string(call));
        std::filesystem::remove(path + "-wal");
        std::filesystem::copy_file(pristine, path, std::filesystem::copy_options::overwrite_existing);
        int acknowledged = 0;
        {
            Db db = must(Db::open(path, options()));
            disk.stop_at(call);
            while (acknowledged < commits && commit(db, acknowledged)) ++acknowledged;
            if (!disk.struck()) {
                ASSERT_GT(call, 50) << "the workload did not write enough to say anything";
                return;
            }
        }
        disk.power_cut(call % 2 == 0 ? &chance : nullptr);
        Db db = must(Db::open(path, options()));
        ASSERT_TRUE(must(integrity_problems(db)).empty());
        for (int n = 0; n < acknowledged; ++n) ASSERT_EQ(halves(db, n), 2) << "commit " << n << " of " << acknowledged;
        ASSERT_NE(halves(db, acknowledged), 1);  // what was not acknowledged is there whole or not at all
        must(commit(db, commits));
    }
}

TEST_F(DurabilityTest, AFileIsMadeWholeWhereverThePowerFails) {
    std::mt19937 chance(7);
    for (int call = 1;; call += tests::stride(5)) {
        SCOPED_TRACE("stopped at call " + std::to_string(call));
        disk.stop_at(call);
        const bool made = Db::open(path, options(Mode::create)).has_value();
        if (!disk.struck()) {
            ASSERT_TRUE(made);
            ASSERT_GT(call, 20);
            return;
        }
        disk.power_cut(call % 2 == 0 ? &chance : nullptr);
        {
            Db db = must(Db::open(path, options(Mode::create)));
            ASSERT_TRUE(must(integrity_problems(db)).empty());
            must(commit(db, 1));
        }
        disk.power_cut();
        for (const auto* file : {"", "-wal", "-shm"}) std::filesystem::remove(path + file);
        std::filesystem::remove(mark_path(path));  // or it would be one that was lost
    }
}

class FaultTest : public DurabilityTest, public testing::WithParamInterface<int> {};

TEST_P(FaultTest, OneFailedCallLosesNothingThatWasCommittedAndIsSurvived) {
    make_database();
    Db db = must(Db::open(path, options()));
    int n = 0;
    int refused = 0;
    for (int call = 1; call < 60; ++call) {
        SCOPED_TRACE("failed at call " + std::to_string(call));
        disk.fail_once_at(call, GetParam());
        std::vector<int> acknowledged;
        std::vector<int> unknown;
        for (int commits = 0; commits < 5; ++commits, ++n) {
            auto done = commit(db, n);
            (done ? acknowledged : unknown).push_back(n);
            if (done) continue;
            const auto code = done.error().code;
            EXPECT_TRUE(code == Errc::io || (code == Errc::no_space && GetParam() == SQLITE_FULL)) << face(code).name;
        }
        refused += static_cast<int>(unknown.size());
        EXPECT_LE(unknown.size(), 1U);
        disk.no_more_faults();
        for (const int known : acknowledged) ASSERT_EQ(halves(db, known), 2) << known;
        for (const int perhaps : unknown) ASSERT_NE(halves(db, perhaps), 1) << perhaps;
    }
    EXPECT_GT(refused, 10);
    EXPECT_TRUE(must(integrity_problems(db)).empty());
}
INSTANTIATE_TEST_SUITE_P(Each, FaultTest, testing::Values(SQLITE_IOERR, SQLITE_FULL),
                         [](const auto& fault) { return fault.param == SQLITE_FULL ? "DiskFull" : "InputOutputError"; });

}  // namespace
}  // namespace orchd::store
