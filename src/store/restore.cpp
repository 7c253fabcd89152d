#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "store/backup.h"
#include "store/checkpoint_lock.h"
#include "store/connection.h"
#include "store/files.h"
#include "store/mark.h"
#include "store/migrations.h"

namespace orchd::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t unknown_ids = 1'000'000;  // skipped where nobody can say which were given out

// What is known of the ids that must not be given again.
struct GivenOut {
    Sequences last;
    bool all_known = false;  // whether no id behind these was given out
};

// The ids that the database has given out, with all of its WAL brought into it. Errc::unavailable while anybody has it open:
// a connection to a database in WAL mode keeps a lock on it as long as it lives. Nothing where it cannot be read.
Result<std::optional<Mark>> take_down(const std::string& path) {
    auto db = open_bare(path);
    if (!db) return fail(db.error());
    const auto taken = execute(db->get(), "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT;");
    if (!taken && taken.error().code == Errc::unavailable)
        return fail(Errc::unavailable, path + " is in use: stop orchd first (systemctl stop orchd.target 'orchd-*')");
    if (!taken) return std::nullopt;
    if (!execute(db->get(), "PRAGMA wal_checkpoint(TRUNCATE)")) return std::nullopt;
    auto known = mark_of(db->get());
    if (!known) return std::nullopt;
    return std::optional(std::move(*known));
}

// By the database that is replaced, where it is the one that is to be there, and by its mark.
Result<GivenOut> given_out_by(const std::string& database) {
    auto mark = read_mark(database);
    if (!mark) return fail(mark.error());
    GivenOut given;
    std::error_code error;
    if (fs::exists(database, error)) {
        const auto known = take_down(database);
        if (!known) return fail(known.error());
        if (*known) given = {(*known)->given_out, !(*known)->given_out.empty()};
        if (*known && *mark && (!same_database(**known, **mark) || is_behind((*known)->given_out, (*mark)->given_out)))
            given.all_known = false;
    }
    if (*mark) given.last = both(std::move(given.last), (*mark)->given_out);
    return given;
}

Status skip_ids_of(sqlite3* db, const std::string& table, std::int64_t last) {
    const auto n = std::to_string(last);
    const auto name = "'" + table + "'";  // a table of ours: a plain word
    return execute(db, "UPDATE sqlite_sequence SET seq = max(seq, " + n + ") WHERE name = " + name +
                           "; INSERT INTO sqlite_sequence (name, seq) SELECT " + name + ", " + n +
                           " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = " + name +
                           ") AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = " + name + ");");
}

Result<std::int64_t> newest_event(sqlite3* db) {
    return query_integer(db, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'");
}

// Where ids behind the known ones may have been given out, of every table that gives any.
Status skip_ids(sqlite3* db, const GivenOut& given) {
    const auto before = newest_event(db);
    if (!before) return fail(before.error());
    for (const auto& [table, last] : given.last)
        if (auto set = skip_ids_of(db, table, last); !set) return set;
    if (!given.all_known) {
        auto set = execute(db,
                           "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_schema WHERE type = 'table'"
                           " AND sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence);"
                           "UPDATE sqlite_sequence SET seq = seq + " +
                               std::to_string(unknown_ids));
        if (!set) return set;
    }
    const auto after = newest_event(db);
    if (!after) return fail(after.error());
    const auto skipped = std::to_string(*after - *before);
    return execute(db, "INSERT INTO settings_state VALUES ('event_ids_skipped', '" + skipped +
                           "', 'restore', '', 0)"
                           " ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + " +
                           skipped + " AS TEXT);");
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

// A copy of before there were ids is one of the database that was there.
Status keep_id(sqlite3* db, const std::optional<Mark>& mark) {
    if (!mark || mark->id.empty() || mark->id.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
    return execute(db, "INSERT OR IGNORE INTO settings_state VALUES ('database_id', '" + mark->id + "', 'restore', '', 0)");
}

Result<Mark> shape(const std::string& path, const std::string& database, const GivenOut& given, bool same_id) {
    auto db = open_bare(path);
    if (!db) return fail(db.error());
    auto mark = read_mark(database);
    if (!mark) return fail(mark.error());
    auto shaped = skip_ids(db->get(), given);
    if (shaped && same_id) shaped = keep_id(db->get(), *mark);
    if (shaped) shaped = execute(db->get(), "PRAGMA journal_mode = WAL");
    if (!shaped) return fail(shaped.error());
    return mark_of(db->get());
}

// The old file keeps standing in its place until the new one takes it.
Status swap(const std::string& fresh, const std::string& database, const std::string& kept_as) {
    std::error_code error;
    if (fs::exists(database, error) && ::link(database.c_str(), kept_as.c_str()) != 0)
        return fail(Errc::io, kept_as + ": " + std::strerror(errno));
    // Empty, unless the old file could not be read or was not there; never to be taken for the new file's.
    if (::rename((database + "-wal").c_str(), (kept_as + "-wal").c_str()) != 0 && errno != ENOENT)
        return fail(Errc::io, kept_as + "-wal: " + std::strerror(errno));
    ::unlink((database + "-shm").c_str());
    return rename_durably(fresh, database);
}

// Killed anywhere, the mark is that of the file that is there, or there is none.
Status put_in_place(const std::string& fresh, const std::string& database, const std::string& kept_as, const Mark& known) {
    const auto mark = read_mark(database);
    if (!mark) return fail(mark.error());
    Status done;
    if (*mark && !same_database(**mark, known)) done = remove_mark(database);
    if (done) done = own_as(fresh, database);
    if (done) done = sync_file(fresh);
    if (done) done = swap(fresh, database, kept_as);
    if (done) done = write_mark(database, known);
    if (done) done = own_as(mark_path(database), database);
    return done;
}

Result<CheckpointLock> lock_down(const std::string& database) {
    const auto lock_file = database + "-ckpt";
    std::error_code error;
    const bool locked_before = fs::exists(lock_file, error);
    auto lock = CheckpointLock::open(lock_file);
    if (!lock) return lock;
    if (auto owned = locked_before ? Status{} : own_as(lock_file, database); !owned) return fail(owned.error());
    if (auto locked = lock->lock_for_checkpoint(2000); !locked) return fail(locked.error());
    return lock;
}

// Puts what `make` makes of a new file there in the database's place.
template <class Make>
Result<Restored> replace(const std::string& database, const std::string& kept_as, Make make) {
    auto lock = lock_down(database);
    if (!lock) return fail(lock.error());
    CheckpointGuard unlock(*lock);
    const auto given = given_out_by(database);
    if (!given) return fail(given.error());
    const auto fresh = database + ".restoring";
    for (const auto* file : {"", "-wal", "-shm", "-journal"}) ::unlink((fresh + file).c_str());
    Result<Mark> known = make(fresh, *given);
    if (!known) return fail(known.error());
    std::error_code error;
    Restored restored{0, fs::exists(database, error) ? kept_as : std::string()};
    if (auto done = put_in_place(fresh, database, kept_as, *known); !done) return fail(done.error());
    return restored;
}

Status make_empty(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
    ::close(fd);
    auto db = open_bare(path);
    if (!db) return fail(db.error());
    if (auto shaped = execute(db->get(), "PRAGMA page_size = 8192"); !shaped) return shaped;
    return migrate(db->get(), path, "", migrations());
}

}  // namespace

Result<Restored> restore_backup(const std::string& backup, const std::string& database, const std::string& stamp) {
    auto version = verify_backup(backup);
    if (!version) return fail(version.error());
    const auto known = mark_of_backup(backup);
    if (!known) return fail(known.error());
    const auto copy = [&](const std::string& fresh, GivenOut given) -> Result<Mark> {
        // What is behind its own backup is not what that was made of.
        if (is_behind(given.last, known->given_out)) given.all_known = false;
        std::error_code error;
        fs::copy_file(backup, fresh, error);
        if (error) return fail(Errc::io, fresh + ": " + error.message());
        return shape(fresh, database, given, true);
    };
    auto restored = replace(database, database + ".before-restore-" + stamp, copy);
    if (restored) restored->version = *version;
    return restored;
}

Result<Restored> begin_anew(const std::string& database, const std::string& directory, const std::string& stamp) {
    return replace(database, database + ".before-new-" + stamp, [&](const std::string& fresh, GivenOut given) -> Result<Mark> {
        given.all_known = false;
        for (const auto& backup : list_backups(directory).value_or(std::vector<Backup>{}))
            if (const auto known = mark_of_backup(backup.path)) given.last = both(std::move(given.last), known->given_out);
        if (auto made = make_empty(fresh); !made) return fail(made.error());
        return shape(fresh, database, given, false);
    });
}

}  // namespace orchd::store
