#include "store/facts.h"

#include <charconv>
#include <deque>
#include <map>

#include "core/planted.h"
#include "store/query.h"

namespace orchd::store {
namespace {

constexpr std::string_view verdict_columns =
    "SELECT task_id, stage_seq, gate, colour, reason, \"commit\", patch_id, by, unusable, at FROM verdicts WHERE ";

VerdictRow read_verdict(const Row& row) {
    return {.task_id = row.integer(0),
            .stage_seq = row.integer(1),
            .gate = word<Gate>(row, 2),
            .colour = word<Colour>(row, 3),
            .reason = row.text(4),
            .commit = row.text(5),
            .patch_id = row.text(6),
            .by = row.text(7),
            .unusable = row.integer(8) != 0,
            .at = row.integer(9)};
}

Release read_release(const Row& row) {
    return {.project = row.text(0), .commit = row.text(1), .previous = row.text(2), .state = row.text(3), .at = row.integer(4)};
}

StateRow read_state(const Row& row) {
    return {.key = row.text(0), .value = row.text(1), .by = row.text(2), .reason = row.text(3), .at = row.integer(4)};
}

// The way from `start` to `goal` along "needs", as task ids from start to goal; empty if there is none.
Result<std::vector<std::int64_t>> way(Db& db, std::int64_t start, std::int64_t goal) {
    std::map<std::int64_t, std::int64_t> reached_from{{start, 0}};
    std::deque<std::int64_t> open{start};
    while (!open.empty() && !reached_from.contains(goal)) {
        const auto task = open.front();
        open.pop_front();
        auto needed = list_rows(db, "SELECT needs_task_id FROM deps WHERE task_id = ?", first_integer, task);
        if (!needed) return fail(needed.error());
        for (const auto next : *needed) {
            if (reached_from.emplace(next, task).second) open.push_back(next);
        }
    }
    std::vector<std::int64_t> steps;
    if (!reached_from.contains(goal)) return steps;
    for (auto at = goal; at != 0; at = reached_from[at]) steps.insert(steps.begin(), at);
    return steps;
}

}  // namespace

Status add_verdict(Tx& tx, const VerdictRow& v) {
    return write_rows(tx.db(),
                      "INSERT INTO verdicts (task_id, stage_seq, gate, colour, reason, \"commit\", patch_id, by, unusable, at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      v.task_id, v.stage_seq, to_text(v.gate), to_text(v.colour), v.reason, v.commit, v.patch_id, v.by,
                      v.unusable, v.at);
}

Result<std::optional<VerdictRow>> find_verdict(Db& db, std::int64_t task_id, std::int64_t stage_seq, Gate gate) {
    static const std::string sql =
        std::string(verdict_columns) + "task_id = ? AND stage_seq = ? AND gate = ? ORDER BY id DESC LIMIT 1";
    return find_row(db, sql, read_verdict, task_id, stage_seq, to_text(gate));
}

Result<std::vector<VerdictRow>> list_verdicts(Db& db, std::int64_t task_id) {
    static const std::string sql = std::string(verdict_columns) + "task_id = ? ORDER BY id";
    return list_rows(db, sql, read_verdict, task_id);
}

Result<bool> put_status(Tx& tx, const CommitStatus& s) {
    return change_one(
        tx.db(),
        "INSERT INTO statuses (project, \"commit\", context, state, description, at, seq)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
        " description = excluded.description, at = excluded.at, seq = excluded.seq"
        " WHERE iif(excluded.seq > 0 AND seq > 0, (excluded.seq, excluded.at) >= (seq, at),"
        " (excluded.at, excluded.seq) >= (at, seq))"
        " AND (excluded.at, excluded.seq, excluded.state, excluded.description) IS NOT (at, seq, state, description)",
        s.project, s.commit, s.context, to_text(s.state), s.description, s.at, s.seq);
}

Result<std::vector<CommitStatus>> statuses_of(Db& db, const std::string& project, const std::string& commit) {
    return list_rows(
        db,
        "SELECT project, \"commit\", context, description, state, at, seq FROM statuses WHERE project = ? AND \"commit\" = ?"
        " ORDER BY context",
        [](const Row& row) {
            return CommitStatus{.project = row.text(0),
                                .commit = row.text(1),
                                .context = row.text(2),
                                .description = row.text(3),
                                .state = word<Colour>(row, 4),
                                .at = row.integer(5),
                                .seq = row.integer(6)};
        },
        project, commit);
}

Result<bool> add_dependency(Tx& tx, std::int64_t task_id, std::int64_t needs_task_id, const std::string& source) {
    auto& db = tx.db();
    auto back = way(db, needs_task_id, task_id);
    if (!back) return fail(back.error());
    if (!back->empty()) {
        back->insert(back->begin(), task_id);
        std::string cycle;
        for (const auto id : *back) {
            auto name = find_row(
                db, "SELECT work_item FROM tasks WHERE id = ?", [](const Row& row) { return row.text(0); }, id);
            if (!name) return fail(name.error());
            cycle += (cycle.empty() ? "" : " -> ") + name->value_or(std::to_string(id));
        }
        return fail(Errc::conflict, "the dependency would close a cycle: " + cycle);
    }
    if (planted("dependency_lost")) return true;
    return change_one(db, "INSERT INTO deps (task_id, needs_task_id, source) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", task_id,
                      needs_task_id, source);
}

Result<bool> remove_dependency(Tx& tx, std::int64_t task_id, std::int64_t needs_task_id) {
    return change_one(tx.db(), "DELETE FROM deps WHERE task_id = ? AND needs_task_id = ?", task_id, needs_task_id);
}

Result<std::vector<Dependency>> list_dependencies(Db& db, const DependencyFilter& filter) {
    std::string sql = filter.task_id ? "WITH RECURSIVE asked (id) AS (SELECT ?1 UNION SELECT needs_task_id FROM deps"
                                       " JOIN asked ON task_id = asked.id)"
                                     : "WITH asked (id) AS (SELECT id FROM tasks WHERE ?1 IS NULL"
                                       " AND stage NOT IN ('done', 'cancelled'))";
    sql +=
        " SELECT t.work_item, n.work_item, n.stage, d.source FROM asked JOIN deps AS d ON d.task_id = asked.id"
        " JOIN tasks AS t ON t.id = d.task_id JOIN tasks AS n ON n.id = d.needs_task_id";
    if (filter.only_unmet) sql += " WHERE n.stage <> 'done'";
    sql += " ORDER BY d.task_id, d.needs_task_id LIMIT ?2";
    return list_rows(
        db, sql,
        [](const Row& row) {
            return Dependency{
                .work_item = row.text(0), .needs = row.text(1), .needs_stage = word<Stage>(row, 2), .source = row.text(3)};
        },
        filter.task_id, filter.limit);
}

Result<std::vector<std::int64_t>> unmet_dependencies(Db& db, std::int64_t task_id) {
    return list_rows(db,
                     "SELECT t.id FROM deps AS d JOIN tasks AS t ON t.id = d.needs_task_id WHERE d.task_id = ?"
                     " AND t.stage <> 'done' ORDER BY t.id",
                     first_integer, task_id);
}

Result<std::vector<std::int64_t>> open_dependents(Db& db, std::int64_t task_id) {
    return list_rows(db,
                     "SELECT t.id FROM deps AS d JOIN tasks AS t ON t.id = d.task_id WHERE d.needs_task_id = ?"
                     " AND t.stage NOT IN ('done', 'cancelled') ORDER BY t.id",
                     first_integer, task_id);
}

Status put_release(Tx& tx, const Release& release) {
    auto& db = tx.db();
    if (release.state == "live") {
        auto replaced = write_rows(db,
                                   "UPDATE releases SET state = 'replaced', at = ? WHERE project = ? AND state = 'live'"
                                   " AND \"commit\" <> ?",
                                   release.at, release.project, release.commit);
        if (!replaced) return replaced;
    }
    return write_rows(db,
                      "INSERT INTO releases (project, \"commit\", previous, state, at) VALUES (?, ?, ?, ?, ?)"
                      " ON CONFLICT (project, \"commit\") DO UPDATE SET state = excluded.state, at = excluded.at,"
                      " previous = iif(excluded.previous = '', previous, excluded.previous)",
                      release.project, release.commit, release.previous, release.state, release.at);
}

Result<std::optional<Release>> live_release(Db& db, const std::string& project) {
    return find_row(db, "SELECT project, \"commit\", previous, state, at FROM releases WHERE project = ? AND state = 'live'",
                    read_release, project);
}

Result<std::optional<Release>> find_release(Db& db, const std::string& project, const std::string& commit) {
    return find_row(db, "SELECT project, \"commit\", previous, state, at FROM releases WHERE project = ? AND \"commit\" = ?",
                    read_release, project, commit);
}

Result<std::optional<StateRow>> find_state(Db& db, const std::string& key) {
    return find_row(db, "SELECT key, value, by, reason, at FROM settings_state WHERE key = ?", read_state, key);
}

std::int64_t number_of(const std::optional<StateRow>& row) {
    std::int64_t value = 0;
    if (row) std::from_chars(row->value.data(), row->value.data() + row->value.size(), value);
    return value;
}

Result<std::vector<StateRow>> all_state(Db& db) {
    return list_rows(db, "SELECT key, value, by, reason, at FROM settings_state ORDER BY key", read_state);
}

Status put_state(Tx& tx, const StateRow& row) {
    return write_rows(tx.db(), "INSERT OR REPLACE INTO settings_state (key, value, by, reason, at) VALUES (?, ?, ?, ?, ?)",
                      row.key, row.value, row.by, row.reason, row.at);
}

Status clear_state(Tx& tx, const std::string& key) {
    return write_rows(tx.db(), "DELETE FROM settings_state WHERE key = ?", key);
}

Status add_to_counter(Tx& tx, const std::string& key, std::int64_t by, const Now& now) {
    return write_rows(tx.db(),
                      "INSERT INTO settings_state (key, value, by, reason, at) VALUES (?1, CAST(?2 AS TEXT), '', '', ?3)"
                      " ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + ?2, at = ?3",
                      key, by, now.utc_ms);
}

}  // namespace orchd::store
