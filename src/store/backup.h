// Copies of the database: made while it is in use, checked before they count, put back by `orchctl db restore`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/db.h"
#include "store/mark.h"

namespace orchd::store {

// "orchd-20261122T015007Z", so that the order of names is that of time.
[[nodiscard]] std::string backup_name(std::int64_t utc_ms);

struct Backup {
    std::string path;
    std::int64_t bytes = 0;
};
// Copies the database as it is now to directory/NAME.db, for the group too: written beside its name, checked whole
// (verify_backup), synced and renamed, so that a backup that is there is sound. Writers go on meanwhile. Errc::conflict if it
// is there already, or if the database is behind a backup of its own there: it is no better than that one.
[[nodiscard]] Result<Backup> back_up(Db& db, const std::string& directory, const std::string& name);
// Those that back_up() made there, oldest first by name.
[[nodiscard]] Result<std::vector<Backup>> list_backups(const std::string& directory);
// Removes all but the newest `keep` of those that are this database's own and not ahead of it, and what a killed back_up()
// left; how many backups went. Those of another database, and those that cannot be read, are a person's to remove.
[[nodiscard]] Result<int> prune_backups(Db& db, const std::string& directory, int keep);
// What the database was known by when it was backed up.
[[nodiscard]] Result<Mark> mark_of_backup(const std::string& path);

// Reads the whole file; its schema version. Errc::corrupt with what is wrong, Errc::too_new for a newer one.
[[nodiscard]] Result<int> verify_backup(const std::string& path);

struct Restored {
    int version = 0;      // schema of the backup; the worker migrates it
    std::string kept_as;  // where the database that was there lies now, with its WAL; empty if there was none
};
// Puts a verified copy of `backup` in the place of `database`, which nobody may have open, and keeps that one aside. Ids that
// the replaced database gave out are not given again: each sequence goes on behind the higher of both (a million
// behind all that is known where the replaced one is gone, cannot be read or is not the one that was there), so that no run
// that is still alive can be taken for a new one. Killed anywhere, the old file or the new one is in place, or the old one lies
// under `kept_as` and it can be run again.
[[nodiscard]] Result<Restored> restore_backup(const std::string& backup, const std::string& database, const std::string& stamp);
// Puts an empty database there in the same way, for who begins anew. Its ids go on behind those of the one that was there, and
// of the backups in `directory`; these stay, since they are another's.
[[nodiscard]] Result<Restored> begin_anew(const std::string& database, const std::string& directory, const std::string& stamp);

}  // namespace orchd::store
