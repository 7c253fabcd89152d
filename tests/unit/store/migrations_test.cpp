// Versions of the file: forward step by step, a backup before, a newer one refused.
#include "store/migrations.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <filesystem>

#include "store/check.h"
#include "store/deliveries.h"
#include "store/seen.h"
#include "store_fixture.h"
#include "support/stride.h"

namespace orchd::store {
namespace {

// The present schema, and two later ones as a later program would have them.
std::vector<Migration> later_program() {
    auto steps = migrations();
    steps.push_back({schema_version() + 1,
                     "CREATE TABLE extra (id INTEGER PRIMARY KEY, text TEXT) STRICT; INSERT INTO extra VALUES (1, 'two')"});
    steps.push_back({schema_version() + 2, "ALTER TABLE extra ADD COLUMN more TEXT; UPDATE extra SET more = 'three'"});
    return steps;
}

class MigrationsTest : public StoreTest {
protected:
    std::string backup = path + ".schema-" + std::to_string(schema_version());
    Status upgrade() { return migrate(db.raw(), path, "", later_program()); }
};

TEST_F(MigrationsTest, StepsCountUpFromOne) {
    int version = 0;
    for (const auto& step : migrations()) EXPECT_EQ(step.version, ++version);
    EXPECT_EQ(schema_version(), version);
}

TEST_F(MigrationsTest, AnOlderFileIsBackedUpAndBroughtForward_R44) {
    (void)task("HELLO-1");
    must(upgrade());
    EXPECT_EQ(must(read_version(db.raw())), schema_version() + 2);
    EXPECT_EQ(number("SELECT count(*) FROM extra WHERE text = 'two' AND more = 'three'"), 1);
    EXPECT_EQ(must(find_task(db, "HELLO-1"))->title, "title");
    // The backup is the file as it was, and opens as such.
    struct stat seen = {};
    ASSERT_EQ(::stat(backup.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777, 0640U);
    EXPECT_FALSE(std::filesystem::exists(backup + ".partial"));
    Db kept = must(Db::open(backup, {}));
    EXPECT_TRUE(must(find_task(kept, "HELLO-1")));
    EXPECT_TRUE(must(integrity_problems(kept)).empty());
    must(upgrade());  // nothing left to do
}

TEST_F(MigrationsTest, DeliveriesOfSchema1AreCountedAndSayWhatBecameOfThem_R18) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open((folder / "first.db").c_str(), &raw), SQLITE_OK);
    must(migrate(raw, folder / "first.db", "", std::span(migrations()).first(1)));
    ASSERT_EQ(sqlite3_exec(raw,
                           "INSERT INTO deliveries (id, source, dedup_key, body_hash, event, body, received_at, state, error)"
                           " VALUES (3, 'gitea', 'a', 'h', 'push', '{}', 7, 'pending', ''),"
                           " (4, 'gitea', 'b', 'h', 'push', '{}', 7, 'ignored', ''), (5, 'gitea', 'c', 'h', 'push', '{}', 7,"
                           " 'failed', 'odd')",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    must(migrate(raw, folder / "first.db", "", migrations()));
    sqlite3_close(raw);
    Db first = must(Db::open(folder / "first.db", {}));
    const auto counts = must(count_deliveries(first));
    EXPECT_EQ(counts.pending, 1);
    EXPECT_EQ(counts.done, 0);
    EXPECT_EQ(counts.ignored, 1);
    EXPECT_EQ(counts.failed, 1);
    EXPECT_EQ(must(find_delivery(first, 4))->outcome, "ignored");
    EXPECT_EQ(must(find_delivery(first, 5))->outcome, "odd");
}

// What was told before the forge's ids were kept is nobody's; ids that were given out are not given again; a stamp from the
// future is one of the past by now.
TEST_F(MigrationsTest, WhatWasSeenBeforeIdsWereKeptIsInheritedByNobody) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open((folder / "fifth.db").c_str(), &raw), SQLITE_OK);
    must(migrate(raw, folder / "fifth.db", "", std::span(migrations()).first(5)));
    ASSERT_EQ(
        sqlite3_exec(raw,
                     "INSERT INTO projects (name) VALUES ('hello');"
                     "INSERT INTO pull_requests VALUES ('hello', 1, 'task/HELLO-1', 'c', 'main', 'merged', 5),"
                     " ('hello', 2, 'task/HELLO-2', 'd', 'main', 'open', 99999999999999);"
                     "INSERT INTO reviews VALUES ('hello', 1, 'ann', 'approved', 'c', 5);"
                     "INSERT INTO tracker_items VALUES ('hello', 'u', 'HELLO-1', 's', 99999999999999, 's', 99999999999999);"
                     "INSERT INTO deliveries (id, source, dedup_key, body_hash, event, body, received_at) VALUES"
                     " (7, 'gitea', 'a', 'h', 'push', '{}', 7), (9, 'gitea', 'b', 'h', 'push', '{}', 7);"
                     "DELETE FROM deliveries WHERE id = 9",
                     nullptr, nullptr, nullptr),
        SQLITE_OK)
        << sqlite3_errmsg(raw);
    must(migrate(raw, folder / "fifth.db", "", migrations()));
    sqlite3_close(raw);
    Db fifth = must(Db::open(folder / "fifth.db", {}));
    EXPECT_EQ(must(find_pull_request(fifth, "hello", {0, 1}))->state, "merged");
    EXPECT_FALSE(must(find_pull_request(fifth, "hello", {2, 1})));
    EXPECT_EQ(must(reviews_of(fifth, "hello", {0, 1})).size(), 1U);
    const auto later = must(find_pull_request(fifth, "hello", {0, 2}))->at;
    EXPECT_GT(later, 1'700'000'000'000);
    EXPECT_LT(later, 99'999'999'999'999);
    EXPECT_LT(must(find_tracker_item(fifth, "hello", "u"))->heeded_at, 99'999'999'999'999);
    EXPECT_EQ(must(find_delivery(fifth, 7))->size, 2);
    const NewDelivery next{
        .source = "gitea", .dedup_key = "c", .body_hash = "h", .event = "push", .body = "{}", .received_at = 8};
    (void)must(fifth.write([&](Tx& tx) { return add_deliveries(tx, std::span(&next, 1)); }));
    EXPECT_EQ(must(list_deliveries(fifth, {.limit = 1})).at(0).id, 10);
    EXPECT_TRUE(must(integrity_problems(fifth)).empty());
}

TEST_F(MigrationsTest, TheBackupGoesWhereItIsWanted) {
    std::filesystem::create_directory(folder / "backups");
    must(migrate(db.raw(), path, folder / "backups", later_program()));
    EXPECT_TRUE(std::filesystem::exists(folder / ("backups/orchd.db.schema-" + std::to_string(schema_version()))));
    EXPECT_FALSE(std::filesystem::exists(backup));
}

TEST_F(MigrationsTest, WithoutABackupNothingIsChanged) {
    auto tried = migrate(db.raw(), path, folder / "no-such-folder", later_program());
    ASSERT_FALSE(tried);
    EXPECT_EQ(must(read_version(db.raw())), schema_version());
}

TEST_F(MigrationsTest, ANewerFileIsRefusedWithBothVersionsNamed_R44) {
    Db open_before = must(Db::open(path, {}));
    must(upgrade());
    const auto expect_refusal = [](const Error& error) {
        EXPECT_EQ(error.code, Errc::too_new);
        EXPECT_NE(error.text.find("schema " + std::to_string(schema_version() + 2)), std::string::npos) << error.text;
        EXPECT_NE(error.text.find("up to " + std::to_string(schema_version())), std::string::npos) << error.text;
    };
    for (const Mode mode : {Mode::create, Mode::read_write, Mode::read_only}) {
        auto opened = Db::open(path, {.mode = mode});
        ASSERT_FALSE(opened);
        expect_refusal(opened.error());
    }
    // A process that had it open notices before it writes.
    auto written = open_before.write([&](Tx& tx) { return ensure_project(tx, "late"); });
    ASSERT_FALSE(written);
    expect_refusal(written.error());
}

TEST_F(MigrationsTest, AnOlderFileIsNotWorkedOnUnmigrated) {
    const auto empty = folder / "empty.db";
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(empty.c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    auto opened = Db::open(empty, {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::conflict);
    EXPECT_NE(opened.error().text.find("orchd-worker.service"), std::string::npos);
}

int die_at_statement(unsigned, void* left, void*, void*) {
    if (--*static_cast<int*>(left) == 0) ::_exit(9);
    return 0;
}

TEST_F(MigrationsTest, KilledAtAnyStatementTheFileIsOfOneVersionOrTheNext) {
    (void)task("HELLO-1");
    { Db closing = std::move(db); }
    for (int statement = 1;; ++statement) {
        SCOPED_TRACE("killed at statement " + std::to_string(statement));
        const auto copy = folder / "copy.db";
        for (const std::string suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy + suffix);
        for (const std::string suffix : {"", "-wal"}) std::filesystem::copy_file(path + suffix, copy + suffix);
        const pid_t child = ::fork();
        if (child == 0) {
            auto opened = Db::open(copy, {});
            int left = statement;
            if (opened) sqlite3_trace_v2(opened->raw(), SQLITE_TRACE_STMT, die_at_statement, &left);
            const bool done = opened && migrate(opened->raw(), copy, "", later_program());
            ::_exit(done ? 0 : 1);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status));
        if (WEXITSTATUS(status) == 0) {
            ASSERT_GT(statement, 8);
            break;
        }
        ASSERT_EQ(WEXITSTATUS(status), 9);
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open(copy.c_str(), &raw), SQLITE_OK);
        const int version = must(read_version(raw));
        EXPECT_EQ(sqlite3_exec(raw, "SELECT * FROM extra", nullptr, nullptr, nullptr) == SQLITE_OK, version > schema_version())
            << version;
        EXPECT_EQ(sqlite3_exec(raw, "SELECT more FROM extra", nullptr, nullptr, nullptr) == SQLITE_OK,
                  version > schema_version() + 1)
            << version;
        must(migrate(raw, copy, "", later_program()));
        EXPECT_EQ(must(read_version(raw)), schema_version() + 2);
        sqlite3_close(raw);
    }
}

std::string schema_of(sqlite3* db) {
    std::string all;
    const auto append = [](void* to, int, char** columns, char**) {
        *static_cast<std::string*>(to) += std::string(columns[0] == nullptr ? "" : columns[0]) + '\n';
        return 0;
    };
    sqlite3_exec(db, "SELECT sql FROM sqlite_schema ORDER BY type, name", append, &all, nullptr);
    return all;
}

// The statements of every step that this program has.
TEST(Migrations, EachStepKilledAtEachStatementLeavesAWholeVersion) {
    Folder folder;
    std::vector<std::string> whole(1);
    for (const auto& step : migrations()) {
        sqlite3* raw = nullptr;
        const auto path = folder / ("whole" + std::to_string(step.version));
        ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
        must(migrate(raw, path, "", std::span(migrations()).first(static_cast<std::size_t>(step.version))));
        whole.push_back(schema_of(raw));
        sqlite3_close(raw);
    }
    for (int statement = 1;; statement += tests::stride(3)) {
        SCOPED_TRACE("killed at statement " + std::to_string(statement));
        const auto path = folder / ("killed" + std::to_string(statement));
        const pid_t child = ::fork();
        if (child == 0) {
            sqlite3* raw = nullptr;
            int left = statement;
            if (sqlite3_open(path.c_str(), &raw) != SQLITE_OK) ::_exit(2);
            sqlite3_exec(raw, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
            sqlite3_trace_v2(raw, SQLITE_TRACE_STMT, die_at_statement, &left);
            ::_exit(migrate(raw, path, "", migrations()) ? 0 : 1);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status));
        if (WEXITSTATUS(status) == 0) {
            ASSERT_GT(statement, 60);
            return;
        }
        ASSERT_EQ(WEXITSTATUS(status), 9);
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
        const auto version = static_cast<std::size_t>(must(read_version(raw)));
        ASSERT_EQ(schema_of(raw), whole.at(version)) << "version " << version;
        must(migrate(raw, path, "", migrations()));
        ASSERT_EQ(schema_of(raw), whole.back());
        sqlite3_close(raw);
    }
}

}  // namespace
}  // namespace orchd::store
