// A small house to try impossible rows on.
#pragma once

#include <string>

#include "store_fixture.h"

namespace orchd::store {

struct Forbidden {
    const char* what;
    const char* sql;
    const char* told;  // a part of SQLite's sentence: which rule refused it
};

class SchemaTest : public StoreTest {
protected:
    // Tasks 1 (queued developer job 1), 2 (running reviewer job 2 with run 1), 3 (stopping job 3, run 2), 4 (done job 4, run
    // 3), 5 with nothing.
    SchemaTest() {
        for (int n = 1; n <= 5; ++n) (void)task("HELLO-" + std::to_string(n));
        (void)ask(2, Role::reviewer);
        (void)ask(3, Role::tester);
        (void)ask(4, Role::ci);
        for (const auto& c : claim_all(limits())) {
            if (c.job.task_id == 3)
                (void)write([&](Tx& tx) { return begin_stopping(tx, c.job.id, c.run.id, ""); });
            else if (c.job.task_id == 4)
                (void)write([&](Tx& tx) { return finish_job(tx, c.job.id, c.run.id, JobStatus::done, "", "", now); });
        }
        (void)ask(1, Role::developer);
        (void)write([&](Tx& tx) { return record_exit(tx, 3, {ExitKind::exited, 0}, "i3", now); });
    }
    void expect_refused(const Forbidden& row) {
        auto tried = db.execute(row.sql);
        ASSERT_FALSE(tried) << row.what;
        EXPECT_EQ(tried.error().code, Errc::conflict) << row.what << ": " << tried.error().text;
        EXPECT_NE(tried.error().text.find(row.told), std::string::npos) << row.what << ": " << tried.error().text;
    }
    template <std::size_t N>
    void expect_all_refused(const Forbidden (&rows)[N]) {
        for (const auto& row : rows) expect_refused(row);
    }
    std::int64_t job_of(std::int64_t task_id) {
        return number("SELECT max(id) FROM jobs WHERE task_id = " + std::to_string(task_id));
    }
};

}  // namespace orchd::store
