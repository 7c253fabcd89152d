// No 2xx without its row (R18): on a disk that drops what was not synced, fails, and is full.
#include "house.h"
#include "storage/fault_vfs.h"

namespace orchd::listener::tests {
namespace {

const std::string long_body = R"({"text": ")" + std::string(2000, 'x') + "\"}";

class DurabilityTest : public ::testing::Test {
protected:
    store::Folder folder;
    orchd::tests::FaultVfs disk{"fault"};

    [[nodiscard]] store::OpenOptions options() const {
        return {.vfs = disk.name(), .busy_timeout_ms = 200, .checkpoint_pages = 0};
    }
    // Deliveries that were answered 2xx and are not there after a power cut, of ten cuts.
    int lost_in_ten_cuts(const std::string& pragma) {
        int lost = 0;
        for (int cut = 0; cut < 10; ++cut) {
            const auto id = std::to_string(cut);
            {
                House house(folder, {.database = options(), .pragma = pragma});
                EXPECT_EQ(house.send(gitea(long_body, id)), 200);
                disk.stop_at(1);
            }
            disk.power_cut();
            auto db = must(store::Db::open(folder / "orchd.db", options()));
            const auto all = must(store::list_deliveries(db, {}));
            if (std::none_of(all.begin(), all.end(), [&](const auto& d) { return d.dedup_key == id; })) ++lost;
        }
        return lost;
    }
};

TEST_F(DurabilityTest, WhatWasAnsweredOutlivesAPowerCut) { EXPECT_EQ(lost_in_ten_cuts(""), 0); }
// The same with the sync taken out: so we know that the test above can see.
TEST_F(DurabilityTest, WithoutTheSyncItDoesNot) { EXPECT_GT(lost_in_ten_cuts("PRAGMA synchronous = NORMAL"), 0); }

TEST_F(DurabilityTest, WhereverTheDiskFailsARefusalIsToldAndTheNextDeliveryIsTaken) {
    House house(folder, {.database = options()});
    EXPECT_EQ(house.send(gitea(long_body, "first")), 200);
    int refused = 0;
    for (int call = 1; call < 25; ++call) {
        const auto id = "at-" + std::to_string(call);
        disk.fail_once_at(call, SQLITE_IOERR_WRITE);
        const auto status = house.send(gitea(long_body, id));
        EXPECT_TRUE(status == 200 || status == 503) << status;
        disk.no_more_faults();
        if (status == 200) continue;
        ++refused;
        EXPECT_EQ(house.send(gitea(long_body, id)), 200) << "sent again";
    }
    EXPECT_GT(refused, 2);
    auto db = must(store::Db::open(folder / "orchd.db", options()));
    auto all = must(store::list_deliveries(db, {.limit = 1000}));
    const auto traces = std::erase_if(all, [](const auto& d) { return d.state == store::DeliveryState::refused; });
    EXPECT_EQ(all.size(), 25U) << "each once";
    EXPECT_EQ(traces, static_cast<std::size_t>(refused)) << "and each refusal, once the disk was well again";
}

TEST_F(DurabilityTest, AFullDiskTakesTheBallastFirstAndThenRefuses) {
    House house(folder, {.database = options()});
    EXPECT_EQ(house.send(gitea(long_body, "first")), 200);
    const auto ballast = store::ballast_beside(folder / "orchd.db");
    must(store::lay_ballast(ballast, 1 << 16));
    int given = 0;
    for (int call = 1; call < 25; ++call) {
        must(store::lay_ballast(ballast, 1 << 16));
        disk.fail_once_at(call, SQLITE_FULL);
        const auto status = house.send(gitea(long_body, std::to_string(call)));
        disk.no_more_faults();
        if (store::ballast_size(ballast) == 0) {
            ++given;
            EXPECT_EQ(status, 200);
        }
    }
    EXPECT_GT(given, 2);
}

}  // namespace
}  // namespace orchd::listener::tests
