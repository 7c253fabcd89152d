// What a Db and its statements share; private to the store.
#pragma once

#include <sqlite3.h>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "store/checkpoint_lock.h"
#include "store/db.h"

namespace orchd::store {

struct Connection {
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    sqlite3* db = nullptr;
    std::string path;
    OpenOptions options;
    std::uint64_t inode = 0;  // of the file that is open
    CheckpointLock lock;      // unused by readers
    // Compiled statements that no handle holds, by their text.
    std::unordered_multimap<std::string, sqlite3_stmt*> idle;

    enum class In { nothing, read, write } in = In::nothing;
    std::function<bool()> enough;   // see Db::give_up_when
    int wal_frames = 0;             // after our last commit
    bool checkpoint_later = false;  // see CheckpointLater
    int frames_left_alone = 0;      // what stood in the WAL after our last checkpoint, until it is reset
};

// A file that is no Db: one that is copied into, or whose owner is gone.
struct CloseDatabase {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using BareDatabase = std::unique_ptr<sqlite3, CloseDatabase>;
// Opens it for reading and writing; it must be there. Errc::io.
[[nodiscard]] Result<BareDatabase> open_bare(const std::string& path);

// The connection's last error as ours, with SQLite's own sentence.
[[nodiscard]] Error error_of(sqlite3* db);
// Runs statements without looking at rows.
[[nodiscard]] Status execute(sqlite3* db, const std::string& sql);
// The first column of the first row of a pragma or query.
[[nodiscard]] Result<std::int64_t> query_integer(sqlite3* db, const char* sql);

}  // namespace orchd::store
