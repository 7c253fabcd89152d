// A database that was lost, or in whose place another was put, is told from a first start, and nothing is begun over it.
#include <sqlite3.h>
#include <filesystem>
#include <fstream>

#include "store/backup.h"
#include "store/mark.h"
#include "store/totals.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

namespace fs = std::filesystem;

class LostTest : public StoreTest {
protected:
    LostTest() {
        for (const auto& directory : {backups, states}) fs::create_directory(directory);
    }
    [[nodiscard]] OpenOptions options(Mode mode = Mode::create) const {
        return {.mode = mode, .backup_dir = backups, .traces = {folder / "never-made", states}};
    }
    // As when every process has gone.
    void close() {
        must(db.checkpoint());
        const Db gone = std::move(db);
    }
    void remove_database() {
        for (const auto* file : {"", "-wal", "-shm", "-ckpt"}) fs::remove(path + file);
    }
    void open() { db = must(Db::open(path, options())); }
    // Every process is refused, told what to do, and changes nothing.
    void refused(const std::string& because) {
        const auto there = [&] { return fs::exists(path) ? static_cast<std::int64_t>(fs::file_size(path)) : -1; };
        const auto before = there();
        for (const auto mode : {Mode::create, Mode::read_write, Mode::read_only, Mode::inspect}) {
            const auto opened = Db::open(path, options(mode));
            ASSERT_FALSE(opened) << because;
            EXPECT_EQ(opened.error().code, Errc::corrupt) << opened.error().text;
            EXPECT_NE(opened.error().text.find(because), std::string::npos) << opened.error().text;
            EXPECT_NE(opened.error().text.find("orchctl db restore"), std::string::npos) << opened.error().text;
            EXPECT_NE(opened.error().text.find("orchctl db new"), std::string::npos) << opened.error().text;
            EXPECT_EQ(there(), before);
        }
    }
    // Only the one who would make a new one is: the others find none.
    void not_begun(const std::string& because) {
        const auto opened = Db::open(path, options());
        ASSERT_FALSE(opened) << because;
        EXPECT_NE(opened.error().text.find(because), std::string::npos) << opened.error().text;
        EXPECT_FALSE(fs::exists(path));
    }

    std::string backups = folder / "backups", states = folder / "states";
    std::string mark = mark_path(path);
};

TEST_F(LostTest, AFirstStartNeedsNoHand) {
    const auto other = folder / "other.db";
    (void)must(Db::open(other, options()));
    EXPECT_TRUE(fs::exists(mark_path(other)));
    (void)must(Db::open(other, options()));
}

TEST_F(LostTest, AStartThatWasKilledBeforeItsFirstTableNeedsNoneEither) {
    const auto other = folder / "other.db";
    std::ofstream(other).flush();
    (void)must(Db::open(other, options()));
}

TEST_F(LostTest, AMissingOneIsNotBegunAnew) {
    (void)task("HELLO-1");
    close();
    remove_database();
    refused("is missing");
}

TEST_F(LostTest, AnEmptyOneIsNotBegunAnew) {
    (void)task("HELLO-1");
    close();
    fs::resize_file(path, 0);
    refused("is empty");
    remove_database();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    refused("is empty");
}

TEST_F(LostTest, WithoutAMarkTheOtherThingsShowIt) {
    close();
    remove_database();
    fs::remove(mark);
    std::ofstream(path + "-wal") << "x";
    not_begun(path + "-wal");
    fs::remove(path + "-wal");
    fs::create_directory(states + "/HELLO-1");
    not_begun(states + "/HELLO-1");
    fs::remove(states + "/HELLO-1");
    for (const auto* name : {"/orchd-20261122T015007Z.db", "/orchd.db.schema-3"}) {
        std::ofstream(backups + name) << "x";
        not_begun(backups + name);
        fs::remove(backups + name);
    }
    open();
}

TEST_F(LostTest, AnOlderCopyIsRefused) {
    (void)task("HELLO-1");
    close();
    fs::copy_file(path, folder / "older");
    open();
    (void)task("HELLO-2");
    close();
    open();  // the mark is brought up to date at the latest when the worker starts
    close();
    fs::copy_file(folder / "older", path, fs::copy_options::overwrite_existing);
    refused("is an older copy");
}

TEST_F(LostTest, TheMarkFollowsWhatIsWrittenInBetween) {
    (void)task("HELLO-1");
    close();
    fs::copy_file(path, folder / "older");
    db = must(Db::open(path, {.checkpoint_pages = 1}));
    (void)task("HELLO-2");
    close();
    fs::copy_file(folder / "older", path, fs::copy_options::overwrite_existing);
    refused("is an older copy");
}

// Whoever puts an older copy back and leaves the newer one's WAL has a file of some pages from either; each that is read may be
// sound, the ids are the newer one's, and what the older one did not have is gone.
TEST_F(LostTest, AnOlderCopyBeneathTheNewerOnesWalIsRefused) {
    (void)task("HELLO-1");
    close();
    fs::copy_file(path, folder / "older");
    db = must(Db::open(path, {.checkpoint_pages = 1}));
    (void)task("HELLO-2");  // in the file by the checkpoint at its commit
    db = must(Db::open(path, {.checkpoint_pages = 0}));
    const auto last = task("HELLO-3");  // in the WAL alone
    { const Db gone = std::move(db); }
    ASSERT_GT(fs::file_size(path + "-wal"), 0U);
    fs::copy_file(path, folder / "newer");
    fs::copy_file(folder / "older", path, fs::copy_options::overwrite_existing);
    refused("is an older copy of the database that was there: without its write-ahead log it ends");
    fs::copy_file(folder / "newer", path, fs::copy_options::overwrite_existing);
    open();
    EXPECT_EQ(must(find_task(db, "HELLO-3"))->id, last);
}

// The WAL holds all that was done since the file was copied.
TEST_F(LostTest, TheFileThatTheWalGoesOnFromIsTaken) {
    (void)task("HELLO-1");
    close();
    open();
    fs::copy_file(path, folder / "same");
    const auto last = task("HELLO-2");
    { const Db gone = std::move(db); }
    fs::copy_file(folder / "same", path, fs::copy_options::overwrite_existing);
    open();
    EXPECT_EQ(must(find_task(db, "HELLO-2"))->id, last);
}

TEST_F(LostTest, AFolderWhoseNameMeansSomethingInAnAddressIsRead) {
    fs::create_directory(folder / "a %41?b=c#d");
    const auto other = folder / "a %41?b=c#d" + "/orchd.db";
    (void)must(Db::open(other, options()));
    (void)must(sequences_in_file(other, ""));
    EXPECT_FALSE(sequences_in_file(folder / "a A", ""));
}

TEST_F(LostTest, AnotherDatabaseIsRefusedHoweverFarItHasCome) {
    const auto other = folder / "other.db";
    {
        Db elsewhere = must(Db::open(other, {.mode = Mode::create}));
        must(elsewhere.checkpoint());
    }
    (void)task("HELLO-1");
    close();
    remove_database();
    fs::copy_file(other, path);
    refused("is another database");
}

// As of a version before there were marks: an empty one was put in its place, and it has come as far as that.
TEST_F(LostTest, OneThatIsBehindItsBackupIsRefused) {
    (void)task("HELLO-1");
    (void)task("HELLO-2");
    const auto backup = must(back_up(db, backups, "good"));
    close();
    remove_database();
    fs::remove(mark);
    {
        Db small = must(Db::open(path, {.mode = Mode::create}));
        must(small.execute("DROP TRIGGER database_id_is_kept; DELETE FROM settings_state WHERE key = 'database_id'"));
        must(small.checkpoint());
        const auto tried = back_up(small, backups, "empty");
        ASSERT_FALSE(tried);
        EXPECT_NE(tried.error().text.find("no backup is made"), std::string::npos) << tried.error().text;
        EXPECT_NE(tried.error().text.find(backup.path), std::string::npos) << tried.error().text;
        EXPECT_EQ(must(prune_backups(small, backups, 0)), 0) << "it pushes no better one out";
    }
    fs::remove(mark);
    const auto opened = Db::open(path, options());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().text.find("is behind its backup " + backup.path), std::string::npos) << opened.error().text;
    (void)must(restore_backup(backup.path, path, "now"));
    open();
    EXPECT_TRUE(must(find_task(db, "HELLO-2")));
}

TEST_F(LostTest, OneWithoutAMarkIsTakenAsItIs) {
    const auto id = task("HELLO-1");
    (void)must(back_up(db, backups, "good"));
    close();
    fs::remove(mark);
    open();
    EXPECT_EQ(must(find_task(db, "HELLO-1"))->id, id);
    EXPECT_TRUE(fs::exists(mark));
}

TEST_F(LostTest, NothingIsWrittenIntoOneThatWasTakenAway) {
    const auto put = [&] { return db.write([&](Tx& tx) { return put_state(tx, {.key = "k", .value = "v"}); }); };
    must(put());
    fs::rename(path, path + ".away");
    const auto missing = put();
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().text.find("removed or replaced"), std::string::npos) << missing.error().text;
    fs::copy_file(path + ".away", path);
    EXPECT_FALSE(put());
    fs::rename(path + ".away", path);
    must(put());
}

TEST_F(LostTest, ADamagedOneIsToldWithWhatToDo) {
    (void)task("HELLO-1");
    close();
    fs::resize_file(path, 3000);
    refused("is damaged");
    std::ofstream(path, std::ios::trunc) << std::string(20'000, 'x');
    refused("is damaged");
}

TEST_F(LostTest, ARestoreOverALostOneGivesNoIdTwiceThatAnybodyCouldKnow_R09) {
    (void)task("HELLO-1");
    const auto backup = must(back_up(db, backups, "good"));
    const auto lost = task("HELLO-2");
    close();
    remove_database();
    std::ofstream(path + "-wal") << "of the one that was lost";
    (void)must(restore_backup(backup.path, path, "now"));
    EXPECT_FALSE(fs::exists(path + "-wal"));
    EXPECT_TRUE(fs::exists(path + ".before-restore-now-wal")) << "never taken for the new one's, nor thrown away";
    open();
    EXPECT_GT(task("HELLO-3"), lost);
    EXPECT_TRUE(must(find_task(db, "HELLO-1")));
}

TEST_F(LostTest, WhatIsRestoredIsTheOneThatIsToBeThere) {
    const auto other = folder / "other.db";
    Db elsewhere = must(Db::open(other, {.mode = Mode::create}));
    const auto backup = must(back_up(elsewhere, folder.path(), "others"));
    (void)task("HELLO-1");
    close();
    (void)must(restore_backup(backup.path, path, "now"));
    open();
    EXPECT_FALSE(must(find_task(db, "HELLO-1")));
    (void)task("HELLO-2");
    close();
    fs::copy_file(path + ".before-restore-now", path, fs::copy_options::overwrite_existing);
    refused("is another database");
}

TEST_F(LostTest, WhoBeginsAnewGetsAnEmptyOneThatGivesNoIdAgain) {
    const auto last = task("HELLO-1");
    for (const auto* name : {"1", "2"}) (void)must(back_up(db, backups, name));
    close();
    remove_database();
    EXPECT_EQ(must(begin_anew(path, backups, "now")).kept_as, "");
    open();
    EXPECT_FALSE(must(find_task(db, "HELLO-1")));
    EXPECT_GT(task("HELLO-1"), last);
    for (const auto* name : {"3", "4"}) (void)must(back_up(db, backups, name));
    EXPECT_EQ(must(prune_backups(db, backups, 1)), 1) << "of its own: those of the other stay";
    EXPECT_EQ(must(list_backups(backups)).size(), 3U);
    close();
    EXPECT_EQ(must(begin_anew(path, backups, "now")).kept_as, path + ".before-new-now");
    open();
    EXPECT_FALSE(must(find_task(db, "HELLO-1")));
}

TEST_F(LostTest, NobodyBeginsAnewUnderAProcessThatHasItOpen) {
    (void)must(find_task(db, "HELLO-1"));
    const auto refused = begin_anew(path, backups, "now");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
}

TEST_F(LostTest, EventsAreCountedNotTheirIds) {
    const auto append = [&] {
        must(write([&](Tx& tx) {
                 return append_event(tx, {.at = 1, .actor = "worker", .task_id = {}, .job_id = {}, .kind = "k", .data = "{}"});
             }) > 0
                 ? Status{}
                 : fail(Errc::internal, "no id"));
    };
    for (int n = 0; n < 3; ++n) append();
    const auto backup = must(back_up(db, backups, "good"));
    append();
    close();
    remove_database();
    (void)must(restore_backup(backup.path, path, "now"));
    open();
    append();
    EXPECT_GT(must(newest_event_id(db)), 1'000'000);
    EXPECT_EQ(must(events_appended(db)), 4);
    close();
    (void)must(begin_anew(path, backups, "now"));
    open();
    append();
    EXPECT_EQ(must(events_appended(db)), 1);
}

}  // namespace
}  // namespace orchd::store
