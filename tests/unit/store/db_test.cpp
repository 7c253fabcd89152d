// The connection: how the file is opened, transactions, statements, checkpoints.
#include <sqlite3.h>
#include <sys/stat.h>
#include <filesystem>
#include <fstream>

#include "store_fixture.h"

namespace orchd::store {
namespace {

class DbTest : public StoreTest {
protected:
    Status put(Db& to, const std::string& key, const std::string& value = "v") {
        return to.write([&](Tx& tx) { return put_state(tx, {.key = key, .value = value, .by = "t", .reason = "", .at = 0}); });
    }
    static bool has(Db& in, const std::string& key) { return must(find_state(in, key)).has_value(); }
    std::string pragma(const std::string& name) {
        auto statement = must(db.prepare("PRAGMA " + name));
        return must(statement.step()).value().text(0);
    }
    std::uintmax_t wal_size() { return std::filesystem::file_size(path + "-wal"); }
};

TEST_F(DbTest, TheFileIsSetUpAsTheDesignSays) {
    EXPECT_EQ(pragma("journal_mode"), "wal");
    EXPECT_EQ(pragma("synchronous"), "2");
    EXPECT_EQ(pragma("page_size"), "8192");
    EXPECT_EQ(pragma("foreign_keys"), "1");
    EXPECT_EQ(pragma("user_version"), std::to_string(schema_version()));
    // A VFS without mapped pages answers nothing; where it answers, it is 0.
    auto statement = must(db.prepare("PRAGMA mmap_size"));
    const auto mapped = must(statement.step());
    EXPECT_TRUE(!mapped || mapped->integer(0) == 0);
    for (const std::string table : {"projects", "tasks", "jobs", "runs", "deps", "transition_leases", "merge_leases",
                                    "target_leases", "effects", "deliveries", "outbox", "verdicts", "statuses", "windows",
                                    "tracker_states", "baselines", "releases", "events", "settings_state"})
        EXPECT_EQ(number("SELECT strict FROM pragma_table_list WHERE name = '" + table + "'"), 1) << table;
}

TEST_F(DbTest, TheGroupMayWriteWhateverTheUmask) {
    const auto before = ::umask(0077);
    const auto other = folder / "other.db";
    Db made = must(Db::open(other, {.mode = Mode::create}));
    must(put(made, "k"));
    ::umask(before);
    for (const std::string suffix : {"", "-wal", "-shm", "-ckpt"}) {
        struct stat seen = {};
        ASSERT_EQ(::stat((other + suffix).c_str(), &seen), 0) << suffix;
        EXPECT_EQ(seen.st_mode & 0777, 0660U) << suffix;
    }
}

TEST_F(DbTest, AMissingFileIsMadeOnlyWhereThatIsAsked) {
    for (const Mode mode : {Mode::read_write, Mode::read_only}) {
        auto opened = Db::open(folder / "none.db", {.mode = mode});
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Errc::no_such);
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "none.db"));
}

TEST_F(DbTest, WhatIsNoDatabaseOfOursIsRefusedAndLeftAlone) {
    const auto garbage = folder / "garbage.db";
    std::ofstream(garbage) << std::string(20'000, 'x');
    const auto foreign = folder / "foreign.db";
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(foreign.c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, "CREATE TABLE recipes (name)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    for (const auto& file : {garbage, foreign}) {
        const auto size = std::filesystem::file_size(file);
        for (const Mode mode : {Mode::create, Mode::read_write, Mode::read_only}) {
            auto opened = Db::open(file, {.mode = mode});
            ASSERT_FALSE(opened) << file;
            EXPECT_EQ(opened.error().code, Errc::corrupt) << opened.error().text;
        }
        EXPECT_EQ(std::filesystem::file_size(file), size);
    }
}

TEST_F(DbTest, AnErrorOrAnExceptionRollsBack) {
    auto refused = db.write([&](Tx& tx) -> Status {
        if (auto done = put_state(tx, {.key = "k", .value = "v", .by = "t", .reason = "", .at = 0}); !done) return done;
        return fail(Errc::conflict, "changed my mind");
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text, "changed my mind");
    EXPECT_FALSE(has(db, "k"));
    EXPECT_THROW((void)db.write([&](Tx& tx) -> Status {
        if (auto done = put_state(tx, {.key = "k", .value = "v", .by = "t", .reason = "", .at = 0}); !done) return done;
        throw std::runtime_error("out of luck");
    }),
                 std::runtime_error);
    EXPECT_FALSE(has(db, "k"));
    must(put(db, "k"));
    EXPECT_TRUE(has(db, "k"));
}

TEST_F(DbTest, ATransactionIsNotBegunInsideAnother) {
    auto inner = Errc::io;
    must(db.write([&](Tx&) -> Status {
        inner = put(db, "k").error().code;
        return {};
    }));
    EXPECT_EQ(inner, Errc::internal);
    auto nested = db.read([&](Db& d) -> Status { return put(d, "k"); });
    ASSERT_FALSE(nested);
    EXPECT_EQ(nested.error().code, Errc::internal);
    must(put(db, "k"));
}

TEST_F(DbTest, AReadSeesOneMomentWhateverIsWrittenMeanwhile) {
    Db writer = must(Db::open(path, {}));
    must(db.read([&](Db& d) -> Status {
        EXPECT_FALSE(has(d, "k"));
        must(put(writer, "k"));
        EXPECT_FALSE(has(d, "k"));
        return {};
    }));
    EXPECT_TRUE(has(db, "k"));
}

TEST_F(DbTest, AReaderWritesNothing) {
    must(put(db, "k"));
    Db reader = must(Db::open(path, {.mode = Mode::read_only}));
    EXPECT_TRUE(has(reader, "k"));
    auto tried = put(reader, "other");
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, Errc::not_permitted);
    EXPECT_FALSE(reader.execute("DELETE FROM settings_state"));
    EXPECT_FALSE(reader.checkpoint());
    EXPECT_TRUE(has(db, "k"));
}

TEST_F(DbTest, AStatementIsCompiledOnceAndLentToOneAtATime) {
    const auto compiled = [&] {
        int count = 0;
        for (auto* s = sqlite3_next_stmt(db.raw(), nullptr); s != nullptr; s = sqlite3_next_stmt(db.raw(), s)) ++count;
        return count;
    };
    (void)has(db, "a");
    const int before = compiled();
    for (int n = 0; n < 10; ++n) (void)has(db, "a");
    EXPECT_EQ(compiled(), before);
    // While one is read from, the same text again is another statement.
    must(put(db, "a", "1"));
    must(put(db, "b", "2"));
    auto outer = must(db.prepare("SELECT key FROM settings_state WHERE key < 'c' ORDER BY key"));
    EXPECT_EQ(must(outer.step())->text(0), "a");
    {
        auto inner = must(db.prepare("SELECT key FROM settings_state WHERE key < 'c' ORDER BY key"));
        EXPECT_EQ(must(inner.step())->text(0), "a");
    }
    EXPECT_EQ(must(outer.step())->text(0), "b");
    EXPECT_EQ(must(outer.step()), std::nullopt);
}

TEST_F(DbTest, ValuesComeBackAsTheyWentIn) {
    auto statement = must(db.prepare("SELECT ?, ?, ?, ?, ?, ?"));
    const std::string odd("a\x01\"b", 4);
    statement.bind(std::int64_t{1} << 40, std::string_view(), std::optional<int>(), odd, true, std::nullopt);
    const auto row = must(statement.step()).value();
    EXPECT_EQ(row.integer(0), std::int64_t{1} << 40);
    EXPECT_FALSE(row.null(1));
    EXPECT_EQ(row.text(1), "");
    EXPECT_TRUE(row.null(2));
    EXPECT_EQ(row.maybe_integer(2), std::nullopt);
    EXPECT_EQ(row.text(3), odd);
    EXPECT_EQ(row.maybe_integer(4), 1);
    EXPECT_EQ(row.maybe_text(5), std::nullopt);
    EXPECT_EQ(row.maybe_text(1), "");
}

TEST_F(DbTest, ATextWithANulIsRefused) {
    auto statement = must(db.prepare("SELECT ?"));
    statement.bind(std::string("a\0b", 3));
    const auto tried = statement.step();
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, Errc::invalid_argument);
    EXPECT_NE(tried.error().text.find("NUL"), std::string::npos);
    EXPECT_FALSE(put(db, std::string("k\0", 2)));
}

TEST_F(DbTest, AValueTooManyIsAnErrorNotSilence) {
    auto statement = must(db.prepare("SELECT ?"));
    statement.bind(1, 2);
    auto tried = statement.step();
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, Errc::internal);
    auto broken = db.prepare("SELEKT 1");
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, Errc::internal);
}

TEST_F(DbTest, NobodyCheckpointsUnasked) {
    Db writer = must(Db::open(path, {.mode = Mode::read_write, .checkpoint_pages = 0}));
    must(db.checkpoint());
    EXPECT_EQ(wal_size(), 0U);
    const auto file = std::filesystem::file_size(path);
    for (int n = 0; n < 300; ++n) must(put(writer, "k" + std::to_string(n), std::string(20'000, 'x')));
    EXPECT_GT(wal_size(), 5'000'000U);
    EXPECT_EQ(std::filesystem::file_size(path), file);
    // Nor does the last to close.
    { Db closing = std::move(writer); }
    { Db closing = std::move(db); }
    EXPECT_GT(wal_size(), 5'000'000U);
    EXPECT_EQ(std::filesystem::file_size(path), file);
    db = must(Db::open(path, {}));
    EXPECT_TRUE(has(db, "k299"));
}

TEST_F(DbTest, WhoFindsTheWalLongChecksItIn) {
    must(db.checkpoint());  // of what making the file brought, which grows with each migration
    Db writer = must(Db::open(path, {.mode = Mode::read_write, .checkpoint_pages = 50}));
    std::uintmax_t longest = 0;
    for (int n = 0; n < 400; ++n) {
        must(put(writer, "k", std::string(20'000, static_cast<char>('a' + n % 26))));
        longest = std::max(longest, wal_size());
    }
    EXPECT_LT(longest, 80U * 8300U);
}

TEST_F(DbTest, ACheckpointThatIsPutOffIsDoneAfterwards) {
    Db writer = must(Db::open(path, {.mode = Mode::read_write, .checkpoint_pages = 50}));
    must(db.checkpoint());
    const auto file = std::filesystem::file_size(path);
    const auto put_more = [&](const std::string& key) {
        for (int n = 0; n < 60; ++n) must(put(writer, key + std::to_string(n), std::string(20'000, 'x')));
    };
    {
        const CheckpointLater later(writer);
        put_more("late");
        EXPECT_GT(wal_size(), 60U * 20'000U);
        EXPECT_EQ(std::filesystem::file_size(path), file);
    }
    EXPECT_GT(std::filesystem::file_size(path), file + 60U * 20'000U);
    const auto then = std::filesystem::file_size(path);
    put_more("soon");
    EXPECT_GT(std::filesystem::file_size(path), then);
}

TEST_F(DbTest, AWalThatHadToGrowIsCutAgain) {
    Db writer = must(Db::open(path, {.mode = Mode::read_write, .checkpoint_pages = 50}));
    must(writer.write([](Tx& tx) -> Status {
        for (int n = 0; n < 1500; ++n) {
            auto put =
                put_state(tx, {.key = std::to_string(n), .value = std::string(16'000, 'x'), .by = "t", .reason = "", .at = 0});
            if (!put) return put;
        }
        return {};
    }));
    EXPECT_GT(wal_size(), 17'000'000U);
    must(put(writer, "small"));
    EXPECT_LT(wal_size(), 17'000'000U);
}

TEST_F(DbTest, AReaderThatStaysIsToldOfAndNotWaitedFor) {
    Db reader = must(Db::open(path, {.mode = Mode::read_only}));
    must(put(db, "before"));
    must(reader.read([&](Db& d) -> Status {
        EXPECT_TRUE(has(d, "before"));
        must(put(db, "after"));
        auto emptied = db.checkpoint();
        EXPECT_FALSE(emptied);
        EXPECT_EQ(emptied.error().code, Errc::unavailable);
        return {};
    }));
    must(db.checkpoint());
    EXPECT_EQ(wal_size(), 0U);
}

}  // namespace
}  // namespace orchd::store
