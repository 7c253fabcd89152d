// Every impossible row is tried by plain SQL, as any program with the file open could, and refused by the schema itself.
#include "schema_fixture.h"

namespace orchd::store {
namespace {

constexpr const char* new_job =
    "INSERT INTO jobs (task_id, project_id, stage_seq, kind, role, status, priority, available_at, available_boot,"
    " available_boot_id, max_attempts, created_at";

TEST_F(SchemaTest, RefusesImpossibleProjects) {
    expect_all_refused({
        {"a name twice", "INSERT INTO projects (name) VALUES ('hello')", "UNIQUE"},
        {"an upper case name", "INSERT INTO projects (name) VALUES ('Hello')", "CHECK"},
        {"a name with a path", "INSERT INTO projects (name) VALUES ('a/../b')", "CHECK"},
        {"a name that ends in a dash", "INSERT INTO projects (name) VALUES ('hello-')", "CHECK"},
        {"an empty name", "INSERT INTO projects (name) VALUES ('')", "CHECK"},
        {"a name of 32 letters", "INSERT INTO projects (name) VALUES ('abcdefghijklmnopqrstuvwxyzabcdef')", "CHECK"},
        {"who paused what is not paused", "UPDATE projects SET paused_by = 'ada'", "CHECK"},
        {"who froze what is not frozen", "UPDATE projects SET freeze_reason = 'why'", "CHECK"},
        {"text for a number", "UPDATE projects SET served = 'often'", "cannot store TEXT"},
    });
}

TEST_F(SchemaTest, RefusesImpossibleTasks) {
    for (const std::string item : {"hello-1", "HELLO", "HELLO-", "-1", "HELLO-1x", "HELLO-12345678901", "ABCDEFGHIJKLMNO-1",
                                   "1A-1", "A_B-1", "A-1-2", "A-1/x", "A-1\n", ""}) {
        const auto sql =
            "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
            " VALUES (1, '" +
            item + "', '', '', 'b', 'analysis', 1, 0, 0)";
        expect_refused({item.c_str(), sql.c_str(), "CHECK"});
    }
    expect_all_refused({
        {"a work item twice",
         "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
         " VALUES (1, 'HELLO-1', '', '', 'b', 'analysis', 1, 0, 0)",
         "UNIQUE"},
        {"a work item once more, with a zero before its number",
         "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
         " VALUES (1, 'HELLO-01', '', '', 'b', 'analysis', 1, 0, 0)",
         "another task has this number"},
        {"no project",
         "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
         " VALUES (99, 'HELLO-9', '', '', 'b', 'analysis', 1, 0, 0)",
         "FOREIGN KEY"},
        {"an unknown stage", "UPDATE tasks SET stage = 'limbo', stage_seq = 2 WHERE id = 1", "CHECK"},
        {"an unknown hold", "UPDATE tasks SET hold = 'maybe' WHERE id = 1", "CHECK"},
        {"a reason without a hold", "UPDATE tasks SET hold_reason = 'why' WHERE id = 1", "CHECK"},
        {"a negative counter", "UPDATE tasks SET retries_again = -1 WHERE id = 1", "CHECK"},
        {"a pause without its time", "UPDATE tasks SET pause_reason = 'why' WHERE id = 1", "CHECK"},
        {"waiting for nothing since some time", "UPDATE tasks SET waiting_since = 1 WHERE id = 1", "CHECK"},
        {"waiting since no time", "UPDATE tasks SET waiting_for = 'merge_lease' WHERE id = 1", "CHECK"},
        {"a stage without a number", "UPDATE tasks SET stage = 'review' WHERE id = 1", "stage_seq grows"},
        {"a number that leaps", "UPDATE tasks SET stage = 'review', stage_seq = 3 WHERE id = 1", "stage_seq grows"},
        {"a number that falls", "UPDATE tasks SET stage_seq = 0 WHERE id = 1", "stage_seq grows"},
        {"another name", "UPDATE tasks SET work_item = 'HELLO-9' WHERE id = 1", "keeps its id"},
        {"removal of a task with jobs", "DELETE FROM tasks WHERE id = 2", "FOREIGN KEY"},
    });
    must(db.execute("UPDATE tasks SET stage = 'done', stage_seq = 2 WHERE id = 5"));
    expect_all_refused({
        {"a step out of done", "UPDATE tasks SET stage = 'deploy', stage_seq = 3 WHERE id = 5", "moves no more"},
        {"done once more", "UPDATE tasks SET stage_seq = 3 WHERE id = 5", "moves no more"},
    });
}

TEST_F(SchemaTest, RefusesQueuedJobsWithARun_R09) {
    expect_all_refused({
        {"a run", "UPDATE jobs SET run_id = 1 WHERE status = 'queued'", "a run of its own"},
        {"a start", "UPDATE jobs SET started_at = 1 WHERE status = 'queued'", "CHECK"},
        {"an end", "UPDATE jobs SET finished_at = 1 WHERE status = 'queued'", "CHECK"},
        {"back in the queue with its run", "UPDATE jobs SET status = 'queued' WHERE status = 'stopping'", "CHECK"},
        {"back in the queue with its start", "UPDATE jobs SET status = 'queued', run_id = NULL WHERE status = 'stopping'",
         "CHECK"},
    });
}

TEST_F(SchemaTest, RefusesJobsThatRunOrEndedWithoutWhatThatNeeds_R09) {
    expect_all_refused({
        {"running without a run", "UPDATE jobs SET status = 'running' WHERE status = 'queued'", "CHECK"},
        {"running without a start",
         "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot) SELECT id, task_id, 'u', 'b', 0, 0 FROM "
         "jobs"
         " WHERE status = 'queued'; UPDATE jobs SET status = 'running', run_id = 4 WHERE status = 'queued'",
         "CHECK"},
        {"running and ended", "UPDATE jobs SET finished_at = 1 WHERE status = 'running'", "CHECK"},
        {"done without an end", "UPDATE jobs SET status = 'done' WHERE status = 'running'", "CHECK"},
        {"running no longer known by run", "UPDATE jobs SET run_id = NULL, started_at = NULL WHERE status = 'running'",
         "CHECK"},
        {"another job's run", "UPDATE jobs SET status = 'running', started_at = 1, run_id = 1 WHERE status = 'queued'",
         "a run of its own"},
        {"a run nobody knows", "UPDATE jobs SET status = 'running', started_at = 1, run_id = 99 WHERE status = 'queued'",
         "a run of its own"},
        {"another run while one runs", "UPDATE jobs SET run_id = 3 WHERE status = 'running'", "a run of its own"},
        {"another end", "UPDATE jobs SET finished_at = 7 WHERE status = 'done'", "keeps its run"},
    });
}

TEST_F(SchemaTest, RefusesImpossibleJobs) {
    const std::string columns = new_job;
    const auto refused = [&](const char* what, const std::string& sql, const char* told) {
        expect_refused({what, sql.c_str(), told});
    };
    refused("an unknown role", columns + ") VALUES (5, 1, 1, 'agent', 'wizard', 'queued', 5, 0, 0, '', 5, 0)", "CHECK");
    refused("an unknown kind", columns + ") VALUES (5, 1, 1, 'magic', 'tester', 'queued', 5, 0, 0, '', 5, 0)", "CHECK");
    refused("a kind that is not the role's", columns + ") VALUES (5, 1, 1, 'check', 'tester', 'queued', 5, 0, 0, '', 5, 0)",
            "CHECK");
    refused("a priority of ten", columns + ") VALUES (5, 1, 1, 'agent', 'tester', 'queued', 10, 0, 0, '', 5, 0)", "CHECK");
    refused("a time of no boot", columns + ") VALUES (5, 1, 1, 'agent', 'tester', 'queued', 5, 0, 7, '', 5, 0)", "CHECK");
    refused("no attempt allowed", columns + ") VALUES (5, 1, 1, 'agent', 'tester', 'queued', 5, 0, 0, '', 0, 0)", "CHECK");
    refused("no such task", columns + ") VALUES (99, 1, 1, 'agent', 'tester', 'queued', 5, 0, 0, '', 5, 0)", "task's project");
    (void)project("other");
    refused("another project", columns + ") VALUES (5, 2, 1, 'agent', 'tester', 'queued', 5, 0, 0, '', 5, 0)",
            "task's project");
    refused("a job that begins running",
            columns + ", run_id, started_at) VALUES (5, 1, 1, 'agent', 'tester', 'running', 5, 0, 0, '', 5, 0, 1, 1)",
            "begins queued");
    refused("another task", "UPDATE jobs SET task_id = 5 WHERE task_id = 1", "keeps its id");
    refused("an unknown status", "UPDATE jobs SET status = 'lost' WHERE task_id = 1", "no such change");
    const auto own_key = db.execute("UPDATE jobs SET unique_key = 'mine' WHERE task_id = 1");
    ASSERT_FALSE(own_key);
    EXPECT_NE(own_key.error().text.find("generated column"), std::string::npos) << own_key.error().text;
}

TEST_F(SchemaTest, RefusesASecondLiveJobThatRunsAUnitOfTheTask) {
    const std::string columns = new_job;
    for (const std::string task_id : {"1", "2", "3"}) {
        for (const std::string job : {"'agent', 'architect'", "'check', 'build'", "'deploy', 'deploy'"}) {
            const auto sql = columns + ") VALUES (" + task_id + ", 1, 1, " + job + ", 'queued', 5, 0, 0, '', 5, 0)";
            expect_refused({sql.c_str(), sql.c_str(), "UNIQUE"});
        }
    }
    must(db.execute(columns + ") VALUES (4, 1, 1, 'deploy', 'deploy', 'queued', 5, 0, 0, '', 5, 0)"));
}

TEST_F(SchemaTest, AdmitsOneQueuedAndOneRunningAdvanceOfATask) {
    const std::string one_more = std::string(new_job) + ") VALUES (5, 1, 1, 'advance', 'step', 'queued', 5, 0, 0, '', 5, 0)";
    must(db.execute(one_more));
    expect_refused({"a second queued", one_more.c_str(), "UNIQUE"});
    const auto first = claim_one();
    ASSERT_EQ(first.job.role, Role::step);
    must(db.execute(one_more));
    expect_refused({"a second queued beside the running", one_more.c_str(), "UNIQUE"});
    const auto second = number("SELECT max(id) FROM jobs");
    const auto run_second =
        "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot) VALUES (" + std::to_string(second) +
        ", 5, 'u', 'b', 0, 0);" +
        "UPDATE jobs SET status = 'running', blocked = 0, started_at = 0, run_id = (SELECT max(id) FROM runs) WHERE id = " +
        std::to_string(second);
    expect_refused({"a second running", run_second.c_str(), "UNIQUE"});
    must(db.execute("UPDATE jobs SET status = 'stopping' WHERE id = " + std::to_string(first.job.id)));
    expect_refused({"a second running beside a stopping one", run_second.c_str(), "UNIQUE"});
}

TEST_F(SchemaTest, JobsChangeTheirStatusAsTheRulesSay) {
    // From each status, to each: what the schema admits is what core says.
    for (std::size_t from = 0; from < enum_text<JobStatus>.size(); ++from) {
        for (std::size_t to = 0; to < enum_text<JobStatus>.size(); ++to) {
            const auto a = static_cast<JobStatus>(from);
            const auto b = static_cast<JobStatus>(to);
            if (a == b) continue;
            must(db.execute("SAVEPOINT trial"));
            must(db.execute(std::string(new_job) + ") VALUES (5, 1, 1, 'agent', 'tester', 'queued', 5, 0, 0, '', 5, 0);"
                                                   "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot)"
                                                   " SELECT max(id), 5, 'u', 'b', 0, 0 FROM jobs"));
            const auto set = [&](JobStatus status) {
                const bool ended = !live(status);
                const bool ran = status != JobStatus::queued;
                return db.execute("UPDATE jobs SET status = '" + std::string(to_text(status)) + "', run_id = " +
                                  (ran ? "(SELECT max(id) FROM runs)" : "NULL") + ", started_at = " + (ran ? "1" : "NULL") +
                                  ", finished_at = " + (ended ? "1" : "NULL") + " WHERE id = (SELECT max(id) FROM jobs)");
            };
            if (a != JobStatus::queued) must(set(JobStatus::running));
            if (a != JobStatus::queued && a != JobStatus::running) must(set(a));
            EXPECT_EQ(set(b).has_value(), legal(a, b)) << to_text(a) << " -> " << to_text(b);
            must(db.execute("ROLLBACK TO trial; RELEASE trial"));
        }
    }
}

TEST_F(SchemaTest, BlockedSaysWhatHoldsTheJobUp) {
    expect_all_refused({
        {"blocked without a reason", "UPDATE jobs SET blocked = 1 WHERE task_id = 1", "says what holds the job up"},
        {"blocked while running", "UPDATE jobs SET blocked = 1 WHERE task_id = 2", "CHECK"},
    });
    must(db.execute("UPDATE tasks SET hold = 'infra' WHERE id = 1"));
    expect_refused({"free while held", "UPDATE jobs SET blocked = 0 WHERE task_id = 1", "says what holds the job up"});
}

TEST_F(SchemaTest, RefusesImpossibleRuns_R08) {
    expect_all_refused({
        {"a run of no job",
         "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot) VALUES (99, 1, 'u', 'b', 0, 0)",
         "its job's task"},
        {"a run of another task",
         "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot) VALUES (1, 5, 'u', 'b', 0, 0)",
         "its job's task"},
        {"a run that changes its job", "UPDATE runs SET job_id = 1 WHERE id = 1", "belongs to one job"},
        {"a run that starts again", "UPDATE runs SET started_at = 9 WHERE id = 1", "starts once"},
        {"an unknown exit", "UPDATE runs SET exit_kind = 'bored', exit_status = 0, exited_at = 1 WHERE id = 1", "CHECK"},
        {"an exit without its status", "UPDATE runs SET exit_kind = 'exited', exited_at = 1 WHERE id = 1", "CHECK"},
        {"an exit without its time", "UPDATE runs SET exit_kind = 'exited', exit_status = 1 WHERE id = 1", "CHECK"},
        {"a second exit", "UPDATE runs SET exit_kind = 'killed', exit_status = 9 WHERE id = 3", "at most once"},
        {"an exit taken back", "UPDATE runs SET exit_kind = NULL, exit_status = NULL, exited_at = NULL WHERE id = 3",
         "at most once"},
        {"another invocation", "UPDATE runs SET invocation_id = 'i4' WHERE id = 3", "one invocation"},
        {"a run below nothing", "UPDATE runs SET dead_ticks = -1 WHERE id = 1", "CHECK"},
    });
}

TEST_F(SchemaTest, NumbersOfRunsAndJobsAreNeverUsedAgain_R09) {
    const auto count = number("SELECT max(id) FROM runs");
    must(db.execute(
        "INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot) SELECT id, task_id, 'u', 'b', 0, 0"
        " FROM jobs WHERE task_id = 1; DELETE FROM runs WHERE id = " +
        std::to_string(count + 1) +
        "; INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot) SELECT id, task_id, 'u', 'b', 0, 0"
        " FROM jobs WHERE task_id = 1"));
    EXPECT_EQ(number("SELECT max(id) FROM runs"), count + 2);
}

TEST_F(SchemaTest, KnowsEveryWordOfThePipeline) {
    const auto admits = [&](const std::string& sql) {
        must(db.execute("SAVEPOINT trial"));
        const auto tried = db.execute(sql);
        must(db.execute("ROLLBACK TO trial; RELEASE trial"));
        EXPECT_TRUE(tried.has_value()) << sql << ": " << (tried ? "" : tried.error().text);
    };
    for (const auto stage : enum_text<Stage>) {
        if (stage != "analysis") admits("UPDATE tasks SET stage = '" + std::string(stage) + "', stage_seq = 2 WHERE id = 5");
    }
    for (const auto hold : enum_text<Hold>) admits("UPDATE tasks SET hold = '" + std::string(hold) + "' WHERE id = 5");
    for (std::size_t n = 0; n < enum_text<Role>.size(); ++n) {
        const auto role = static_cast<Role>(n);
        admits(std::string(new_job) + ") VALUES (5, 1, 1, '" + std::string(to_text(kind_of(role))) + "', '" +
               std::string(to_text(role)) + "', 'queued', 5, 0, 0, '', 5, 0)");
    }
    for (const auto kind : enum_text<ExitKind>)
        admits("UPDATE runs SET exit_kind = '" + std::string(kind) + "', exit_status = 1, exited_at = 1 WHERE id = 1");
    for (const auto gate : enum_text<Gate>) {
        for (const auto colour : enum_text<Colour>)
            admits(
                "INSERT INTO verdicts (task_id, stage_seq, gate, colour, reason, \"commit\", patch_id, by, unusable, at)"
                " VALUES (1, 1, '" +
                std::string(gate) + "', '" + std::string(colour) + "', '', '', '', 'x', 0, 0)");
    }
}

}  // namespace
}  // namespace orchd::store
