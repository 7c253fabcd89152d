// Questions about what is live cost the same however much is done: counted in steps of SQLite's machine, never in time.
#include <functional>

#include "counting.h"
#include "store/deliveries.h"
#include "store/totals.h"
#include "store_fixture.h"
#include "support/history.h"

namespace orchd::store {
namespace {

struct Question {
    const char* name;
    std::function<void(Db&)> ask;
};

template <class Work>
void in_write(Db& db, Work work) {
    (void)must(db.write([&](Tx& tx) { return work(tx); }));
}

// Each of a task LIVE-1 that has a queued advance and a running job with run `run_id`, in a house with two tasks more.
std::vector<Question> questions(std::int64_t live, std::int64_t job_id, std::int64_t run_id) {
    return {
        {"live_jobs", [](Db& db) { (void)must(live_jobs(db)); }},
        {"live_run_job", [=](Db& db) { (void)must(live_run_job(db, live)); }},
        {"running_advance", [=](Db& db) { (void)must(running_advance(db, live)); }},
        {"worked", [=](Db& db) { (void)must(worked(db, live, 1, Role::developer)); }},
        {"list_jobs of an item", [](Db& db) { (void)must(list_jobs(db, {.work_item = "LIVE-1"})); }},
        {"list_jobs that live", [](Db& db) { (void)must(list_jobs(db, {.only_live = true})); }},
        {"list_jobs that run", [](Db& db) { (void)must(list_jobs(db, {.status = JobStatus::running})); }},
        {"list_runs", [=](Db& db) { (void)must(list_runs(db, live)); }},
        {"run_for_exit", [=](Db& db) { (void)must(run_for_exit(db, live, "", "inv")); }},
        {"unfinished_exit", [=](Db& db) { (void)must(unfinished_exit(db, live)); }},
        {"queue_counts", [](Db& db) { (void)must(queue_counts(db)); }},
        {"project_counts", [](Db& db) { (void)must(project_counts(db)); }},
        {"next_due_boot", [](Db& db) { (void)must(next_due_boot(db, monday)); }},
        {"find_task", [](Db& db) { (void)must(find_task(db, "LIVE-1")); }},
        {"list_tasks that are open", [](Db& db) { (void)must(list_tasks(db, {.only_open = true})); }},
        {"list_tasks that need a human", [](Db& db) { (void)must(list_tasks(db, {.needs_human = true})); }},
        {"count_needing_human", [](Db& db) { (void)must(count_needing_human(db)); }},
        {"waiting_tasks", [](Db& db) { (void)must(waiting_tasks(db, "merge_lease", 1)); }},
        {"stale_held", [](Db& db) { (void)must(stale_held(db, LeaseKind::merge)); }},
        {"any_impossible_queued", [](Db& db) { (void)must(any_impossible_queued(db)); }},
        {"waiting_tasks of all", [](Db& db) { (void)must(waiting_tasks(db, "merge_lease", std::nullopt)); }},
        {"held_transitions", [](Db& db) { (void)must(held_transitions(db)); }},
        {"find_verdict", [=](Db& db) { (void)must(find_verdict(db, live, 1, Gate::ci_green)); }},
        {"list_verdicts", [=](Db& db) { (void)must(list_verdicts(db, live)); }},
        {"unmet_dependencies", [=](Db& db) { (void)must(unmet_dependencies(db, live)); }},
        {"list_dependencies of open tasks", [](Db& db) { (void)must(list_dependencies(db, {})); }},
        {"list_dependencies of a task", [=](Db& db) { (void)must(list_dependencies(db, {.task_id = live})); }},
        {"totals", [](Db& db) { (void)must(totals(db)); }},
        {"held_tasks", [](Db& db) { (void)must(held_tasks(db)); }},
        {"waiting_counts", [](Db& db) { (void)must(waiting_counts(db)); }},
        {"pending_posts", [](Db& db) { (void)must(pending_posts(db)); }},
        {"oldest_pending_delivery", [](Db& db) { (void)must(oldest_pending_delivery(db)); }},
        {"count_deliveries", [](Db& db) { (void)must(count_deliveries(db)); }},
        {"all_state", [](Db& db) { (void)must(all_state(db)); }},
        {"due_posts", [](Db& db) { (void)must(due_posts(db, "journal", 10, monday)); }},
        {"newest_event_id", [](Db& db) { (void)must(newest_event_id(db)); }},
        {"list_events of a task", [=](Db& db) { (void)must(list_events(db, {.task_id = live})); }},
        {"list_events after the newest", [](Db& db) { (void)must(list_events(db, {.after_id = must(newest_event_id(db))})); }},
        {"the newest events", [](Db& db) { (void)must(list_events(db, {.limit = 5})); }},
        {"heal_impossible_queued", [](Db& db) { in_write(db, [](Tx& tx) { return heal_impossible_queued(tx, monday); }); }},
        {"rebase_due_times",
         [](Db& db) { in_write(db, [](Tx& tx) { return rebase_due_times(tx, 300'000, 86'400'000, monday); }); }},
        {"enqueue",
         [=](Db& db) { in_write(db, [&](Tx& tx) { return enqueue(tx, {.task_id = live, .role = Role::step}, monday); }); }},
        {"count_dead_tick",
         [=](Db& db) { in_write(db, [&](Tx& tx) { return count_dead_tick(tx, run_id, true, 0, monday); }); }},
        {"acquire_held",
         [=](Db& db) { in_write(db, [&](Tx& tx) { return acquire_held(tx, LeaseKind::merge, "r", live, job_id, monday); }); }},
        {"set_hold", [=](Db& db) { must(db.write([&](Tx& tx) { return set_hold(tx, live, Hold::infra, "why", monday); })); }},
        {"begin_stopping", [=](Db& db) { in_write(db, [&](Tx& tx) { return begin_stopping(tx, job_id, run_id, ""); }); }},
        {"requeue", [=](Db& db) { in_write(db, [&](Tx& tx) { return requeue(tx, job_id, run_id, {}, "", monday); }); }},
        {"write_stage",
         [=](Db& db) {
             in_write(
                 db, [&](Tx& tx) { return write_stage(tx, live, Stage::analysis, 1, Stage::architecture, {}, "", 0, monday); });
         }},
    };
}

// The steps of each question in a house with so much behind it.
std::vector<std::int64_t> steps_with(const std::string& path, int history) {
    Db db = must(Db::open(path, {.mode = Mode::create}));
    const auto hello = must(db.write([](Tx& tx) { return ensure_project(tx, "hello"); }));
    must(db.execute(support::history_of(history)));
    std::int64_t live = 0;
    for (const std::string item : {"LIVE-1", "LIVE-2", "LIVE-3"}) {
        live = must(db.write([&](Tx& tx) { return create_task(tx, hello.id, item, "b", "", "", monday); })).id;
        (void)must(db.write([&](Tx& tx) { return enqueue(tx, {.task_id = live, .role = Role::developer}, monday); }));
    }
    const Limits limits{.projects = {{.project_id = hello.id}}};
    const auto claims = must(db.write([&](Tx& tx) { return claim(tx, limits, 1, monday); }));
    (void)must(
        db.write([&](Tx& tx) { return enqueue(tx, {.task_id = claims.at(0).job.task_id, .role = Role::step}, monday); }));
    std::vector<std::int64_t> steps;
    (void)work_done(db);
    for (const auto& question : questions(claims[0].job.task_id, claims[0].job.id, claims[0].run.id)) {
        question.ask(db);
        steps.push_back(work_done(db).steps);
    }
    return steps;
}

TEST(CostTest, WhatIsDoneIsNotRead) {
    const Folder folder;
    const auto few = steps_with(folder / "few.db", 50);
    const auto many = steps_with(folder / "many.db", 5'000);
    const auto all = questions(0, 0, 0);
    ASSERT_EQ(few.size(), all.size());
    for (std::size_t n = 0; n < all.size(); ++n) {
        EXPECT_EQ(few[n], many[n]) << all[n].name;
        EXPECT_LT(many[n], 1'000) << all[n].name;
    }
}

// What a worker's pass and the units of one task ask, however many other tasks wait in the queue.
std::vector<Question> questions_of_a_run(std::int64_t project, std::int64_t live, std::int64_t job_id, std::int64_t run_id) {
    const Limits limits{.max_concurrency = 8, .max_steps = 8, .projects = {{.project_id = project}}};
    return {
        {"claim", [=](Db& db) { in_write(db, [&](Tx& tx) { return claim(tx, limits, 1, monday); }); }},
        {"claim of eight", [=](Db& db) { in_write(db, [&](Tx& tx) { return claim(tx, limits, 8, monday); }); }},
        {"next_due_boot", [](Db& db) { (void)must(next_due_boot(db, monday)); }},
        {"all_projects", [](Db& db) { (void)must(all_projects(db)); }},
        {"due_posts", [](Db& db) { (void)must(due_posts(db, "journal", 10, monday)); }},
        {"pending_deliveries", [](Db& db) { (void)must(pending_deliveries(db, 0, 16)); }},
        {"live_jobs", [](Db& db) { (void)must(live_jobs(db)); }},
        {"any_impossible_queued", [](Db& db) { (void)must(any_impossible_queued(db)); }},
        {"waiting_tasks", [](Db& db) { (void)must(waiting_tasks(db, "merge_lease", 1)); }},
        {"stale_held", [](Db& db) { (void)must(stale_held(db, LeaseKind::merge)); }},
        {"held_transitions", [](Db& db) { (void)must(held_transitions(db)); }},
        {"find_task", [](Db& db) { (void)must(find_task(db, "LIVE-1")); }},
        {"live_run_job", [=](Db& db) { (void)must(live_run_job(db, live)); }},
        {"mark_prepared", [=](Db& db) { in_write(db, [&](Tx& tx) { return mark_prepared(tx, run_id, "c", monday); }); }},
        {"run_for_exit", [=](Db& db) { (void)must(run_for_exit(db, live, "", "inv")); }},
        {"record_exit",
         [=](Db& db) { in_write(db, [&](Tx& tx) {
                           return record_exit(tx, run_id, {ExitKind::exited, 0}, "inv", monday);
                       }); }},
        {"finish_job",
         [=](Db& db) {
             in_write(db, [&](Tx& tx) { return finish_job(tx, job_id, run_id, JobStatus::done, "", "", monday); });
         }},
        {"set_head", [=](Db& db) { must(db.write([&](Tx& tx) { return set_head(tx, live, "c", monday); })); }},
        {"enqueue",
         [=](Db& db) { in_write(db, [&](Tx& tx) { return enqueue(tx, {.task_id = live, .role = Role::step}, monday); }); }},
        {"running_advance", [=](Db& db) { (void)must(running_advance(db, live)); }},
        {"worked", [=](Db& db) { (void)must(worked(db, live, 1, Role::developer)); }},
        {"find_verdict", [=](Db& db) { (void)must(find_verdict(db, live, 1, Gate::ci_green)); }},
        {"write_stage",
         [=](Db& db) {
             in_write(
                 db, [&](Tx& tx) { return write_stage(tx, live, Stage::analysis, 1, Stage::architecture, {}, "", 0, monday); });
         }},
        {"set_waiting",
         [=](Db& db) { must(db.write([&](Tx& tx) { return set_waiting(tx, live, "a_gate", "why", monday); })); }},
    };
}

std::vector<std::int64_t> steps_beside(const std::string& path, int queued) {
    Db db = must(Db::open(path, {.mode = Mode::create}));
    const auto hello = must(db.write([](Tx& tx) { return ensure_project(tx, "hello"); }));
    const auto create = [&](const std::string& item) {
        const auto id = must(db.write([&](Tx& tx) { return create_task(tx, hello.id, item, "b", "", "", monday); })).id;
        (void)must(db.write([&](Tx& tx) { return enqueue(tx, {.task_id = id, .role = Role::developer}, monday); }));
        return id;
    };
    const auto live = create("LIVE-1");
    const auto claims = must(db.write([&](Tx& tx) { return claim(tx, {.projects = {{.project_id = hello.id}}}, 1, monday); }));
    must(db.execute("BEGIN"));
    for (int i = 0; i < queued; ++i) {
        must(db.execute(
            "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
            " VALUES (1, 'WAIT-" +
            std::to_string(i) +
            "', '', '', 'b', 'analysis', 1, 0, 0);"
            "INSERT INTO jobs (task_id, project_id, stage_seq, kind, role, status, priority, available_at,"
            " available_boot, available_boot_id, max_attempts, created_at)"
            " VALUES (last_insert_rowid(), 1, 1, 'agent', 'analyst', 'queued', 5, 0, 0, '', 5, 0)"));
    }
    must(db.execute("COMMIT"));
    std::vector<std::int64_t> steps;
    (void)work_done(db);
    for (const auto& question : questions_of_a_run(hello.id, live, claims[0].job.id, claims[0].run.id)) {
        question.ask(db);
        steps.push_back(work_done(db).steps);
    }
    return steps;
}

TEST(CostTest, R07WhatWaitsInTheQueueIsNotRead) {
    const Folder folder;
    const auto few = steps_beside(folder / "few.db", 50);
    const auto many = steps_beside(folder / "many.db", 5'000);
    const auto all = questions_of_a_run(0, 0, 0, 0);
    ASSERT_EQ(few.size(), all.size());
    for (std::size_t n = 0; n < all.size(); ++n) {
        EXPECT_EQ(few[n], many[n]) << all[n].name;
        EXPECT_LT(many[n], 10'000) << all[n].name;
    }
}

}  // namespace
}  // namespace orchd::store
