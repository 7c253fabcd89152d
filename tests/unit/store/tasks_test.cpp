// Projects and tasks: the compare-and-swap of stages, holds, pauses, waiting.
#include "store/tasks.h"

#include "store_fixture.h"

namespace orchd::store {
namespace {

class TasksTest : public StoreTest {
protected:
    bool move(std::int64_t task_id, Stage from, std::int64_t seq, Stage to, std::int64_t fence = 0) {
        return write([&](Tx& tx) {
            return write_stage(tx, task_id, from, seq, to, {.developer = 1, .again = 2, .infrastructure = 3, .conflict = 4},
                               "because", fence, later(7));
        });
    }
    std::vector<std::string> items(const TaskFilter& filter) {
        std::vector<std::string> found;
        for (const auto& t : must(list_tasks(db, filter))) found.push_back(t.work_item);
        return found;
    }
};
using Items = std::vector<std::string>;

TEST_F(TasksTest, ATaskBeginsAtAnalysisAndItsWorkItemIsKnownOnce) {
    const auto p = project();
    const auto made = write([&](Tx& tx) { return create_task(tx, p, "HELLO-1", "task/HELLO-1", "Title", "Body", now); });
    EXPECT_EQ(made.stage, Stage::analysis);
    EXPECT_EQ(made.stage_seq, 1);
    EXPECT_EQ(made.project, "hello");
    EXPECT_EQ(made.title, "Title");
    EXPECT_EQ(made.body, "Body");
    EXPECT_EQ(made.branch, "task/HELLO-1");
    EXPECT_EQ(made.created_at, now.utc_ms);
    const auto other = project("other");
    auto twice = db.write([&](Tx& tx) { return create_task(tx, other, "HELLO-1", "b", "", "", now); });
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, Errc::conflict);
    EXPECT_EQ(must(find_task(db, "HELLO-2")), std::nullopt);
}

TEST_F(TasksTest, AProjectIsMadeOnce) {
    EXPECT_EQ(project(), project());
    EXPECT_EQ(must(all_projects(db)).size(), 1U);
    EXPECT_EQ(must(find_project(db, "none")), std::nullopt);
}

TEST_F(TasksTest, AStageIsWrittenOnlyFromWhereTheTaskIs_R13) {
    const auto t = task("HELLO-1");
    EXPECT_FALSE(move(t, Stage::review, 1, Stage::testing));
    EXPECT_FALSE(move(t, Stage::analysis, 2, Stage::architecture));
    write([&](Tx& tx) { return set_waiting(tx, t, "check_analysis_approved", "a human says so", now); });
    EXPECT_TRUE(move(t, Stage::analysis, 1, Stage::architecture));
    EXPECT_FALSE(move(t, Stage::analysis, 1, Stage::architecture));
    const auto moved = look(t);
    EXPECT_EQ(moved.stage, Stage::architecture);
    EXPECT_EQ(moved.stage_seq, 2);
    EXPECT_EQ(moved.retries.developer, 1);
    EXPECT_EQ(moved.retries.again, 2);
    EXPECT_EQ(moved.retries.infrastructure, 3);
    EXPECT_EQ(moved.retries.conflict, 4);
    EXPECT_EQ(moved.again_reason, "because");
    EXPECT_EQ(moved.waiting_for, "");
    EXPECT_EQ(moved.waiting_since, std::nullopt);
    EXPECT_EQ(moved.updated_at, later(7).utc_ms);
    // Again is a stage write too.
    EXPECT_TRUE(move(t, Stage::architecture, 2, Stage::architecture));
    EXPECT_EQ(look(t).stage_seq, 3);
}

TEST_F(TasksTest, AnOldFenceWritesNoStage_R13) {
    const auto t = task("HELLO-1");
    const auto take = [&](const std::optional<LeaseOwner>& dead) {
        return write([&](Tx& tx) {
            return acquire_transition(tx, t, {.unit = "u", .invocation_id = "i", .boot_id = "b", .pid = 1}, 0, Stage::analysis,
                                      dead, now);
        });
    };
    const auto first = take(std::nullopt).value();
    const auto second = take(LeaseOwner{.unit = "u", .invocation_id = "i", .boot_id = "b", .pid = 1}).value();
    EXPECT_FALSE(move(t, Stage::analysis, 1, Stage::architecture, first));
    EXPECT_TRUE(move(t, Stage::analysis, 1, Stage::architecture, second));
}

TEST_F(TasksTest, ATaskThatEndsIsHeldNoMore) {
    const auto t = task("HELLO-1");
    write([&](Tx& tx) { return set_hold(tx, t, Hold::escalated, "three times", now); });
    EXPECT_EQ(look(t).hold, Hold::escalated);
    EXPECT_EQ(look(t).hold_reason, "three times");
    EXPECT_TRUE(move(t, Stage::analysis, 1, Stage::cancelled));
    EXPECT_EQ(look(t).hold, Hold::none);
    EXPECT_EQ(look(t).hold_reason, "");
}

TEST_F(TasksTest, AHoldIsReleasedWithItsReason) {
    const auto t = task("HELLO-1");
    write([&](Tx& tx) { return set_hold(tx, t, Hold::infra, "no disk", now); });
    write([&](Tx& tx) { return set_hold(tx, t, Hold::none, "released", now); });
    EXPECT_EQ(look(t).hold, Hold::none);
    EXPECT_EQ(look(t).hold_reason, "");
    auto unknown = db.write([&](Tx& tx) { return set_hold(tx, 99, Hold::infra, "", now); });
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::no_such);
}

TEST_F(TasksTest, WaitingKeepsItsTimeWhileItIsForTheSame) {
    const auto t = task("HELLO-1");
    const auto wait = [&](const std::string& what, const Now& at) {
        write([&](Tx& tx) { return set_waiting(tx, t, what, "why", at); });
    };
    wait("merge_lease", now);
    wait("merge_lease", later(50));
    EXPECT_EQ(look(t).waiting_since, now.utc_ms);
    wait("staging_target", later(60));
    EXPECT_EQ(look(t).waiting_since, later(60).utc_ms);
    wait("", later(70));
    EXPECT_EQ(look(t).waiting_since, std::nullopt);
    EXPECT_EQ(look(t).waiting_reason, "");
}

TEST_F(TasksTest, WhoWaitsForALeaseStandsInLine) {
    for (const int n : {3, 1, 2}) {
        const auto t = task("HELLO-" + std::to_string(n));
        write([&](Tx& tx) { return set_waiting(tx, t, "merge_lease", "", later(n)); });
    }
    const auto elsewhere = task("OTHER-1", "other");
    write([&](Tx& tx) { return set_waiting(tx, elsewhere, "merge_lease", "", now); });
    const auto free = task("HELLO-4");
    write([&](Tx& tx) { return set_waiting(tx, free, "staging_target", "", now); });
    Items line;
    for (const auto& t : must(waiting_tasks(db, "merge_lease", project()))) line.push_back(t.work_item);
    EXPECT_EQ(line, (Items{"HELLO-1", "HELLO-2", "HELLO-3"}));
}

TEST_F(TasksTest, PausesAreToldWhenThereIsNothingToChange_R16) {
    const auto t = task("HELLO-1");
    const auto p = project();
    const auto conflicts = [&](auto work) {
        auto tried = db.write(work);
        return !tried && tried.error().code == Errc::conflict;
    };
    EXPECT_TRUE(conflicts([&](Tx& tx) { return resume_task(tx, t, now); }));
    write([&](Tx& tx) { return pause_task(tx, t, "uid:1000 ada", "lunch", now); });
    EXPECT_EQ(look(t).paused_at, now.utc_ms);
    EXPECT_EQ(look(t).paused_by, "uid:1000 ada");
    EXPECT_EQ(look(t).pause_reason, "lunch");
    EXPECT_TRUE(conflicts([&](Tx& tx) { return pause_task(tx, t, "bob", "tea", now); }));
    write([&](Tx& tx) { return resume_task(tx, t, now); });
    EXPECT_EQ(look(t).paused_at, std::nullopt);

    EXPECT_TRUE(conflicts([&](Tx& tx) { return resume_project(tx, p); }));
    write([&](Tx& tx) { return pause_project(tx, p, "ada", "lunch", now); });
    EXPECT_EQ(must(find_project(db, "hello"))->pause_reason, "lunch");
    EXPECT_TRUE(conflicts([&](Tx& tx) { return pause_project(tx, p, "bob", "tea", now); }));
    write([&](Tx& tx) { return resume_project(tx, p); });
    EXPECT_EQ(must(find_project(db, "hello"))->paused_at, std::nullopt);
}

TEST_F(TasksTest, ListsWhatIsAskedFor) {
    const auto held = task("HELLO-1");
    write([&](Tx& tx) { return set_hold(tx, held, Hold::human, "why", now); });
    const auto approval = task("HELLO-2");
    write([&](Tx& tx) { return set_waiting(tx, approval, "check_analysis_approved", "", now); });
    (void)task("HELLO-3");
    const auto ended = task("HELLO-4");
    EXPECT_TRUE(move(ended, Stage::analysis, 1, Stage::cancelled));
    const auto waiting = task("OTHER-1", "other");
    write([&](Tx& tx) { return set_waiting(tx, waiting, "merge_lease", "", now); });
    EXPECT_EQ(items({}), (Items{"HELLO-1", "HELLO-2", "HELLO-3", "HELLO-4", "OTHER-1"}));
    EXPECT_EQ(items({.limit = 2}), (Items{"HELLO-1", "HELLO-2"}));
    EXPECT_EQ(items({.project = "other"}), Items{"OTHER-1"});
    EXPECT_EQ(items({.stage = Stage::cancelled}), Items{"HELLO-4"});
    EXPECT_EQ(items({.only_open = true}), (Items{"HELLO-1", "HELLO-2", "HELLO-3", "OTHER-1"}));
    EXPECT_EQ(items({.needs_human = true}), (Items{"HELLO-1", "HELLO-2"}));
    EXPECT_EQ(must(count_needing_human(db)), 2);
}

TEST_F(TasksTest, KeepsHeadMergeAndCounters) {
    const auto t = task("HELLO-1");
    write([&](Tx& tx) { return set_head(tx, t, "h1", now); });
    write([&](Tx& tx) { return set_merged(tx, t, "m1", now); });
    write([&](Tx& tx) { return set_retries(tx, t, {.developer = 2}, now); });
    EXPECT_EQ(look(t).head, "h1");
    EXPECT_EQ(look(t).merged, "m1");
    EXPECT_EQ(look(t).retries.developer, 2);
}

}  // namespace
}  // namespace orchd::store
