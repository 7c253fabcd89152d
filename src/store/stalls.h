// Runs that stand still because their beginning (prepare) or their end (finish) fails: counted in the database, so that no
// restart and no kill begins the count anew.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/enum_text.h"
#include "store/db.h"
#include "store/records.h"

namespace orchd::store {

enum class StallPart { beginning, end };
enum class StallState {
    failed,   // on record; the next try is due at `due`
    called,   // recovery has asked for the next try
    begun,    // a try is at work, or was cut off
    given_up  // a person is called; of an end: the job's next claim takes this very run again, to go on with its end
};

struct Stall {
    std::int64_t run_id = 0;
    StallPart part = StallPart::end;
    StallState state = StallState::failed;
    int tries = 0;         // that came to nothing, in a row: of a beginning, of the job's runs one after the other
    bool lasting = false;  // until a person mends it
    std::string words;     // of the last try: git's own, where git said them
    std::int64_t at = 0;   // when those were put on record
    Due due = {};          // of the next try of an end
};

[[nodiscard]] Result<std::optional<Stall>> find_stall(Db& db, std::int64_t run_id, StallPart part);
// What is to be told of the run: of its end, where that failed too.
[[nodiscard]] Result<std::optional<Stall>> last_stall(Db& db, std::int64_t run_id);
// Writes the row, new or changed; the schema refuses a count that jumps.
[[nodiscard]] Status put_stall(Tx& tx, const Stall& stall);
// How often a beginning failed in a row up to the job's run before this one.
[[nodiscard]] Result<int> beginnings_failed_before(Db& db, std::int64_t job_id, std::int64_t run_id);
// The job's last run, if its exit is on record and its end was given up.
[[nodiscard]] Result<std::optional<std::int64_t>> run_without_end(Db& db, std::int64_t job_id);

struct StalledCounts {
    std::int64_t beginnings = 0, ends = 0;
};
// Live jobs whose present or last run stalls, given up or not.
[[nodiscard]] Result<StalledCounts> count_stalled(Db& db);

}  // namespace orchd::store

namespace orchd {
template <>
inline constexpr auto enum_text<store::StallPart> = std::to_array<std::string_view>({"beginning", "end"});
template <>
inline constexpr auto enum_text<store::StallState> = std::to_array<std::string_view>({"failed", "called", "begun", "given_up"});
}  // namespace orchd
