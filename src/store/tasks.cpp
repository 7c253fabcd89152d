#include "store/tasks.h"

#include "core/work_item.h"
#include "store/query.h"

namespace orchd::store {
namespace {

constexpr std::string_view project_columns = "SELECT id, name, paused_at, paused_by, pause_reason, served FROM projects";

Project read_project(const Row& row) {
    return {.id = row.integer(0),
            .name = row.text(1),
            .paused_at = row.maybe_integer(2),
            .paused_by = row.text(3),
            .pause_reason = row.text(4),
            .served = row.integer(5)};
}

constexpr std::string_view task_columns =
    "SELECT t.id, t.project_id, p.name, t.work_item, t.title, t.body, t.branch, t.stage, t.stage_seq, t.retries_developer,"
    " t.retries_again, t.retries_infrastructure, t.retries_conflict, t.hold, t.hold_reason, t.paused_at, t.paused_by,"
    " t.pause_reason, t.waiting_for, t.waiting_reason, t.waiting_since, t.again_reason, t.head, t.merged, t.created_at,"
    " t.updated_at, t.priority, t.hold_watch FROM tasks AS t JOIN projects AS p ON p.id = t.project_id";

Task read_task(const Row& row) {
    return {.id = row.integer(0),
            .project_id = row.integer(1),
            .project = row.text(2),
            .work_item = row.text(3),
            .title = row.text(4),
            .body = row.text(5),
            .branch = row.text(6),
            .stage = word<Stage>(row, 7),
            .stage_seq = row.integer(8),
            .retries = {.developer = static_cast<int>(row.integer(9)),
                        .again = static_cast<int>(row.integer(10)),
                        .infrastructure = static_cast<int>(row.integer(11)),
                        .conflict = static_cast<int>(row.integer(12))},
            .hold = word<Hold>(row, 13),
            .hold_reason = row.text(14),
            .hold_watch = row.text(27),
            .paused_at = row.maybe_integer(15),
            .paused_by = row.text(16),
            .pause_reason = row.text(17),
            .waiting_for = row.text(18),
            .waiting_reason = row.text(19),
            .waiting_since = row.maybe_integer(20),
            .again_reason = row.text(21),
            .head = row.text(22),
            .merged = row.text(23),
            .priority = static_cast<int>(row.integer(26)),
            .created_at = row.integer(24),
            .updated_at = row.integer(25)};
}

// Of tasks AS t.
constexpr std::string_view needs_human =
    "t.stage NOT IN ('done', 'cancelled') AND t.id IN (SELECT id FROM tasks WHERE hold <> 'none' UNION ALL"
    " SELECT id FROM tasks AS w WHERE waiting_for <> '' AND waiting_for = 'check_analysis_approved'"
    // What a person has said already needs nobody.
    " AND NOT EXISTS (SELECT 1 FROM verdicts WHERE task_id = w.id AND stage_seq = w.stage_seq"
    " AND gate = 'check_analysis_approved' AND colour <> 'undecided' AND \"commit\" = w.head))";

// Of tasks AS t, as its index has it.
constexpr std::string_view number_of_item =
    "substr(t.work_item, 1, instr(t.work_item, '-')) || CAST(substr(t.work_item, instr(t.work_item, '-') + 1) AS INTEGER)";

// For an UPDATE by id: an id that is not there is the caller's error.
Status of_one(Result<bool> changed, std::string_view what, std::int64_t id) {
    if (!changed) return fail(changed.error());
    if (!*changed) return fail(Errc::no_such, "there is no " + std::string(what) + " with number " + std::to_string(id));
    return {};
}

Status conflict_unless(Result<bool> changed, std::string text) {
    if (!changed) return fail(changed.error());
    if (!*changed) return fail(Errc::conflict, std::move(text));
    return {};
}

}  // namespace

Result<Project> ensure_project(Tx& tx, const std::string& name) {
    if (auto made = write_rows(tx.db(), "INSERT INTO projects (name) VALUES (?) ON CONFLICT DO NOTHING", name); !made)
        return fail(made.error());
    auto project = find_project(tx.db(), name);
    if (!project) return fail(project.error());
    return **project;
}

Result<std::optional<Project>> find_project(Db& db, const std::string& name) {
    static const std::string sql = std::string(project_columns) + " WHERE name = ?";
    return find_row(db, sql, read_project, name);
}

Result<std::vector<Project>> all_projects(Db& db) {
    static const std::string sql = std::string(project_columns) + " ORDER BY name";
    return list_rows(db, sql, read_project);
}

Status pause_project(Tx& tx, std::int64_t project_id, const std::string& by, const std::string& reason, const Now& now) {
    return conflict_unless(
        change_one(tx.db(),
                   "UPDATE projects SET paused_at = ?, paused_by = ?, pause_reason = ? WHERE id = ? AND paused_at IS NULL",
                   now.utc_ms, by, reason, project_id),
        "the project is paused already");
}

Status resume_project(Tx& tx, std::int64_t project_id) {
    return conflict_unless(change_one(tx.db(),
                                      "UPDATE projects SET paused_at = NULL, paused_by = '', pause_reason = ''"
                                      " WHERE id = ? AND paused_at IS NOT NULL",
                                      project_id),
                           "the project is not paused");
}

Result<std::optional<Task>> find_task_meant(Db& db, const std::string& work_item) {
    const auto item = WorkItem::parse(work_item);
    if (!item) return std::nullopt;
    static const std::string sql =
        std::string(task_columns) + " WHERE " + std::string(number_of_item) + " = ?1 ORDER BY t.work_item <> ?2 LIMIT 1";
    return find_row(db, sql, read_task, item->plain(), work_item);
}

Result<Task> create_task(Tx& tx, std::int64_t project_id, const std::string& work_item, const std::string& branch,
                         const std::string& title, const std::string& body, const Now& now, int priority) {
    auto known = find_task_meant(tx.db(), work_item);
    if (!known) return fail(known.error());
    if (*known && (*known)->work_item != work_item)
        return fail(Errc::conflict, work_item + " is known already, as " + (*known)->work_item);
    auto made = change_one(tx.db(),
                           "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at,"
                           " updated_at, priority) VALUES (?, ?, ?, ?, ?, 'analysis', 1, ?, ?, ?) ON CONFLICT DO NOTHING",
                           project_id, work_item, title, body, branch, now.utc_ms, now.utc_ms, priority);
    if (!made) return fail(made.error());
    if (!*made) return fail(Errc::conflict, work_item + " is known already");
    auto task = find_task(tx.db(), work_item);
    if (!task) return fail(task.error());
    return **task;
}

Result<std::optional<Task>> find_task(Db& db, const std::string& work_item) {
    static const std::string sql = std::string(task_columns) + " WHERE t.work_item = ?";
    return find_row(db, sql, read_task, work_item);
}

Result<std::optional<Task>> find_task(Db& db, std::int64_t id) {
    static const std::string sql = std::string(task_columns) + " WHERE t.id = ?";
    return find_row(db, sql, read_task, id);
}

Result<std::vector<Task>> list_tasks(Db& db, const TaskFilter& filter) {
    std::string sql(task_columns);
    sql += " WHERE (?1 = '' OR p.name = ?1) AND (?2 IS NULL OR t.stage = ?2)";
    // By way of the partial indexes, so that what is done is not read.
    if (filter.only_open)
        sql += " AND t.id IN (SELECT id FROM tasks INDEXED BY tasks_open WHERE stage NOT IN ('done', 'cancelled'))";
    if (filter.needs_human) sql.append(" AND ").append(needs_human);
    sql += " ORDER BY t.id LIMIT ?3";
    const auto stage = filter.stage ? std::optional(to_text(*filter.stage)) : std::nullopt;
    return list_rows(db, sql, read_task, filter.project, stage, filter.limit);
}

Result<std::int64_t> count_needing_human(Db& db) {
    static const std::string sql = "SELECT count(*) FROM tasks AS t WHERE " + std::string(needs_human);
    return find_row(db, sql, first_integer).map([](const auto& count) { return count.value_or(0); });
}

Result<bool> write_stage(Tx& tx, std::int64_t task_id, Stage from, std::int64_t seq, Stage to, const Retries& retries,
                         const std::string& again_reason, std::int64_t fence, const Now& now) {
    // A task that ends is held by nobody any more.
    return change_one(tx.db(),
                      "UPDATE tasks SET stage = ?1, stage_seq = stage_seq + 1, retries_developer = ?2, retries_again = ?3,"
                      " retries_infrastructure = ?4, retries_conflict = ?5, again_reason = ?6, waiting_for = '',"
                      " waiting_reason = '', waiting_since = NULL, updated_at = ?7,"
                      " hold = iif(?1 IN ('done', 'cancelled'), 'none', hold),"
                      " hold_reason = iif(?1 IN ('done', 'cancelled'), '', hold_reason),"
                      " hold_watch = iif(?1 IN ('done', 'cancelled'), '', hold_watch)"
                      " WHERE id = ?8 AND stage = ?9 AND stage_seq = ?10"
                      " AND NOT EXISTS (SELECT 1 FROM transition_leases WHERE task_id = ?8 AND fence > ?11)",
                      to_text(to), retries.developer, retries.again, retries.infrastructure, retries.conflict, again_reason,
                      now.utc_ms, task_id, to_text(from), seq, fence);
}

Status set_hold(Tx& tx, std::int64_t task_id, Hold hold, const std::string& reason, const Now& now) {
    return of_one(
        change_one(tx.db(), "UPDATE tasks SET hold = ?, hold_reason = ?, hold_watch = '', updated_at = ? WHERE id = ?",
                   to_text(hold), hold == Hold::none ? std::string() : reason, now.utc_ms, task_id),
        "task", task_id);
}

Status set_hold_watch(Tx& tx, std::int64_t task_id, const std::string& watch) {
    return of_one(change_one(tx.db(), "UPDATE tasks SET hold_watch = ? WHERE id = ?", watch, task_id), "task", task_id);
}

Result<std::vector<Task>> held_with_watch(Db& db) {
    static const std::string sql =
        std::string(task_columns) +
        " WHERE t.id IN (SELECT id FROM tasks INDEXED BY tasks_watched WHERE hold_watch <> '') ORDER BY t.id";
    return list_rows(db, sql, read_task);
}

Status set_retries(Tx& tx, std::int64_t task_id, const Retries& retries, const Now& now) {
    return of_one(change_one(tx.db(),
                             "UPDATE tasks SET retries_developer = ?, retries_again = ?, retries_infrastructure = ?,"
                             " retries_conflict = ?, updated_at = ? WHERE id = ?",
                             retries.developer, retries.again, retries.infrastructure, retries.conflict, now.utc_ms, task_id),
                  "task", task_id);
}

Status set_priority(Tx& tx, std::int64_t task_id, int priority, const Now& now) {
    return of_one(
        change_one(tx.db(), "UPDATE tasks SET priority = ?, updated_at = ? WHERE id = ?", priority, now.utc_ms, task_id),
        "task", task_id);
}

Status set_waiting(Tx& tx, std::int64_t task_id, const std::string& waiting_for, const std::string& reason, const Now& now) {
    return of_one(change_one(tx.db(),
                             "UPDATE tasks SET waiting_for = ?1, waiting_reason = ?2, updated_at = ?3,"
                             " waiting_since = CASE ?1 WHEN '' THEN NULL WHEN waiting_for THEN waiting_since ELSE ?3 END"
                             " WHERE id = ?4",
                             waiting_for, waiting_for.empty() ? std::string() : reason, now.utc_ms, task_id),
                  "task", task_id);
}

Status pause_task(Tx& tx, std::int64_t task_id, const std::string& by, const std::string& reason, const Now& now) {
    return conflict_unless(change_one(tx.db(),
                                      "UPDATE tasks SET paused_at = ?1, paused_by = ?2, pause_reason = ?3, updated_at = ?1"
                                      " WHERE id = ?4 AND paused_at IS NULL",
                                      now.utc_ms, by, reason, task_id),
                           "the task is paused already");
}

Status resume_task(Tx& tx, std::int64_t task_id, const Now& now) {
    return conflict_unless(change_one(tx.db(),
                                      "UPDATE tasks SET paused_at = NULL, paused_by = '', pause_reason = '', updated_at = ?"
                                      " WHERE id = ? AND paused_at IS NOT NULL",
                                      now.utc_ms, task_id),
                           "the task is not paused");
}

Status set_head(Tx& tx, std::int64_t task_id, const std::string& head, const Now& now) {
    return of_one(change_one(tx.db(), "UPDATE tasks SET head = ?, updated_at = ? WHERE id = ?", head, now.utc_ms, task_id),
                  "task", task_id);
}

Status set_merged(Tx& tx, std::int64_t task_id, const std::string& commit, const Now& now) {
    return of_one(change_one(tx.db(), "UPDATE tasks SET merged = ?, updated_at = ? WHERE id = ?", commit, now.utc_ms, task_id),
                  "task", task_id);
}

Status set_text(Tx& tx, std::int64_t task_id, const std::string& title, const std::string& body, const Now& now) {
    return of_one(change_one(tx.db(), "UPDATE tasks SET title = ?, body = ?, updated_at = ? WHERE id = ?", title, body,
                             now.utc_ms, task_id),
                  "task", task_id);
}

Result<std::vector<Task>> open_tasks_at(Db& db, std::int64_t project_id, const std::string& head) {
    static const std::string sql = std::string(task_columns) +
                                   " WHERE t.project_id = ? AND t.head = ? AND t.stage NOT IN ('done', 'cancelled')"
                                   " ORDER BY t.id";
    return list_rows(db, sql, read_task, project_id, head);
}

Result<std::vector<Task>> waiting_tasks(Db& db, const std::string& what, std::optional<std::int64_t> project_id) {
    static const std::string sql = std::string(task_columns) + " WHERE t.waiting_for <> '' AND t.waiting_for = ?1";
    static const std::string of_one = sql + " AND t.project_id = ?2 ORDER BY t.waiting_since, t.id";
    static const std::string of_all = sql + " ORDER BY t.waiting_since, t.id";
    return project_id ? list_rows(db, of_one, read_task, what, *project_id) : list_rows(db, of_all, read_task, what);
}

}  // namespace orchd::store
