// Refusals to begin over what was there: a database that was lost, or that is not the one that is to be there; private to the
// store.
#pragma once

#include <string>

#include "core/error.h"
#include "store/db.h"

struct sqlite3;

namespace orchd::store {

// Whether a new database may be made at `path`, where there is none, or one that is `how` ("missing", "empty"). Errc::corrupt
// where anything shows that there was one: its mark, its WAL, a backup, what lies in OpenOptions::traces.
[[nodiscard]] Status may_begin(const std::string& path, const OpenOptions& options, const std::string& how);
// Whether what is open is the database that its mark tells of, and no older copy. Where there is no mark and `backup_dir` is
// not empty, no backup may be ahead of it. Errc::corrupt.
[[nodiscard]] Status require_marked(sqlite3* db, const std::string& path, const std::string& backup_dir);
// Whether the file is none of before the checkpoint that its WAL goes on from, as where an older copy was put in its place and
// the newer one's WAL left there: what both together show is no state that ever was. Errc::corrupt.
[[nodiscard]] Status require_under_its_wal(const std::string& path, const std::string& vfs);
// Said of a file that was removed or replaced while it is open.
[[nodiscard]] Error taken_away(const std::string& path);
// Of an error that SQLite has with a damaged file, or that comes of another program's file in the place of ours, with what to
// do.
[[nodiscard]] Error with_advice(Error error, const std::string& path);

}  // namespace orchd::store
