// Forward migrations by PRAGMA user_version, one transaction each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/error.h"

struct sqlite3;

namespace orchd::store {

struct Migration {
    int version;  // user_version after it; the list counts up from 1 without gaps
    std::string sql;
};
[[nodiscard]] const std::vector<Migration>& migrations();

// The file's user_version. Errc::corrupt if the file is a database of another program.
[[nodiscard]] Result<int> read_version(sqlite3* db);
// Errc::too_new, with both versions, for a file that is newer than `known`.
[[nodiscard]] Status refuse_newer(int version, int known, const std::string& path);

// Brings the database to the last of `steps`; does nothing at that version. The caller keeps all other writers out (the
// checkpoint lock, exclusively). An older file that holds something is first copied to `backup_dir`/NAME.schema-VERSION,
// durably. Each step and its user_version are one transaction: killed anywhere, the file is of one version or the next.
[[nodiscard]] Status migrate(sqlite3* db, const std::string& path, const std::string& backup_dir,
                             std::span<const Migration> steps);

}  // namespace orchd::store
