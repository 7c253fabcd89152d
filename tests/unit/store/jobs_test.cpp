// The queue's contract: enqueueing, runs, exits, and every guarded move of a job.
#include "store/jobs.h"

#include "store_fixture.h"

namespace orchd::store {
namespace {

class JobsTest : public StoreTest {
protected:
    // A task HELLO-N whose developer runs.
    Claim running(int n = 1) {
        (void)ask(task("HELLO-" + std::to_string(n)), Role::developer);
        return claim_one();
    }
    bool prepare(std::int64_t run_id) {
        return write([&](Tx& tx) { return mark_prepared(tx, run_id, "before", later(1)); });
    }
    bool stop(const Claim& c) {
        return write([&](Tx& tx) { return begin_stopping(tx, c.job.id, c.run.id, "to be stopped"); });
    }
    bool put_back(const Claim& c, const Due& due = {}) {
        return write([&](Tx& tx) { return requeue(tx, c.job.id, c.run.id, due, "died", now); });
    }
    bool end(const Claim& c, JobStatus to = JobStatus::done) {
        return write([&](Tx& tx) { return finish_job(tx, c.job.id, c.run.id, to, "how", "after", later(3)); });
    }
    bool exits(std::int64_t run_id, Exit exit, const std::string& invocation) {
        return write([&](Tx& tx) { return record_exit(tx, run_id, exit, invocation, later(2)); });
    }
};

TEST_F(JobsTest, AJobIsQueuedAtTheTasksPresentStageAndWithItsPriority) {
    const auto t = task("HELLO-1");
    write([&](Tx& tx) { return set_priority(tx, t, 7, now); });
    ASSERT_TRUE(write([&](Tx& tx) { return write_stage(tx, t, Stage::analysis, 1, Stage::architecture, {}, "", 0, now); }));
    const auto id = write([&](Tx& tx) {
        return enqueue(tx, {.task_id = t, .role = Role::build, .due = due_in(now, 9), .max_attempts = 2, .commit = "c0"}, now);
    });
    ASSERT_TRUE(id);
    const auto queued = job(*id);
    EXPECT_EQ(queued.stage_seq, 2);
    EXPECT_EQ(queued.kind, JobKind::check);
    EXPECT_EQ(queued.role, Role::build);
    EXPECT_EQ(queued.status, JobStatus::queued);
    EXPECT_EQ(queued.priority, 7);
    EXPECT_EQ(queued.available_at, now.utc_ms + 9);
    EXPECT_EQ(queued.max_attempts, 2);
    EXPECT_EQ(queued.commit, "c0");
    EXPECT_EQ(queued.run_id, std::nullopt);
    EXPECT_EQ(queued.started_at, std::nullopt);
    EXPECT_EQ(must(live_run_job(db, t))->id, *id);
}

TEST_F(JobsTest, ANewPriorityOfTheTaskIsItsQueuedJobsToo) {
    const auto t = task("HELLO-1");
    EXPECT_EQ(look(t).priority, 5);
    const auto run = ask(t, Role::developer), step = ask(t, Role::step);
    write([&](Tx& tx) { return set_priority(tx, t, 8, now); });
    EXPECT_EQ(look(t).priority, 8);
    EXPECT_EQ(job(*run).priority, 8);
    EXPECT_EQ(job(*step).priority, 8);
    EXPECT_FALSE(db.write([&](Tx& tx) { return set_priority(tx, t, 10, now); }));
    EXPECT_EQ(db.write([&](Tx& tx) { return set_priority(tx, t + 1, 1, now); }).error().code, Errc::no_such);
}

TEST_F(JobsTest, AnAdvanceThatIsAskedForAnewTakesOverItsAttemptsAndWaitingTime) {
    const auto t = task("HELLO-1");
    (void)ask(t, Role::step);
    for (int tried = 1; tried <= 3; ++tried) {
        const auto failing = claim_one();
        EXPECT_EQ(failing.job.attempts, tried) << "however often somebody asks in between";
        const auto anew = ask(t, Role::step);
        ASSERT_TRUE(anew);
        (void)stop(failing);
        EXPECT_TRUE(put_back(failing, due_in(now, 1000)));
        EXPECT_EQ(job(failing.job.id).status, JobStatus::cancelled);
        EXPECT_EQ(job(*anew).available_boot, now.boot_ms + 1000);
        now = later(1000, now);
    }
}

TEST_F(JobsTest, ATaskHasOneLiveJobThatRunsAUnit_R08) {
    const auto t = task("HELLO-1");
    ASSERT_TRUE(ask(t, Role::developer));
    EXPECT_FALSE(ask(t, Role::ci));
    const auto c = claim_one();
    EXPECT_FALSE(ask(t, Role::ci));
    stop(c);
    EXPECT_FALSE(ask(t, Role::deploy));
    end(c);
    EXPECT_TRUE(ask(t, Role::ci));
    EXPECT_FALSE(db.write([&](Tx& tx) { return enqueue(tx, {.task_id = 99, .role = Role::ci}, now); }));
}

TEST_F(JobsTest, WhatIsAskedWhileAnAdvanceRunsIsNotLost) {
    const auto t = task("HELLO-1");
    ASSERT_TRUE(ask(t, Role::step));
    EXPECT_FALSE(ask(t, Role::step));
    const auto first = claim_one();
    EXPECT_EQ(must(running_advance(db, t))->id, first.job.id);
    const auto second = ask(t, Role::step);
    ASSERT_TRUE(second);
    EXPECT_FALSE(ask(t, Role::step));
    EXPECT_TRUE(end(first));
    EXPECT_EQ(claim_one().job.id, *second);
    EXPECT_EQ(must(live_run_job(db, t)), std::nullopt);
}

TEST_F(JobsTest, AskingAgainBringsAWaitingAdvanceForward) {
    const auto t = task("HELLO-1");
    const auto id = ask(t, Role::step, due_in(now, 1000)).value();
    EXPECT_FALSE(ask(t, Role::step, due_in(now, 5000)));
    EXPECT_EQ(job(id).available_at, now.utc_ms + 1000);
    EXPECT_FALSE(ask(t, Role::step));
    EXPECT_EQ(job(id).available_at, now.utc_ms);
    EXPECT_EQ(claim_one().job.id, id);
}

TEST_F(JobsTest, ASecondAdvanceOfATaskIsNotClaimedWhileOneRuns) {
    const auto t = task("HELLO-1");
    (void)ask(t, Role::step);
    const auto first = claim_one();
    (void)ask(t, Role::step);
    const auto other = task("HELLO-2");
    (void)ask(other, Role::step);
    const auto claims = claim_all(limits());
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_EQ(claims[0].work_item, "HELLO-2");
    ASSERT_TRUE(stop(first));
    EXPECT_TRUE(claim_all(limits()).empty());
    EXPECT_TRUE(end(first));
    EXPECT_EQ(claim_all(limits()).size(), 1U);
}

TEST_F(JobsTest, OnlyTheJobsPresentRunIsPreparedAndOnce) {
    const auto c = running();
    EXPECT_TRUE(prepare(c.run.id));
    EXPECT_EQ(run(c.run.id).head_before, "before");
    EXPECT_EQ(run(c.run.id).prepared_at, later(1).utc_ms);
    EXPECT_FALSE(prepare(c.run.id));
    ASSERT_TRUE(stop(c));
    ASSERT_TRUE(put_back(c));
    const auto again = claim_one();
    EXPECT_NE(again.run.id, c.run.id);
    EXPECT_FALSE(prepare(c.run.id));
    ASSERT_TRUE(stop(again));
    EXPECT_FALSE(prepare(again.run.id));  // stopping
    EXPECT_FALSE(prepare(999));
}

TEST_F(JobsTest, ARequeuedJobCarriesNothingOfItsRun_R09) {
    const auto c = running();
    EXPECT_FALSE(put_back(c));  // running jobs are stopped first
    ASSERT_TRUE(stop(c));
    EXPECT_FALSE(stop(c));
    EXPECT_EQ(job(c.job.id).error, "to be stopped");
    ASSERT_TRUE(put_back(c, due_in(now, 500)));
    const auto queued = job(c.job.id);
    EXPECT_EQ(queued.status, JobStatus::queued);
    EXPECT_EQ(queued.run_id, std::nullopt);
    EXPECT_EQ(queued.started_at, std::nullopt);
    EXPECT_EQ(queued.available_at, now.utc_ms + 500);
    EXPECT_EQ(queued.attempts, 1);
    EXPECT_EQ(queued.error, "died");
    EXPECT_EQ(run(c.run.id).finished_at, now.utc_ms);
    EXPECT_FALSE(put_back(c));
    EXPECT_FALSE(end(c));
    now = later(500);
    const auto again = claim_one();
    EXPECT_GT(again.run.id, c.run.id);
    EXPECT_EQ(again.job.attempts, 2);
    EXPECT_FALSE(stop(c));  // the earlier run moves nothing any more
    EXPECT_FALSE(end(c));
    EXPECT_EQ(must(list_runs(db, c.job.task_id)).size(), 2U);
}

TEST_F(JobsTest, AnAdvancePutBackBesideAQueuedOneIsMergedIntoIt) {
    const auto t = task("HELLO-1");
    (void)ask(t, Role::step);
    const auto first = claim_one();
    const auto second = ask(t, Role::step).value();
    ASSERT_TRUE(stop(first));
    ASSERT_TRUE(put_back(first));
    EXPECT_EQ(job(first.job.id).status, JobStatus::cancelled);
    EXPECT_EQ(claim_one().job.id, second);
}

TEST_F(JobsTest, OnlyAQueuedJobIsCancelledInTheQueue) {
    const auto t = task("HELLO-1");
    const auto id = ask(t, Role::developer).value();
    write([&](Tx& tx) { return set_hold(tx, t, Hold::human, "why", now); });
    EXPECT_TRUE(write([&](Tx& tx) { return cancel_queued(tx, id, "not wanted", now); }));
    EXPECT_EQ(job(id).status, JobStatus::cancelled);
    EXPECT_EQ(job(id).error, "not wanted");
    EXPECT_FALSE(write([&](Tx& tx) { return cancel_queued(tx, id, "", now); }));
    const auto c = running(2);
    EXPECT_FALSE(write([&](Tx& tx) { return cancel_queued(tx, c.job.id, "", now); }));
}

TEST_F(JobsTest, FinishingNeedsATerminalStatus) {
    const auto c = running();
    auto tried = db.write([&](Tx& tx) { return finish_job(tx, c.job.id, c.run.id, JobStatus::queued, "", "", now); });
    EXPECT_FALSE(tried);
    EXPECT_EQ(job(c.job.id).status, JobStatus::running);
}

TEST_F(JobsTest, AnErrorIsKeptWithARunningJobAlone) {
    const auto c = running();
    write([&](Tx& tx) { return set_job_error(tx, c.job.id, c.run.id, "no such branch"); });
    EXPECT_EQ(job(c.job.id).error, "no such branch");
    EXPECT_TRUE(end(c));
    write([&](Tx& tx) { return set_job_error(tx, c.job.id, c.run.id, "late"); });
    EXPECT_EQ(job(c.job.id).error, "how");
}

TEST_F(JobsTest, AnExitIsRecordedOnceAndFoundByItsInvocation) {
    const auto c = running();
    ASSERT_TRUE(prepare(c.run.id));
    const auto t = c.job.task_id;
    EXPECT_EQ(must(run_for_exit(db, t, "", "inv-1"))->id, c.run.id);  // started, invocation not known yet
    EXPECT_EQ(must(run_for_exit(db, t, c.run.unit, "inv-1"))->id, c.run.id);
    EXPECT_EQ(must(run_for_exit(db, t, "orchd-deploy@ORCH-1.service", "inv-1")), std::nullopt);  // of another unit
    EXPECT_TRUE(exits(c.run.id, {ExitKind::killed, 9}, "inv-1"));
    EXPECT_FALSE(exits(c.run.id, {ExitKind::exited, 0}, "inv-1"));
    const auto recorded = run(c.run.id);
    EXPECT_EQ(recorded.exit->kind, ExitKind::killed);
    EXPECT_EQ(recorded.exit->status, 9);
    EXPECT_EQ(recorded.exited_at, later(2).utc_ms);
    EXPECT_EQ(recorded.invocation_id, "inv-1");
    EXPECT_EQ(must(run_for_exit(db, t, "", "inv-1"))->id, c.run.id);
    EXPECT_EQ(must(run_for_exit(db, t, "", "inv-2")), std::nullopt);
    EXPECT_EQ(must(unfinished_exit(db, t))->id, c.run.id);
    EXPECT_TRUE(end(c));
    EXPECT_EQ(must(unfinished_exit(db, t)), std::nullopt);
}

TEST_F(JobsTest, ALateExitIsPinnedOnNoLaterRun) {
    const auto c = running();
    ASSERT_TRUE(prepare(c.run.id));
    ASSERT_TRUE(stop(c));
    ASSERT_TRUE(put_back(c));
    const auto t = c.job.task_id;
    EXPECT_EQ(must(run_for_exit(db, t, "", "of-the-first")), std::nullopt);
    const auto again = claim_one();
    EXPECT_EQ(must(run_for_exit(db, t, "", "of-the-first")), std::nullopt);  // claimed, not started
    ASSERT_TRUE(prepare(again.run.id));
    write([&](Tx& tx) { return set_invocation(tx, again.run.id, "of-the-second"); });
    EXPECT_EQ(must(run_for_exit(db, t, "", "of-the-first")), std::nullopt);
    EXPECT_EQ(must(run_for_exit(db, t, "", "of-the-second"))->id, again.run.id);
    EXPECT_EQ(must(run_for_exit(db, t, "", "")), std::nullopt);
}

TEST_F(JobsTest, ARunHasOneInvocation) {
    const auto c = running();
    write([&](Tx& tx) { return set_invocation(tx, c.run.id, "one"); });
    write([&](Tx& tx) { return set_invocation(tx, c.run.id, "one"); });
    auto other = db.write([&](Tx& tx) { return set_invocation(tx, c.run.id, "two"); });
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Errc::conflict);
}

TEST_F(JobsTest, TicksOfDeathAreCountedInARow_R10) {
    const auto c = running();
    Now at = now;
    const auto tick = [&](bool seen, std::int64_t after_ms) {
        at.boot_ms += after_ms;
        return write([&](Tx& tx) { return count_dead_tick(tx, c.run.id, seen, 1000, at); });
    };
    EXPECT_EQ(tick(true, 0), 1);
    EXPECT_EQ(tick(true, 999), 0) << "two looks at one moment are one";
    EXPECT_EQ(tick(true, 1), 2);
    EXPECT_EQ(tick(false, 0), 0);
    EXPECT_EQ(tick(false, 0), 0);
    EXPECT_EQ(tick(true, 0), 1);
    at.boot_ms = 5;
    EXPECT_EQ(tick(true, 0), 2) << "the last tick was in an earlier boot";
}

TEST_F(JobsTest, AJobIsBlockedWhileItsTaskIsPausedHeldOrWaits_R15_R16) {
    const auto t = task("HELLO-1");
    const auto needed = task("HELLO-2");
    const auto id = ask(t, Role::developer).value();
    const auto advance = ask(t, Role::step).value();
    const auto expect_blocked = [&](bool blocked, const char* why) {
        EXPECT_EQ(job(id).blocked, blocked) << why;
        EXPECT_EQ(job(advance).blocked, blocked) << why;
        EXPECT_EQ(must(queue_counts(db)).blocked, blocked ? 2 : 0) << why;
    };
    expect_blocked(false, "new");
    write([&](Tx& tx) { return pause_task(tx, t, "ada", "why", now); });
    expect_blocked(true, "paused");
    write([&](Tx& tx) { return set_hold(tx, t, Hold::infra, "why", now); });
    write([&](Tx& tx) { return resume_task(tx, t, now); });
    expect_blocked(true, "held");
    EXPECT_TRUE(write([&](Tx& tx) { return add_dependency(tx, t, needed, "ada"); }));
    write([&](Tx& tx) { return set_hold(tx, t, Hold::none, "", now); });
    expect_blocked(true, "waits");
    EXPECT_TRUE(claim_all(limits()).empty());
    EXPECT_TRUE(write([&](Tx& tx) { return remove_dependency(tx, t, needed); }));
    expect_blocked(false, "waits no more");
    EXPECT_TRUE(write([&](Tx& tx) { return add_dependency(tx, t, needed, "ada"); }));
    expect_blocked(true, "waits again");
    must(db.execute("UPDATE tasks SET stage = 'deploy', stage_seq = 2 WHERE id = " + std::to_string(needed)));
    expect_blocked(true, "waits still");
    ASSERT_TRUE(write([&](Tx& tx) { return write_stage(tx, needed, Stage::deploy, 2, Stage::done, {}, "", 0, now); }));
    expect_blocked(false, "what it needs is done");
    EXPECT_EQ(claim_all(limits()).size(), 2U);
}

TEST_F(JobsTest, AJobThatComesIntoTheQueueOfABlockedTaskIsBlocked) {
    const auto c = running();
    write([&](Tx& tx) { return set_hold(tx, c.job.task_id, Hold::human, "why", now); });
    EXPECT_FALSE(job(c.job.id).blocked);
    EXPECT_TRUE(job(ask(c.job.task_id, Role::step).value()).blocked);
    ASSERT_TRUE(stop(c));
    ASSERT_TRUE(put_back(c));
    EXPECT_TRUE(job(c.job.id).blocked);
}

TEST_F(JobsTest, ListsAndCountsWhatIsAskedFor) {
    const auto ended = running(1);
    EXPECT_TRUE(end(ended));
    const auto live = running(2);
    const auto queued = ask(task("OTHER-1", "other"), Role::reviewer).value();
    const auto ids = [&](const JobFilter& filter) {
        std::vector<std::int64_t> found;
        for (const auto& c : must(list_jobs(db, filter))) found.push_back(c.job.id);
        return found;
    };
    using Ids = std::vector<std::int64_t>;
    EXPECT_EQ(ids({}), (Ids{queued, live.job.id, ended.job.id}));
    EXPECT_EQ(ids({.oldest_first = true, .limit = 2}), (Ids{ended.job.id, live.job.id}));
    EXPECT_EQ(ids({.project = "hello"}), (Ids{live.job.id, ended.job.id}));
    EXPECT_EQ(ids({.work_item = "OTHER-1"}), Ids{queued});
    EXPECT_EQ(ids({.status = JobStatus::running}), Ids{live.job.id});
    EXPECT_EQ(ids({.only_live = true}), (Ids{queued, live.job.id}));
    EXPECT_EQ(ids({.only_ended = true}), Ids{ended.job.id});
    ASSERT_EQ(must(live_jobs(db)).size(), 1U);
    EXPECT_EQ(must(live_jobs(db))[0].run.id, live.run.id);
    EXPECT_TRUE(must(worked(db, ended.job.task_id, 1, Role::developer)));
    EXPECT_FALSE(must(worked(db, ended.job.task_id, 2, Role::developer)));
    EXPECT_FALSE(must(worked(db, live.job.task_id, 1, Role::developer)));
    const auto counts = must(queue_counts(db));
    EXPECT_EQ(std::tuple(counts.queued, counts.blocked, counts.running, counts.stopping), std::tuple(1, 0, 1, 0));
    const auto of_projects = must(project_counts(db));
    ASSERT_EQ(of_projects.size(), 2U);
    EXPECT_EQ(std::tuple(of_projects[0].open_tasks, of_projects[0].queued, of_projects[0].running), std::tuple(2, 0, 1));
    EXPECT_EQ(std::tuple(of_projects[1].open_tasks, of_projects[1].queued, of_projects[1].running), std::tuple(1, 1, 0));
}

TEST_F(JobsTest, AListedJobShowsItsLastRun) {
    const auto c = running();
    ASSERT_TRUE(stop(c));
    ASSERT_TRUE(put_back(c));
    const auto listed = must(list_jobs(db, {}));
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].job.run_id, std::nullopt);
    EXPECT_EQ(listed[0].run.id, c.run.id);
    EXPECT_EQ(listed[0].run.job_id, c.job.id);
}

TEST_F(JobsTest, ImpossibleQueuedRowsOfAForeignHandAreHealedAndCounted_R09) {
    const auto id = ask(task("HELLO-1"), Role::developer).value();
    EXPECT_EQ(write([&](Tx& tx) { return heal_impossible_queued(tx, now); }), 0);
    EXPECT_EQ(must(find_state(db, "impossible_queued_total")), std::nullopt);
    must(db.execute(
        "PRAGMA ignore_check_constraints = ON; INSERT INTO runs (job_id, task_id, unit, boot_id, started_at, started_boot)"
        " SELECT id, task_id, 'u', 'b', 0, 0 FROM jobs; UPDATE jobs SET run_id = 1, started_at = 5;"
        "PRAGMA ignore_check_constraints = OFF"));
    EXPECT_EQ(write([&](Tx& tx) { return heal_impossible_queued(tx, now); }), 1);
    EXPECT_EQ(job(id).run_id, std::nullopt);
    EXPECT_EQ(job(id).started_at, std::nullopt);
    EXPECT_EQ(must(find_state(db, "impossible_queued_total"))->value, "1");
    EXPECT_EQ(claim_one().job.id, id);
}

}  // namespace
}  // namespace orchd::store
