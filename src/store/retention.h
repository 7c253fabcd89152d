// What is forgotten, and when. Each call looks at a bounded number of rows, so that no writer waits for long.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.h"
#include "store/db.h"

namespace orchd::store {

struct Pruned {
    std::int64_t removed = 0;
    std::int64_t looked_up_to = 0;  // an id: go on behind it
    bool more = false;
};
// Of at most `rows` events behind `after_id`: those before `kept_from` (UTC ms) whose task is over. Sets the retention that the
// schema's trigger keeps.
[[nodiscard]] Result<Pruned> prune_events(Tx& tx, std::int64_t kept_from, std::int64_t after_id, int rows, const Now& now);
// The same of delivered posts. A post of an open task stays: its dedup_key is what keeps it from being sent again.
[[nodiscard]] Result<Pruned> prune_posts(Tx& tx, std::int64_t kept_from, std::int64_t after_id, int rows);
// Of the oldest `rows` deliveries that are done, ignored or refused: those received before `kept_from`. `looked_up_to` is not
// used.
[[nodiscard]] Result<Pruned> prune_deliveries(Tx& tx, std::int64_t kept_from, int rows);

// Commits of the project whose release nobody goes back to: replaced, failed or rolled back, neither the live one's
// predecessor nor among the newest `keep` of these.
[[nodiscard]] Result<std::vector<std::string>> stale_releases(Db& db, const std::string& project, int keep);
// Commits of all releases of the project, whatever became of them.
[[nodiscard]] Result<std::vector<std::string>> release_commits(Db& db, const std::string& project);

}  // namespace orchd::store
