// R07: what a claim takes, in which order, and what it costs.
#include <algorithm>
#include <map>
#include <set>

#include "counting.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

class ClaimTest : public StoreTest {
protected:
    // `count` tasks PREFIX-1 … of the project, each with one queued job.
    void queue_many(const std::string& of, const std::string& prefix, int count, Role role = Role::developer,
                    int priority = 5) {
        for (int n = 1; n <= count; ++n) (void)ask(task(prefix + "-" + std::to_string(n), of), role, {}, priority);
    }
    std::vector<std::string> claimed_items(const Limits& with, int at_most = 1000) {
        std::vector<std::string> items;
        for (const auto& c : claim_all(with, at_most)) items.push_back(c.work_item);
        return items;
    }
};

TEST_F(ClaimTest, NeverPassesTheHostsLimitAndCountsStepsApart_R07) {
    queue_many("hello", "HELLO", 5);
    for (int n = 1; n <= 5; ++n) (void)ask(must(find_task(db, "HELLO-" + std::to_string(n)))->id, Role::step);
    const auto with = limits(3, 2);
    const auto claims = claim_all(with);
    const auto steps = std::count_if(claims.begin(), claims.end(), [](const auto& c) { return c.job.role == Role::step; });
    EXPECT_EQ(steps, 2);
    EXPECT_EQ(claims.size() - steps, 3U);
    EXPECT_TRUE(claim_all(with).empty());
    // A stopping job still has its slot.
    const auto& last = claims.back();
    EXPECT_TRUE(write([&](Tx& tx) { return begin_stopping(tx, last.job.id, last.run.id, "test"); }));
    EXPECT_TRUE(claim_all(with).empty());
    EXPECT_TRUE(write([&](Tx& tx) { return finish_job(tx, last.job.id, last.run.id, JobStatus::failed, "", "", now); }));
    EXPECT_EQ(claim_all(with).size(), 1U);
}

TEST_F(ClaimTest, NeverPassesAProjectsOrARolesLimit_R07) {
    queue_many("hello", "HELLO", 3);
    queue_many("hello", "REV", 3, Role::reviewer);
    queue_many("other", "OTHER", 4);
    auto with = limits();
    for (auto& p : with.projects) {
        if (p.project_id == project("hello")) {
            p.max_concurrency = 3;
            p.roles = {{Role::developer, 1}};
        }
    }
    std::map<std::pair<std::string, Role>, int> taken;
    for (const auto& c : claim_all(with)) ++taken[{c.project, c.job.role}];
    EXPECT_EQ((taken[{"hello", Role::developer}]), 1);
    EXPECT_EQ((taken[{"hello", Role::reviewer}]), 2);
    EXPECT_EQ((taken[{"other", Role::developer}]), 4);
    EXPECT_TRUE(claim_all(with).empty());
}

TEST_F(ClaimTest, GoesByPriorityThenDueTimeThenId_R07) {
    (void)ask(task("A-1"), Role::developer, {}, 5);
    (void)ask(task("A-2"), Role::reviewer, {}, 9);
    (void)ask(task("A-3"), Role::developer, {}, 5);
    (void)ask(task("A-4"), Role::analyst, due_in(now, 50), 5);
    (void)ask(task("A-5"), Role::analyst, {}, 0);
    now = later(100);
    (void)ask(task("A-6"), Role::tester, {}, 5);
    EXPECT_EQ(claimed_items(limits()), (std::vector<std::string>{"A-2", "A-1", "A-3", "A-4", "A-6", "A-5"}));
}

TEST_F(ClaimTest, AJobThatWaitedForItsTimeIsNotOvertakenByLaterOnes_R07) {
    (void)ask(task("A-1"), Role::developer, due_in(now, 10));
    now = later(20);
    (void)ask(task("A-2"), Role::developer);
    EXPECT_EQ(claimed_items(limits(1)), std::vector<std::string>{"A-1"});
}

TEST_F(ClaimTest, SkipsWhatIsNotDueEvenWhereItsPriorityIsHigher_R07) {
    (void)ask(task("A-1"), Role::developer, due_in(now, 1000), 9);
    (void)ask(task("A-2"), Role::developer, {}, 1);
    EXPECT_EQ(claimed_items(limits()), std::vector<std::string>{"A-2"});
    EXPECT_EQ(must(next_due_boot(db, now)), monday.boot_ms + 1000);
    now = later(1000);
    EXPECT_EQ(must(next_due_boot(db, now)), std::nullopt);
    EXPECT_EQ(claimed_items(limits()), std::vector<std::string>{"A-1"});
}

TEST_F(ClaimTest, NextDueIsTheSoonestOfAllLanes_R07) {
    (void)ask(task("A-1"), Role::tester, due_in(now, 700), 9);
    (void)ask(task("A-2"), Role::developer, due_in(now, 900), 2);
    (void)ask(task("A-3"), Role::developer, due_in(now, 500), 1);
    (void)ask(task("B-1", "other"), Role::step, due_in(now, 600), 1);
    const auto paused = task("B-2", "other");
    (void)ask(paused, Role::developer, due_in(now, 100));
    write([&](Tx& tx) { return pause_task(tx, paused, "ada", "why", now); });
    EXPECT_EQ(must(next_due_boot(db, now)), monday.boot_ms + 500);
}

TEST_F(ClaimTest, AStepOfTheWallClockDelaysNothing_R07) {
    (void)ask(task("A-1"), Role::developer, due_in(now, 1000));
    now = {monday.utc_ms - 3'600'000, monday.boot_ms + 1000, monday.boot_id};
    EXPECT_EQ(claimed_items(limits()).size(), 1U);
}

TEST_F(ClaimTest, DueTimesOfAnEarlierBootGoOnByTheWallClock_R07) {
    (void)ask(task("A-1"), Role::developer, due_in(now, 1000));
    (void)ask(task("A-2"), Role::developer, due_in(now, 60'000));
    const auto held = task("A-3");
    (void)ask(held, Role::developer, due_in(now, 60'000));
    write([&](Tx& tx) { return set_hold(tx, held, Hold::human, "why", now); });
    now = {monday.utc_ms + 10'000, 500, "boot-2"};
    EXPECT_EQ(write([&](Tx& tx) { return rebase_due_times(tx, 300'000, 86'400'000, now); }), 3);
    EXPECT_EQ(write([&](Tx& tx) { return rebase_due_times(tx, 300'000, 86'400'000, now); }), 0);
    EXPECT_EQ(claimed_items(limits()), std::vector<std::string>{"A-1"});
    EXPECT_EQ(must(next_due_boot(db, now)), 500 + 50'000);
    write([&](Tx& tx) { return set_hold(tx, held, Hold::none, "", now); });
    now = later(50'000, now);
    EXPECT_EQ(claimed_items(limits()).size(), 2U);
}

TEST_F(ClaimTest, AWallClockSetBackOverABootDelaysNothingBeyondTheLongestWait_R07) {
    (void)ask(task("A-1"), Role::developer, due_in(now, 1000));
    now = {monday.utc_ms - 7'200'000, 500, "boot-2"};
    EXPECT_EQ(write([&](Tx& tx) { return rebase_due_times(tx, 300'000, 86'400'000, now); }), 1);
    EXPECT_EQ(must(next_due_boot(db, now)), 500 + 300'000);
    now = later(300'000, now);
    EXPECT_EQ(claimed_items(limits()).size(), 1U);
}

TEST_F(ClaimTest, NothingWhileTheHostIsPausedNorOfAPausedOrUnlistedProject_R16) {
    queue_many("hello", "HELLO", 1);
    queue_many("other", "OTHER", 1);
    write([&](Tx& tx) { return put_state(tx, {.key = "paused", .value = "1", .by = "ada", .reason = "why", .at = 1}); });
    EXPECT_TRUE(claim_all(limits()).empty());
    write([&](Tx& tx) { return clear_state(tx, "paused"); });
    const auto hello = project("hello");
    write([&](Tx& tx) { return pause_project(tx, hello, "ada", "why", now); });
    const auto other = project("other");
    auto with = limits();
    std::erase_if(with.projects, [&](const auto& p) { return p.project_id == other; });
    EXPECT_TRUE(claim_all(with).empty());
    EXPECT_EQ(claimed_items(limits()), std::vector<std::string>{"OTHER-1"});
    write([&](Tx& tx) { return resume_project(tx, hello); });
    EXPECT_EQ(claimed_items(limits()), std::vector<std::string>{"HELLO-1"});
}

TEST_F(ClaimTest, AProjectWithOneJobIsServedWithinOneSlotPerProject_R06_N08) {
    queue_many("busy", "BUSY", 30);
    queue_many("crowded", "CROWD", 30);
    const auto with_one_slot = [&] { return limits(1); };
    const auto next = [&] {
        const auto claims = claim_all(with_one_slot());
        if (claims.size() != 1) throw std::runtime_error("one slot, one claim");
        (void)write([&](Tx& tx) { return finish_job(tx, claims[0].job.id, claims[0].run.id, JobStatus::done, "", "", now); });
        return claims[0].project;
    };
    for (int n = 0; n < 7; ++n) (void)next();
    queue_many("late", "LATE", 3);
    // Three projects: each gap between two services of one is at most three slots.
    std::map<std::string, int> last;
    for (int slot = 0; slot < 9; ++slot) {
        const auto served = next();
        EXPECT_LE(slot - (last.contains(served) ? last[served] : -1), 3) << served << " in slot " << slot;
        last[served] = slot;
    }
    EXPECT_EQ(last.size(), 3U);
}

TEST_F(ClaimTest, StepsOfAProjectDoNotPushItsRunsBack_R06_N08) {
    queue_many("busy", "BUSY", 10);
    queue_many("crowded", "CROWD", 10);
    queue_many("stepping", "STEP", 10);
    std::map<std::string, int> served;
    for (int round = 0; round < 6; ++round) {
        (void)ask(must(find_task(db, "STEP-" + std::to_string(round + 1)))->id, Role::step);
        for (const auto& c : claim_all(limits(1, 1))) {
            if (c.job.role != Role::step) ++served[c.project];
            (void)write([&](Tx& tx) { return finish_job(tx, c.job.id, c.run.id, JobStatus::done, "", "", now); });
        }
    }
    EXPECT_EQ(served, (std::map<std::string, int>{{"busy", 2}, {"crowded", 2}, {"stepping", 2}}));
}

TEST_F(ClaimTest, TheUnitIsNamedForTheKindAndTheWorkItem_R08) {
    const auto t = task("HELLO-1");
    (void)ask(t, Role::deploy);
    (void)ask(t, Role::step);
    (void)ask(task("HELLO-2"), Role::ci);
    std::set<std::string> units;
    for (const auto& c : claim_all(limits())) units.insert(c.run.unit);
    EXPECT_EQ(units, (std::set<std::string>{"orchd-deploy@HELLO-1.service", "orchd-step@HELLO-1.service",
                                            "orchd-agent@HELLO-2.service"}));
}

// Queues at the present time: `ready` jobs, `delayed` ones, ones of held tasks, and ones of a role at its limit, `count` of
// each.
void fill_queue(Db& db, std::int64_t project_id, int count) {
    const auto sql = [&](const std::string& prefix, const std::string& role, const std::string& boot, int priority) {
        const auto n =
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " + std::to_string(count) + ") ";
        return n +
               "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, hold, created_at, updated_at)"
               " SELECT " +
               std::to_string(project_id) + ", '" + prefix + "-' || n, '', '', 'b', 'development', 3, '" +
               (prefix == "HELD" ? "human" : "none") +
               "', 0, 0 FROM n;"
               "INSERT INTO jobs (task_id, project_id, stage_seq, kind, role, status, priority, available_at, available_boot,"
               " available_boot_id, max_attempts, created_at) SELECT id, project_id, 3, 'agent', '" +
               role + "', 'queued', " + std::to_string(priority) + ", 0, " + boot +
               ", 'boot-1', 5, 0 FROM tasks WHERE work_item LIKE '" + prefix + "-%';";
    };
    must(db.execute("BEGIN;" + sql("READY", "developer", "1", 5) + sql("DELAY", "developer", "9000000", 9) +
                    sql("HELD", "developer", "1", 7) + sql("FULL", "reviewer", "1", 8) + "COMMIT;"));
}

TEST_F(ClaimTest, CostsTheSameFromAThousandToAHundredThousandQueued_R07) {
    std::map<int, Work> of_claim, of_waking;
    for (const int count : {250, 25'000}) {
        Db other = must(Db::open(folder / (std::to_string(count) + ".db"), {.mode = Mode::create}));
        Limits with{.max_concurrency = 100, .max_steps = 10};
        const auto id = must(other.write([](Tx& tx) { return ensure_project(tx, "hello"); })).id;
        with.projects = {{.project_id = id, .roles = {{Role::reviewer, 0}}}};
        fill_queue(other, id, count);
        const auto take = [&] { return must(other.write([&](Tx& tx) { return claim(tx, with, 8, now); })); };
        ASSERT_EQ(take().size(), 8U);  // and compiles what it needs
        (void)must(next_due_boot(other, now));
        (void)work_done(other);
        const auto claims = take();
        of_claim[count] = work_done(other);
        ASSERT_EQ(claims.size(), 8U);
        EXPECT_TRUE(std::all_of(claims.begin(), claims.end(), [](const auto& c) { return c.work_item.starts_with("READY-"); }));
        EXPECT_EQ(must(next_due_boot(other, now)), 9'000'000);
        of_waking[count] = work_done(other);
        ASSERT_EQ(must(live_jobs(other)).size(), 16U);
        EXPECT_LT(work_done(other).steps, 16 * 150);
    }
    EXPECT_EQ(of_claim[250].steps, of_claim[25'000].steps);
    EXPECT_EQ(of_claim[250].scanned, of_claim[25'000].scanned);
    EXPECT_EQ(of_waking[250].steps, of_waking[25'000].steps);
    EXPECT_LT(of_claim[25'000].steps, 8 * 1000);
    EXPECT_LT(of_waking[25'000].steps, 1000);
}

}  // namespace
}  // namespace orchd::store
