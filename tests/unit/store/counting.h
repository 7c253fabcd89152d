// What SQLite did, in steps of its machine: the measure of a question's cost that no other load disturbs.
#pragma once

#include <sqlite3.h>
#include <cstdint>

#include "store/db.h"

namespace orchd::store {

// What the connection's statements have done since the last call.
struct Work {
    std::int64_t steps = 0, scanned = 0;
};
inline Work work_done(Db& db) {
    Work work;
    for (auto* s = sqlite3_next_stmt(db.raw(), nullptr); s != nullptr; s = sqlite3_next_stmt(db.raw(), s)) {
        work.steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
        work.scanned += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    }
    return work;
}

}  // namespace orchd::store
