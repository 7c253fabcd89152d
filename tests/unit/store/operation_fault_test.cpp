// Whatever fails under an operation of the store, the database is as before it or as after it: the disk full or an error at
// each call that touches a file.
#include <functional>

#include "storage/fault_vfs.h"
#include "store/check.h"
#include "store/deliveries.h"
#include "store/mark.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

struct Operation {
    const char* name;
    std::function<Status(Tx&)> work;
};

void PrintTo(const Operation& operation, std::ostream* out) { *out << operation.name; }

Status only_status(const auto& result) { return result ? Status{} : Status(fail(result.error())); }

// In a house with a running developer's job 1 of task 1 (run 1), a pending delivery, and an advance of task 2 (job 2).
std::vector<Operation> operations() {
    return {
        {"create_task",
         [](Tx& tx) { return only_status(create_task(tx, 1, "HELLO-9", "b", "t", std::string(9000, 'x'), monday)); }},
        {"enqueue", [](Tx& tx) { return only_status(enqueue(tx, {.task_id = 1, .role = Role::step}, monday)); }},
        {"claim",
         [](Tx& tx) {
             Limits limits;
             limits.projects.push_back({.project_id = 1});
             return only_status(claim(tx, limits, 8, monday));
         }},
        {"record_exit",
         [](Tx& tx) {
             return only_status(record_exit(tx, 1, {ExitKind::exited, 0}, "i", monday));
         }},
        {"finish_job", [](Tx& tx) { return only_status(finish_job(tx, 1, 1, JobStatus::done, "", "head", monday)); }},
        {"requeue",
         [](Tx& tx) -> Status {
             if (auto stopping = begin_stopping(tx, 1, 1, "died"); !stopping) return fail(stopping.error());
             return only_status(requeue(tx, 1, 1, due_now(monday), "died", monday));
         }},
        {"write_stage",
         [](Tx& tx) -> Status {
             auto moved = write_stage(tx, 2, Stage::analysis, 1, Stage::architecture, {}, "", 0, monday);
             if (!moved) return fail(moved.error());
             auto noted = append_event(tx, {.actor = "t", .task_id = 2, .kind = "stage_changed", .data = "{}"});
             if (!noted) return fail(noted.error());
             auto queued = enqueue(tx, {.task_id = 2, .role = Role::architect}, monday);
             return queued ? only_status(post(tx, "journal", "k", "{}", monday)) : Status(fail(queued.error()));
         }},
        {"acquire_transition",
         [](Tx& tx) {
             return only_status(acquire_transition(tx, 2, {"u", "i", "b", 1}, 1, Stage::analysis, std::nullopt, monday));
         }},
        {"intend", [](Tx& tx) { return only_status(intend(tx, effect_key(1, 1, 1, "merge"), 1, "plan", 0, monday)); }},
        {"add_deliveries",
         [](Tx& tx) {
             const std::vector<NewDelivery> many(
                 1,
                 {.source = "gitea", .dedup_key = "new", .body_hash = "h", .event = "push", .body = std::string(60'000, 'b')});
             return only_status(add_deliveries(tx, many));
         }},
        {"settle_delivery", [](Tx& tx) { return settle_delivery(tx, 1, DeliveryState::done, "a task"); }},
        {"set_hold", [](Tx& tx) { return set_hold(tx, 1, Hold::infra, "why", monday); }},
    };
}

class OperationFaultTest : public testing::TestWithParam<Operation> {
protected:
    Folder folder;
    tests::FaultVfs disk{"operation"};
    std::string path = folder / "orchd.db", pristine = folder / "pristine.db";

    OperationFaultTest() {
        {
            Db db = open(Mode::create);
            must(db.write([&](Tx& tx) -> Status {
                const auto project = must(ensure_project(tx, "hello")).id;
                for (const auto* item : {"HELLO-1", "HELLO-2"})
                    (void)must(create_task(tx, project, item, "b", "t", "", monday));
                (void)must(enqueue(tx, {.task_id = 1, .role = Role::developer}, monday));
                Limits limits;
                limits.projects.push_back({.project_id = project});
                (void)must(claim(tx, limits, 8, monday));
                (void)must(mark_prepared(tx, 1, "head", monday));
                (void)must(enqueue(tx, {.task_id = 2, .role = Role::step}, monday));
                const std::vector<NewDelivery> one(
                    1, {.source = "gitea", .dedup_key = "old", .body_hash = "h", .event = "push", .body = "{}"});
                return only_status(add_deliveries(tx, one));
            }));
            must(db.checkpoint());
        }
        disk.power_cut();
        std::filesystem::copy_file(path, pristine);
    }
    Db open(Mode mode = Mode::read_write) {
        return must(Db::open(path, {.mode = mode, .vfs = disk.name(), .busy_timeout_ms = 100, .checkpoint_pages = 4}));
    }
    void start_over() {
        disk.power_cut();
        for (const auto* file : {"-wal", "-shm"}) std::filesystem::remove(path + file);
        std::filesystem::remove(mark_path(path));  // an older copy would be refused
        std::filesystem::copy_file(pristine, path, std::filesystem::copy_options::overwrite_existing);
    }
    // Every row of every table.
    static std::string content(Db& db) {
        std::vector<std::string> tables;
        {
            auto names = must(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"));
            must(names.each([&](const Row& row) { tables.push_back(row.text(0)); }));
        }
        std::string all;
        for (const auto& table : tables) {
            auto columns =
                must(db.prepare("SELECT group_concat('quote(\"' || name || '\")', '||'',''||') FROM "
                                "pragma_table_info('" +
                                table + "')"));
            const auto list = must(columns.step()).value().text(0);
            auto rows = must(db.prepare("SELECT " + list + " FROM \"" + table + "\" ORDER BY 1"));
            must(rows.each([&](const Row& row) { all += table + ':' + row.text(0) + '\n'; }));
        }
        return all;
    }
};

TEST_P(OperationFaultTest, LeavesTheDatabaseAsBeforeOrAsAfter) {
    std::string before, after;
    {
        Db db = open();
        before = content(db);
        must(db.write(GetParam().work));
        after = content(db);
        ASSERT_NE(before, after) << "the operation does nothing here";
    }
    int refused = 0;
    for (const int fault : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC}) {
        for (int call = 1;; ++call) {
            SCOPED_TRACE(std::string(sqlite3_errstr(fault)) + " at call " + std::to_string(call));
            start_over();
            Db db = open();
            disk.fail_once_at(call, fault);
            const auto done = db.write(GetParam().work);
            const bool struck = disk.struck();
            disk.no_more_faults();
            const auto now = content(db);
            ASSERT_TRUE(now == before || now == after);
            if (done) {
                ASSERT_EQ(now, after);
            } else {
                ++refused;
                const auto code = done.error().code;
                ASSERT_TRUE(code == Errc::no_space || code == Errc::io) << face(code).name;
                ASSERT_FALSE(done.error().text.empty());
                if (code == Errc::no_space) {
                    ASSERT_EQ(now, before) << "a full disk leaves nothing behind";
                }
                if (now == before) must(db.write(GetParam().work));  // once there is space again
                ASSERT_EQ(content(db), after);
            }
            ASSERT_TRUE(must(integrity_problems(db)).empty());
            if (!struck) break;
        }
    }
    EXPECT_GT(refused, 5);
}

INSTANTIATE_TEST_SUITE_P(Each, OperationFaultTest, testing::ValuesIn(operations()),
                         [](const auto& operation) { return std::string(operation.param.name); });

}  // namespace
}  // namespace orchd::store
