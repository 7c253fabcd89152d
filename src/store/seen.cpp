#include "store/seen.h"

#include <tuple>

#include "store/query.h"

namespace orchd::store {
namespace {

constexpr const char* not_known = "unknown";

// Of two that were told of one moment, what they agree in; what they do not is not known.
void agree(std::string& with, const std::string& other, const char* otherwise, bool& tied) {
    if (with == other) return;
    with = otherwise;
    tied = true;
}

PullRequestSeen newest(const PullRequestSeen& known, const PullRequestSeen& told) {
    const auto rank = [](const PullRequestSeen& p) { return std::tuple(p.state == "merged", p.at, p.looked); };
    if (rank(known) != rank(told)) return rank(known) > rank(told) ? known : told;
    if (told.looked) return told;
    auto both = known;
    both.tied = known.tied || told.tied;
    agree(both.state, told.state, not_known, both.tied);
    agree(both.branch, told.branch, "", both.tied);
    agree(both.head, told.head, "", both.tied);
    agree(both.target, told.target, "", both.tied);
    return both;
}

ReviewSeen newest(const ReviewSeen& known, const ReviewSeen& told) {
    const auto rank = [](const ReviewSeen& r) { return std::pair(r.state != "commented", r.at); };
    if (rank(known) != rank(told)) return rank(known) > rank(told) ? known : told;
    auto both = known;
    both.tied = known.tied || told.tied;
    agree(both.state, told.state, not_known, both.tied);
    agree(both.head, told.head, "", both.tied);
    return both;
}

bool same(const PullRequestSeen& a, const PullRequestSeen& b) {
    const auto all = [](const PullRequestSeen& p) {
        return std::tie(p.branch, p.head, p.target, p.state, p.at, p.looked, p.tied);
    };
    return all(a) == all(b);
}
bool same(const ReviewSeen& a, const ReviewSeen& b) {
    return std::tie(a.state, a.head, a.at, a.tied) == std::tie(b.state, b.head, b.at, b.tied);
}

constexpr const char* review_columns =
    "SELECT project, repository, pull, reviewer, state, head, at, tied FROM reviews WHERE project = ? AND repository = ? AND"
    " pull = ? ";

ReviewSeen read_review(const Row& row) {
    return {.project = row.text(0),
            .repository = row.integer(1),
            .pull = row.integer(2),
            .reviewer = row.text(3),
            .state = row.text(4),
            .head = row.text(5),
            .at = row.integer(6),
            .tied = row.integer(7) != 0};
}

}  // namespace

Result<std::int64_t> see_repository(Tx& tx, const std::string& project, std::int64_t id, const std::string& name,
                                    std::int64_t at) {
    auto put =
        write_rows(tx.db(),
                   "INSERT INTO forge_repositories (project, repository, name, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?4)"
                   " ON CONFLICT DO UPDATE SET name = iif(excluded.last_at >= last_at, excluded.name, name),"
                   " first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
                   project, id, name, at);
    if (!put) return fail(put.error());
    auto now = find_row(tx.db(), "SELECT max(repository) FROM forge_repositories WHERE project = ? AND name = ?", first_integer,
                        project, name);
    if (!now) return fail(now.error());
    return now->value_or(id);
}

Result<std::vector<ForgeRepository>> repositories_of(Db& db, const std::string& project) {
    return list_rows(
        db, "SELECT repository, name, first_at, last_at FROM forge_repositories WHERE project = ? ORDER BY repository DESC",
        [](const Row& row) {
            return ForgeRepository{
                .id = row.integer(0), .name = row.text(1), .first_at = row.integer(2), .last_at = row.integer(3)};
        },
        project);
}

Result<PullRequestPut> put_pull_request(Tx& tx, const PullRequestSeen& told) {
    auto known = find_pull_request(tx.db(), told.project, {told.repository, told.pull});
    if (!known) return fail(known.error());
    PullRequestPut put{.now = *known ? newest(**known, told) : told};
    put.news = !*known || !same(**known, put.now);
    if (!put.news) return put;
    const auto& p = put.now;
    auto written =
        write_rows(tx.db(),
                   "INSERT INTO pull_requests (project, repository, pull, number, branch, head, target, state, at,"
                   " looked, tied) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                   " ON CONFLICT DO UPDATE SET branch = excluded.branch, head = excluded.head,"
                   " target = excluded.target, state = excluded.state, at = excluded.at,"
                   " looked = excluded.looked, tied = excluded.tied",
                   p.project, p.repository, p.pull, p.number, p.branch, p.head, p.target, p.state, p.at, p.looked, p.tied);
    if (!written) return fail(written.error());
    return put;
}

Result<std::optional<PullRequestSeen>> find_pull_request(Db& db, const std::string& project, const PullRequestKey& key) {
    return find_row(
        db,
        "SELECT project, repository, pull, number, branch, head, target, state, at, looked, tied FROM pull_requests"
        " WHERE project = ? AND repository = ? AND pull = ?",
        [](const Row& row) {
            return PullRequestSeen{.project = row.text(0),
                                   .repository = row.integer(1),
                                   .pull = row.integer(2),
                                   .number = row.integer(3),
                                   .branch = row.text(4),
                                   .head = row.text(5),
                                   .target = row.text(6),
                                   .state = row.text(7),
                                   .at = row.integer(8),
                                   .looked = row.integer(9) != 0,
                                   .tied = row.integer(10) != 0};
        },
        project, key.repository, key.pull);
}

Result<ReviewPut> put_review(Tx& tx, const ReviewSeen& told) {
    static const std::string one = std::string(review_columns) + "AND reviewer = ?";
    auto known = find_row(tx.db(), one, read_review, told.project, told.repository, told.pull, told.reviewer);
    if (!known) return fail(known.error());
    ReviewPut put{.now = *known ? newest(**known, told) : told};
    put.news = !*known || !same(**known, put.now);
    if (!put.news) return put;
    const auto& r = put.now;
    auto written = write_rows(tx.db(),
                              "INSERT INTO reviews (project, repository, pull, reviewer, state, head, at, tied)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
                              " head = excluded.head, at = excluded.at, tied = excluded.tied",
                              r.project, r.repository, r.pull, r.reviewer, r.state, r.head, r.at, r.tied);
    if (!written) return fail(written.error());
    return put;
}

Result<std::vector<ReviewSeen>> reviews_of(Db& db, const std::string& project, const PullRequestKey& key) {
    static const std::string all = std::string(review_columns) + "ORDER BY reviewer";
    return list_rows(db, all, read_review, project, key.repository, key.pull);
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
