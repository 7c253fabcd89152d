#include "store/totals.h"

#include <map>

#include "counting.h"
#include "store/migrations.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

class TotalsTest : public StoreTest {
protected:
    std::map<std::string, std::int64_t> told() {
        std::map<std::string, std::int64_t> all;
        for (const auto& total : must(totals(db))) all[total.what + ' ' + total.word + ' ' + total.ended] = total.n;
        return all;
    }
};

TEST_F(TotalsTest, EachEndIsCountedOnce) {
    const auto first = task("A-1");
    (void)task("A-2");
    EXPECT_EQ(told()["tasks_created  "], 2);
    EXPECT_EQ(told()["stages_entered analysis "], 2);

    (void)ask(first, Role::analyst);
    const auto claimed = claim_one();
    const auto& [job, run, work_item, owner] = claimed;
    (void)write([&](Tx& tx) { return record_exit(tx, run.id, {ExitKind::killed, 9}, "", monday); });
    (void)write([&](Tx& tx) { return begin_stopping(tx, job.id, run.id, ""); });
    (void)write([&](Tx& tx) { return requeue(tx, job.id, run.id, {}, "", monday); });
    EXPECT_EQ(told()["runs_ended killed "], 1);
    EXPECT_EQ(told().count("jobs_ended analyst cancelled"), 0U) << "queued again is no end";
    (void)write([&](Tx& tx) { return cancel_queued(tx, job.id, "", monday); });
    EXPECT_EQ(told()["jobs_ended analyst cancelled"], 1);
    (void)write([&](Tx& tx) { return write_stage(tx, first, Stage::analysis, 1, Stage::architecture, {}, "", 0, monday); });
    (void)write([&](Tx& tx) { return write_stage(tx, first, Stage::architecture, 2, Stage::architecture, {}, "", 0, monday); });
    EXPECT_EQ(told()["stages_entered architecture "], 2) << "the same stage again is entered again";
}

TEST_F(TotalsTest, ATotalNeverFalls) {
    (void)task("A-1");
    EXPECT_FALSE(db.execute("UPDATE totals SET n = 0"));
}

TEST_F(TotalsTest, AnOlderDatabaseIsCountedWhenItIsMigrated) {
    const std::string old_path = folder / "old.db";
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(old_path.c_str(), &raw), SQLITE_OK);
    ASSERT_TRUE(migrate(raw, old_path, "", std::span(migrations()).first(2)));
    const auto* rows =
        "INSERT INTO projects (name) VALUES ('hello');"
        "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
        " VALUES (1, 'A-1', '', '', 'b', 'review', 4, 0, 0), (1, 'A-2', '', '', 'b', 'review', 4, 0, 0);";
    ASSERT_EQ(sqlite3_exec(raw, rows, nullptr, nullptr, nullptr), SQLITE_OK);
    ASSERT_TRUE(migrate(raw, old_path, "", migrations()));
    sqlite3_close(raw);
    auto old = must(Db::open(old_path, {}));
    const auto all = must(totals(old));
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].what + all[0].word + std::to_string(all[0].n), "stages_enteredreview2");
    EXPECT_EQ(all[1].n, 2);
}

TEST_F(TotalsTest, WhatStandsIsCountedByItsWord) {
    const auto a = task("A-1");
    const auto b = task("A-2");
    must(db.write([&](Tx& tx) { return set_hold(tx, a, Hold::infra, "disk", monday); }));
    must(db.write([&](Tx& tx) { return set_waiting(tx, b, "merge_lease", "", monday); }));
    (void)write([&](Tx& tx) { return post(tx, "journal", "k", "{}", monday); });
    EXPECT_EQ(must(held_tasks(db)).at(0).word, "infra");
    EXPECT_EQ(must(waiting_counts(db)).at(0).word, "merge_lease");
    EXPECT_EQ(must(pending_posts(db)).at(0).n, 1);
    EXPECT_EQ(must(oldest_pending_delivery(db)), std::nullopt);
}

TEST_F(TotalsTest, TheDataVersionMovesWithTheCommitsOfOthers) {
    auto reader = must(Db::open(db.path(), {.mode = Mode::read_only}));
    const auto before = must(data_version(reader));
    EXPECT_EQ(must(data_version(reader)), before);
    (void)task("A-1");
    EXPECT_NE(must(data_version(reader)), before);
}

TEST_F(TotalsTest, AReaderThatTakesTooLongIsBrokenOffAndReadsAgain) {
    auto reader = must(Db::open(db.path(), {.mode = Mode::read_only}));
    bool enough = true;
    reader.give_up_when([&] { return enough; });
    const auto count = [&] {
        return reader.read([](Db& r) -> Result<std::int64_t> {
            auto statement = r.prepare(
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000) SELECT count(*) FROM n");
            if (!statement) return fail(statement.error());
            auto row = statement->step();
            if (!row) return fail(row.error());
            return (*row)->integer(0);
        });
    };
    const auto broken = count();
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, Errc::unavailable) << broken.error().text;
    enough = false;
    EXPECT_EQ(must(count()), 100'000);
    must(db.checkpoint());  // Errc::unavailable where a snapshot were still held
}

}  // namespace
}  // namespace orchd::store
