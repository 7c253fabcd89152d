#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "store/backup.h"
#include "store/checkpoint_lock.h"
#include "store/connection.h"
#include "store/files.h"

namespace orchd::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t unknown_ids = 1'000'000;  // skipped where nobody can say which were given out

using Sequences = std::map<std::string, std::int64_t>;

Result<Sequences> sequences_of(sqlite3* db) {
    Sequences sequences;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db, "SELECT name, seq FROM sqlite_sequence", -1, &statement, nullptr) != SQLITE_OK)
        return fail(error_of(db));
    int stepped = SQLITE_ROW;
    while ((stepped = sqlite3_step(statement)) == SQLITE_ROW)
        sequences[reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))] = sqlite3_column_int64(statement, 1);
    sqlite3_finalize(statement);
    if (stepped != SQLITE_DONE) return fail(error_of(db));
    return sequences;
}

// The ids that the database has given out, with all of its WAL brought into it. Errc::unavailable while anybody has it open:
// a connection to a database in WAL mode keeps a lock on it as long as it lives. Nothing where it cannot be read.
Result<std::optional<Sequences>> take_down(const std::string& path) {
    auto db = open_bare(path);
    if (!db) return fail(db.error());
    const auto taken = execute(db->get(), "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT;");
    if (!taken && taken.error().code == Errc::unavailable)
        return fail(Errc::unavailable, path + " is in use: stop orchd first (systemctl stop orchd.target 'orchd-*')");
    if (!taken) return std::nullopt;
    if (!execute(db->get(), "PRAGMA wal_checkpoint(TRUNCATE)")) return std::nullopt;
    auto sequences = sequences_of(db->get());
    if (!sequences) return std::nullopt;
    return std::optional(std::move(*sequences));
}

Status skip_ids(sqlite3* db, const std::optional<Sequences>& given_out) {
    if (!given_out) return execute(db, "UPDATE sqlite_sequence SET seq = seq + " + std::to_string(unknown_ids));
    for (const auto& [table, last] : *given_out) {
        const auto n = std::to_string(last);
        const auto name = "'" + table + "'";  // a table of ours: a plain word
        auto set = execute(db, "UPDATE sqlite_sequence SET seq = max(seq, " + n + ") WHERE name = " + name +
                                   "; INSERT INTO sqlite_sequence (name, seq) SELECT " + name + ", " + n +
                                   " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = " + name +
                                   ") AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = " + name + ");");
        if (!set) return set;
    }
    return {};
}

// Owner and mode of what it replaces, or the folder's.
Status own_as(const std::string& path, const std::string& database) {
    struct stat seen {};
    const bool replaced = ::stat(database.c_str(), &seen) == 0;
    if (!replaced && ::stat(fs::path(database).parent_path().c_str(), &seen) != 0)
        return fail(Errc::io, database + ": " + std::strerror(errno));
    if (::chown(path.c_str(), seen.st_uid, seen.st_gid) != 0 || ::chmod(path.c_str(), 0660) != 0)
        return fail(errno == EPERM ? Errc::not_permitted : Errc::io, path + ": " + std::strerror(errno));
    return {};
}

Status shape(const std::string& path, const std::optional<Sequences>& given_out) {
    auto db = open_bare(path);
    if (!db) return fail(db.error());
    if (auto skipped = skip_ids(db->get(), given_out); !skipped) return skipped;
    return execute(db->get(), "PRAGMA journal_mode = WAL");
}

// The old file keeps standing in its place until the new one takes it.
Status swap(const std::string& fresh, const std::string& database, const std::string& kept_as) {
    if (!kept_as.empty()) {
        if (::link(database.c_str(), kept_as.c_str()) != 0) return fail(Errc::io, kept_as + ": " + std::strerror(errno));
        // Empty, unless the old file could not be read; never to be taken for the new file's.
        if (::rename((database + "-wal").c_str(), (kept_as + "-wal").c_str()) != 0 && errno != ENOENT)
            return fail(Errc::io, kept_as + "-wal: " + std::strerror(errno));
    }
    ::unlink((database + "-shm").c_str());
    return rename_durably(fresh, database);
}

}  // namespace

Result<Restored> restore_backup(const std::string& backup, const std::string& database, const std::string& stamp) {
    auto version = verify_backup(backup);
    if (!version) return fail(version.error());
    const auto lock_file = database + "-ckpt";
    std::error_code error;
    const bool locked_before = fs::exists(lock_file, error);
    auto lock = CheckpointLock::open(lock_file);
    if (!lock) return fail(lock.error());
    if (auto owned = locked_before ? Status{} : own_as(lock_file, database); !owned) return fail(owned.error());
    if (auto locked = lock->lock_for_checkpoint(2000); !locked) return fail(locked.error());
    CheckpointGuard unlock(*lock);
    Restored restored{*version, {}};
    std::optional<Sequences> given_out = Sequences();
    if (fs::exists(database, error)) {
        auto taken = take_down(database);
        if (!taken) return fail(taken.error());
        given_out = std::move(*taken);
        restored.kept_as = database + ".before-restore-" + stamp;
    }
    const auto fresh = database + ".restoring";
    fs::copy_file(backup, fresh, fs::copy_options::overwrite_existing, error);
    if (error) return fail(Errc::io, fresh + ": " + error.message());
    auto done = shape(fresh, given_out);
    if (done) done = own_as(fresh, database);
    if (done) done = sync_file(fresh);
    if (done) done = swap(fresh, database, restored.kept_as);
    if (!done) return fail(done.error());
    return restored;
}

}  // namespace orchd::store
