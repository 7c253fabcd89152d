// Numbers for those who watch: totals that only grow, and counts of what stands now. None reads what is done: the cost does not
// grow with the history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace orchd::store {

struct Total {
    std::string what;   // "jobs_ended", "runs_ended", "stages_entered", "tasks_created"
    std::string word;   // a job's role, how a run ended, a stage; "" for tasks_created
    std::string ended;  // of jobs: the last status
    std::int64_t n = 0;
};
[[nodiscard]] Result<std::vector<Total>> totals(Db& db);

struct Count {
    std::string word;
    std::int64_t n = 0;
};
// Tasks that are held, by hold; tasks that wait, by what for; posts that are not delivered yet, by channel.
[[nodiscard]] Result<std::vector<Count>> held_tasks(Db& db);
[[nodiscard]] Result<std::vector<Count>> waiting_counts(Db& db);
[[nodiscard]] Result<std::vector<Count>> pending_posts(Db& db);
// When the oldest delivery that is still pending was received, UTC milliseconds.
[[nodiscard]] Result<std::optional<std::int64_t>> oldest_pending_delivery(Db& db);
// Events that were ever appended: their ids without those that restores left out.
[[nodiscard]] Result<std::int64_t> events_appended(Db& db);
// A number that is another whenever anybody committed anything since this connection last asked.
[[nodiscard]] Result<std::int64_t> data_version(Db& db);

}  // namespace orchd::store
