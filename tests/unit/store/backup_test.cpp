// Backups are whole, and a restored one goes on without giving an id twice.
#include "store/backup.h"

#include <sys/stat.h>
#include <fstream>
#include <thread>

#include "store/check.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

class BackupTest : public StoreTest {
protected:
    std::string backups = folder / "backups";
    BackupTest() { std::filesystem::create_directory(backups); }

    Backup made(const std::string& name = "one") { return must(back_up(db, backups, name)); }
    // As when every process has gone.
    void close() {
        const Db gone = std::move(db);
        (void)gone;
    }
    void open() { db = must(Db::open(path, {.mode = Mode::create})); }
    void restore(const std::string& from) {
        close();
        (void)must(restore_backup(from, path, "now"));
        open();
    }
    // A run that began and ended.
    std::int64_t one_run(std::int64_t of) {
        (void)ask(of, Role::developer);
        const auto claim = claim_one();
        must(write([&](Tx& tx) { return finish_job(tx, claim.job.id, claim.run.id, JobStatus::done, "", "", now); })
                 ? Status{}
                 : fail(Errc::conflict, "moved"));
        return claim.run.id;
    }
};

TEST_F(BackupTest, IsWholeAndHoldsWhatWasCommitted) {
    const auto before = task("HELLO-1");
    const auto backup = made();
    EXPECT_EQ(must(verify_backup(backup.path)), schema_version());
    (void)task("HELLO-2");
    auto copy = must(Db::open(backup.path, {.mode = Mode::read_only}));
    EXPECT_EQ(must(find_task(copy, "HELLO-1"))->id, before);
    EXPECT_FALSE(must(find_task(copy, "HELLO-2")));
    struct stat seen {};
    ASSERT_EQ(::stat(backup.path.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 07U, 0U) << "not for the world";
}

TEST_F(BackupTest, IsMadeWhileOthersWrite) {
    std::jthread writer([&](const std::stop_token& stop) {
        Db own = must(Db::open(path, {}));
        for (int n = 0; !stop.stop_requested(); ++n)
            must(own.write([&](Tx& tx) { return put_state(tx, {.key = "k" + std::to_string(n % 50), .value = "v"}); }));
    });
    for (int n = 0; n < 5; ++n) EXPECT_EQ(must(verify_backup(made("b" + std::to_string(n)).path)), schema_version());
}

TEST_F(BackupTest, TheOldestGoAndWhatAKilledOneLeft) {
    for (const auto* name : {"1", "2", "3"}) (void)made(name);
    std::ofstream(backups + "/4.db.partial") << "half";
    std::ofstream(backups + "/orchd.db.schema-1") << "of a migration";
    EXPECT_EQ(must(prune_backups(db, backups, 2)), 1);
    std::vector<std::string> names;
    for (const auto& backup : must(list_backups(backups))) names.push_back(std::filesystem::path(backup.path).filename());
    EXPECT_EQ(names, (std::vector<std::string>{"2.db", "3.db"}));
    EXPECT_FALSE(std::filesystem::exists(backups + "/4.db.partial"));
    EXPECT_TRUE(std::filesystem::exists(backups + "/orchd.db.schema-1"));
    EXPECT_EQ(back_up(db, backups, "3").error().code, Errc::conflict);
}

TEST_F(BackupTest, ADamagedOneIsRefusedAndNothingIsTouched) {
    (void)task("HELLO-1");
    const auto backup = made();
    std::filesystem::resize_file(backup.path, std::filesystem::file_size(backup.path) / 2);
    close();
    EXPECT_FALSE(restore_backup(backup.path, path, "now"));
    open();
    EXPECT_TRUE(must(find_task(db, "HELLO-1")));
}

TEST_F(BackupTest, ARestoredOneGoesOnAndGivesNoIdTwice_R09) {
    const auto first = task("HELLO-1");
    (void)one_run(first);
    const auto backup = made();
    const auto lost_task = task("HELLO-2");
    const auto lost_run = one_run(lost_task);
    restore(backup.path);
    EXPECT_FALSE(must(find_task(db, "HELLO-2")));
    EXPECT_TRUE(must(integrity_problems(db)).empty());
    EXPECT_GT(task("HELLO-3"), lost_task);
    EXPECT_GT(one_run(first), lost_run);
    auto kept = must(Db::open(path + ".before-restore-now", {.mode = Mode::read_only}));
    EXPECT_EQ(must(find_task(kept, "HELLO-2"))->id, lost_task);
    struct stat seen {};
    ASSERT_EQ(::stat(path.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0660U);
}

TEST_F(BackupTest, WhereNobodyKnowsWhichIdsWereGivenAGapIsLeft_R09) {
    const auto first = task("HELLO-1");
    const auto backup = made();
    close();
    std::ofstream(path, std::ios::binary | std::ios::trunc) << "no database at all";
    (void)must(restore_backup(backup.path, path, "now"));
    open();
    EXPECT_GE(task("HELLO-2"), first + 1'000'000);
    EXPECT_EQ(std::filesystem::file_size(path + ".before-restore-now"), 18U);
}

TEST_F(BackupTest, IsNotRestoredUnderAProcessThatHasTheDatabaseOpen) {
    const auto backup = made();
    (void)must(find_state(db, "any"));
    const auto refused = restore_backup(backup.path, path, "now");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_NE(refused.error().text.find("stop orchd"), std::string::npos);
}

TEST_F(BackupTest, IsRestoredWhereThereIsNoDatabaseAnyMore) {
    const auto id = task("HELLO-1");
    const auto backup = made();
    close();
    for (const auto* file : {"", "-wal", "-shm", "-ckpt"}) std::filesystem::remove(path + file);
    const auto restored = must(restore_backup(backup.path, path, "now"));
    EXPECT_EQ(restored.kept_as, "");
    open();
    EXPECT_EQ(must(find_task(db, "HELLO-1"))->id, id);
}

}  // namespace
}  // namespace orchd::store
