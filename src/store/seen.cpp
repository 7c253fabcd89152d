#include "store/seen.h"

#include "store/query.h"

namespace orchd::store {

// Times are in seconds, so that two events may be of one time: the rest of the row decides then, always the same.
Result<bool> put_pull_request(Tx& tx, const PullRequestSeen& p) {
    return change_one(
        tx.db(),
        "INSERT INTO pull_requests (project, number, branch, head, target, state, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET branch = excluded.branch, head = excluded.head, target = excluded.target,"
        " state = excluded.state, at = excluded.at"
        " WHERE (excluded.state = 'merged', excluded.at, excluded.state = 'closed', excluded.head,"
        " excluded.branch, excluded.target) > (state = 'merged', at, state = 'closed', head, branch, target)",
        p.project, p.number, p.branch, p.head, p.target, p.state, p.at);
}

Result<std::optional<PullRequestSeen>> find_pull_request(Db& db, const std::string& project, std::int64_t number) {
    return find_row(
        db, "SELECT project, number, branch, head, target, state, at FROM pull_requests WHERE project = ? AND number = ?",
        [](const Row& row) {
            return PullRequestSeen{.project = row.text(0),
                                   .number = row.integer(1),
                                   .branch = row.text(2),
                                   .head = row.text(3),
                                   .target = row.text(4),
                                   .state = row.text(5),
                                   .at = row.integer(6)};
        },
        project, number);
}

// Of two at one time the one that holds more up.
Result<bool> put_review(Tx& tx, const ReviewSeen& r) {
    return change_one(tx.db(),
                      "INSERT INTO reviews (project, number, reviewer, state, head, at) VALUES (?, ?, ?, ?, ?, ?)"
                      " ON CONFLICT DO UPDATE SET state = excluded.state, head = excluded.head, at = excluded.at"
                      " WHERE (excluded.at, excluded.state = 'rejected', excluded.state = 'commented', excluded.head) >"
                      " (at, state = 'rejected', state = 'commented', head)",
                      r.project, r.number, r.reviewer, r.state, r.head, r.at);
}

Result<std::vector<ReviewSeen>> reviews_of(Db& db, const std::string& project, std::int64_t number) {
    return list_rows(
        db, "SELECT project, number, reviewer, state, head, at FROM reviews WHERE project = ? AND number = ? ORDER BY reviewer",
        [](const Row& row) {
            return ReviewSeen{.project = row.text(0),
                              .number = row.integer(1),
                              .reviewer = row.text(2),
                              .state = row.text(3),
                              .head = row.text(4),
                              .at = row.integer(5)};
        },
        project, number);
}

Result<std::optional<TrackerItem>> find_tracker_item(Db& db, const std::string& project, const std::string& item) {
    return find_row(
        db,
        "SELECT project, item, work_item, state, seen_at, heeded_state, heeded_at FROM tracker_items WHERE project = ? AND "
        "item = ?",
        [](const Row& row) {
            return TrackerItem{.project = row.text(0),
                               .item = row.text(1),
                               .work_item = row.text(2),
                               .state = row.text(3),
                               .seen_at = row.integer(4),
                               .heeded_state = row.text(5),
                               .heeded_at = row.integer(6)};
        },
        project, item);
}

Status put_tracker_item(Tx& tx, const TrackerItem& i) {
    return write_rows(tx.db(),
                      "INSERT OR REPLACE INTO tracker_items (project, item, work_item, state, seen_at, heeded_state, heeded_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?)",
                      i.project, i.item, i.work_item, i.state, i.seen_at, i.heeded_state, i.heeded_at);
}

Result<std::optional<TrackerState>> find_tracker_state(Db& db, const std::string& project, const std::string& id) {
    return find_row(
        db, "SELECT name, \"group\" FROM tracker_states WHERE project = ? AND state_id = ?",
        [](const Row& row) { return TrackerState{.name = row.text(0), .group = row.text(1)}; }, project, id);
}

}  // namespace orchd::store
