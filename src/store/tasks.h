// Projects and tasks. Every stage write is the one compare-and-swap here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"
#include "store/records.h"

namespace orchd::store {

// The project's row, made if it is not there.
[[nodiscard]] Result<Project> ensure_project(Tx& tx, const std::string& name);
[[nodiscard]] Result<std::optional<Project>> find_project(Db& db, const std::string& name);
[[nodiscard]] Result<std::vector<Project>> all_projects(Db& db);
// Errc::conflict if it is already as asked.
[[nodiscard]] Status pause_project(Tx& tx, std::int64_t project_id, const std::string& by, const std::string& reason,
                                   const Now& now);
[[nodiscard]] Status resume_project(Tx& tx, std::int64_t project_id);

// Inserts a task at `analysis`, stage_seq 1. Errc::conflict if the work item is known, also with other zeros before its number.
[[nodiscard]] Result<Task> create_task(Tx& tx, std::int64_t project_id, const std::string& work_item, const std::string& branch,
                                       const std::string& title, const std::string& body, const Now& now, int priority = 5);
[[nodiscard]] Result<std::optional<Task>> find_task(Db& db, const std::string& work_item);
[[nodiscard]] Result<std::optional<Task>> find_task(Db& db, std::int64_t id);
// The task that people, trackers and forges mean by this name: also where its number is written with other zeros before it.
[[nodiscard]] Result<std::optional<Task>> find_task_meant(Db& db, const std::string& work_item);

struct TaskFilter {
    std::string project = {};  // empty: all
    std::optional<Stage> stage = {};
    bool only_open = false;    // neither done nor cancelled
    bool needs_human = false;  // held, or waiting for an approval
    int limit = 1000;
};
[[nodiscard]] Result<std::vector<Task>> list_tasks(Db& db, const TaskFilter& filter);
// How many there are with `needs_human`, without a limit.
[[nodiscard]] Result<std::int64_t> count_needing_human(Db& db);

// The open tasks of a project whose branch we last pushed at this commit.
[[nodiscard]] Result<std::vector<Task>> open_tasks_at(Db& db, std::int64_t project_id, const std::string& head);

// The compare-and-swap: writes stage, stage_seq+1, retries, again_reason, and clears waiting_*. False if the task is no longer
// at (from, seq), or the fence of its transition lease is newer than `fence`: a lost race, to be left alone.
[[nodiscard]] Result<bool> write_stage(Tx& tx, std::int64_t task_id, Stage from, std::int64_t seq, Stage to,
                                       const Retries& retries, const std::string& again_reason, std::int64_t fence,
                                       const Now& now);
[[nodiscard]] Status set_hold(Tx& tx, std::int64_t task_id, Hold hold, const std::string& reason, const Now& now);
// What the present hold is about; it goes with the hold.
[[nodiscard]] Status set_hold_watch(Tx& tx, std::int64_t task_id, const std::string& watch);
[[nodiscard]] Result<std::vector<Task>> held_with_watch(Db& db);
[[nodiscard]] Status set_retries(Tx& tx, std::int64_t task_id, const Retries& retries, const Now& now);
// 0 … 9, higher first; the task's queued jobs get it too.
[[nodiscard]] Status set_priority(Tx& tx, std::int64_t task_id, int priority, const Now& now);
[[nodiscard]] Status set_waiting(Tx& tx, std::int64_t task_id, const std::string& waiting_for, const std::string& reason,
                                 const Now& now);
[[nodiscard]] Status pause_task(Tx& tx, std::int64_t task_id, const std::string& by, const std::string& reason, const Now& now);
[[nodiscard]] Status resume_task(Tx& tx, std::int64_t task_id, const Now& now);
[[nodiscard]] Status set_head(Tx& tx, std::int64_t task_id, const std::string& head, const Now& now);
[[nodiscard]] Status set_merged(Tx& tx, std::int64_t task_id, const std::string& commit, const Now& now);
[[nodiscard]] Status set_text(Tx& tx, std::int64_t task_id, const std::string& title, const std::string& body, const Now& now);
// Tasks that wait for `what` ("merge_lease", …), of one project or of all, oldest first.
[[nodiscard]] Result<std::vector<Task>> waiting_tasks(Db& db, const std::string& what, std::optional<std::int64_t> project_id);

}  // namespace orchd::store
