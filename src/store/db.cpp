#include "store/db.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "store/connection.h"
#include "store/lost.h"
#include "store/mark.h"
#include "store/migrations.h"

namespace orchd::store {
namespace {

// Waits in short naps until their sum reaches the connection's patience: SQLite's own handler naps up to 100 ms, which is far
// longer than any transaction of ours.
int nap_while_busy(void* connection, int count) {
    constexpr std::array naps_us{100, 200, 500, 1000, 2000};
    constexpr int before_last = 100 + 200 + 500 + 1000;
    const auto n = std::min<std::size_t>(static_cast<std::size_t>(count), naps_us.size() - 1);
    const auto slept_us = n + 1 < naps_us.size() ? 0 : before_last + (count - 4) * naps_us.back();
    if (slept_us >= static_cast<Connection*>(connection)->options.busy_timeout_ms * 1000) return 0;
    ::usleep(static_cast<useconds_t>(naps_us[n]));
    return 1;
}

int note_frames(void* connection, sqlite3*, const char*, int frames) {
    static_cast<Connection*>(connection)->wal_frames = frames;
    return SQLITE_OK;
}

int ask_whether_enough(void* connection) { return static_cast<Connection*>(connection)->enough() ? 1 : 0; }

// Makes the file if it is not there, for its group too, whatever the umask.
Status make_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0 && errno == EEXIST) return {};
    if (fd < 0) return fail(errno == EACCES ? Errc::not_permitted : Errc::io, path + ": " + std::strerror(errno));
    const bool changed = ::fchmod(fd, 0660) == 0;
    ::close(fd);
    if (!changed) return fail(Errc::io, path + ": " + std::strerror(errno));
    return {};
}

std::uint64_t inode_of(const std::string& path) {
    struct stat seen {};
    return ::stat(path.c_str(), &seen) == 0 ? seen.st_ino : 0;
}

bool read_only(const Connection& c) { return c.options.mode == Mode::read_only || c.options.mode == Mode::inspect; }

Status connect(Connection& c) {
    const int flags =
        (read_only(c) ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const char* vfs = c.options.vfs.empty() ? nullptr : c.options.vfs.c_str();
    if (sqlite3_open_v2(c.path.c_str(), &c.db, flags, vfs) != SQLITE_OK) {
        auto error = c.db == nullptr ? Error{Errc::internal, "database: out of memory"} : error_of(c.db);
        const int seen = ::access(c.path.c_str(), read_only(c) ? R_OK : R_OK | W_OK) == 0 ? 0 : errno;
        if (seen == ENOENT)
            if (auto lost = may_begin(c.path, {}, "missing"); !lost) return lost;
        if (seen == ENOENT)
            return fail(Errc::no_such, c.path + ": there is no database; orchd-worker.service makes it when it starts");
        if (seen == EACCES) return fail(Errc::not_permitted, c.path + ": only root and the services of orchd may open it");
        return fail(error.code, c.path + ": " + error.text);
    }
    sqlite3_busy_handler(c.db, nap_while_busy, &c);
    if (sqlite3_db_config(c.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) != SQLITE_OK ||
        sqlite3_db_config(c.db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr) != SQLITE_OK)
        return fail(error_of(c.db));
    sqlite3_wal_hook(c.db, note_frames, &c);  // takes the place of the automatic checkpoint
    return execute(
        c.db,
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
        "PRAGMA recursive_triggers = OFF;"
        // Half a MiB of pages: a claim touches a few, and the default of two would be the most of a worker's own memory.
        "PRAGMA cache_size = -512;"
        // What a reader that stayed long has let the WAL grow to is given back when it is reset.
        "PRAGMA journal_size_limit = 16777216;");
}

Status require_version(int version, const std::string& path) {
    if (auto fits = refuse_newer(version, schema_version(), path); !fits) return fits;
    if (version == schema_version()) return {};
    return fail_by_database(Errc::conflict, path + " has schema " + std::to_string(version) + ", this program needs " +
                                                std::to_string(schema_version()) +
                                                ": start orchd-worker.service, which migrates it");
}

Status check_version(Connection& c) {
    auto version = read_version(c.db);
    if (!version) return fail(version.error());
    if (auto right = *version == 0 ? may_begin(c.path, {}, "empty") : require_marked(c.db, c.path, {}); !right) return right;
    if (c.options.mode == Mode::inspect) return refuse_newer(*version, schema_version(), c.path);
    return require_version(*version, c.path);
}

// After a checkpoint what remains of the WAL is left alone until it has grown by as much again: a reader that stays must not
// make every commit try.
Status checkpoint_now(Connection& c, int mode) {
    int in_wal = 0;
    const int result = sqlite3_wal_checkpoint_v2(c.db, "main", mode, &in_wal, nullptr);
    if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY) return fail(error_of(c.db));
    c.frames_left_alone = std::max(in_wal, 0);
    c.wal_frames = 0;
    if (result != SQLITE_OK) return fail(Errc::unavailable, "the WAL cannot be emptied while a reader holds an old snapshot");
    return {};
}

// By who holds the checkpoint lock, so that the file is still.
Status bring_mark_up(Connection& c) {
    return keep_mark(c.db, c.path, sequences_in_file(c.path, c.options.vfs).value_or(Sequences{}));
}

// The file's page size and journal mode are set once, before its first table.
Status create_or_migrate(Connection& c) {
    if (auto locked = c.lock.lock_for_checkpoint(c.options.busy_timeout_ms); !locked) return locked;
    CheckpointGuard unlock(c.lock);
    auto version = read_version(c.db);
    if (!version) return fail(version.error());
    auto right = *version == 0 ? may_begin(c.path, c.options, "empty") : require_marked(c.db, c.path, c.options.backup_dir);
    if (!right) return right;
    if (*version == 0) {
        auto shaped = execute(c.db, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;");
        if (!shaped) return shaped;
    }
    if (*version != schema_version()) {
        auto migrated = migrate(c.db, c.path, c.options.backup_dir, migrations());
        if (migrated) migrated = checkpoint_now(c, SQLITE_CHECKPOINT_PASSIVE);
        if (!migrated) return migrated;
    }
    const auto kept = bring_mark_up(c);
    // What it says holds still where it cannot be brought up to date, as on a full disk.
    return kept || ::access(mark_path(c.path).c_str(), F_OK) == 0 ? Status{} : kept;
}

// Which of the database's files this process may not open, as a sentence; empty where it may. SQLite does not say which.
std::string closed_to_us(const std::string& path, bool reader) {
    for (const auto* suffix : {"", "-wal", "-shm"})
        if (const auto file = path + suffix; ::access(file.c_str(), reader ? R_OK : R_OK | W_OK) != 0 && errno == EACCES)
            return file +
                   ": only root and the services of orchd may open it, and this process may not: look whose it is "
                   "('orchctl doctor' says whose it should be)";
    return {};
}

// In the way of nobody who could make one: a mark is there before another process sees the database.
Status may_make(const std::string& path, const OpenOptions& options) {
    auto may = may_begin(path, options, "missing");
    return may || ::access(path.c_str(), F_OK) == 0 ? Status{} : may;
}

}  // namespace

Result<int> file_version(Db& db) { return read_version(db.raw()); }

int schema_version() { return migrations().back().version; }

Db::Db(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Db::Db(Db&&) noexcept = default;
Db& Db::operator=(Db&&) noexcept = default;
Db::~Db() = default;

Result<Db> Db::open(const std::string& path, const OpenOptions& options) {
    auto c = std::make_unique<Connection>();
    c->path = path;
    c->options = options;
    if (options.mode == Mode::create) {
        if (auto may = may_make(path, options); !may) return fail(may.error());
        if (auto made = make_file(path); !made) return fail(made.error());
    }
    // First: what both show together SQLite may take for damaged, or for sound.
    if (auto belongs = require_under_its_wal(path, options.vfs); !belongs) return fail(belongs.error());
    if (auto connected = connect(*c); !connected) return fail(with_advice(connected.error(), path));
    c->inode = inode_of(path);
    if (!read_only(*c)) {
        auto lock = CheckpointLock::open(path + "-ckpt");
        if (!lock) return fail(lock.error());
        c->lock = std::move(*lock);
    }
    auto ready = options.mode == Mode::create ? create_or_migrate(*c) : check_version(*c);
    if (!ready && ready.error().by_database)
        if (const auto closed = closed_to_us(path, read_only(*c)); !closed.empty()) return fail(Errc::not_permitted, closed);
    if (!ready) return fail(with_advice(ready.error(), path));
    return Db(std::move(c));
}

Status Db::execute(const std::string& sql) { return store::execute(connection_->db, sql); }
std::int64_t Db::last_insert_rowid() const { return sqlite3_last_insert_rowid(connection_->db); }
const std::string& Db::path() const { return connection_->path; }
sqlite3* Db::raw() { return connection_->db; }

void Db::give_up_when(std::function<bool()> enough) {
    constexpr int steps = 1000;
    connection_->enough = std::move(enough);
    sqlite3_progress_handler(connection_->db, steps, ask_whether_enough, connection_.get());
}

Status Db::begin() {
    auto& c = *connection_;
    if (c.in != Connection::In::nothing) return fail(Errc::internal, "database: a transaction inside a transaction");
    if (read_only(c)) return fail(Errc::not_permitted, c.path + " is open for reading only");
    // What is written into a file without a name is lost.
    if (inode_of(c.path) != c.inode) return fail(taken_away(c.path));
    if (auto locked = c.lock.lock_for_write(c.options.busy_timeout_ms); !locked) return locked;
    auto statement = prepare("BEGIN IMMEDIATE");
    auto begun = statement ? statement->run() : Result<int>(fail(statement.error()));
    if (!begun) {
        c.lock.unlock();
        return fail(begun.error());
    }
    c.in = Connection::In::write;
    if (auto version = version_unmoved(); !version) {
        rollback();
        return version;
    }
    return {};
}

// Another process may have migrated the file since it was opened.
Status Db::version_unmoved() {
    auto statement = prepare("PRAGMA user_version");
    if (!statement) return fail(statement.error());
    auto row = statement->step();
    if (!row) return fail(row.error());
    return require_version(static_cast<int>((*row)->integer(0)), connection_->path);
}

Status Db::commit() {
    auto& c = *connection_;
    auto statement = prepare("COMMIT");
    auto committed = statement ? statement->run() : Result<int>(fail(statement.error()));
    if (!committed) {
        rollback();
        const auto code = committed.error().code;
        const bool known = code == Errc::conflict || code == Errc::no_space;
        return fail_by_database(known ? code : Errc::io, committed.error().text);
    }
    c.in = Connection::In::nothing;
    c.lock.unlock();
    if (!c.checkpoint_later) checkpoint_if_due();
    return {};
}

void Db::rollback() {
    auto& c = *connection_;
    // Some errors have rolled back already; a failure to do so leaves nothing more to do.
    if (sqlite3_get_autocommit(c.db) == 0) (void)store::execute(c.db, "ROLLBACK");
    c.in = Connection::In::nothing;
    c.lock.unlock();
}

Status Db::begin_read() {
    auto& c = *connection_;
    if (c.in != Connection::In::nothing) return fail(Errc::internal, "database: a transaction inside a transaction");
    if (auto begun = execute("BEGIN"); !begun) return begun;
    c.in = Connection::In::read;
    return {};
}

void Db::end_read() {
    if (sqlite3_get_autocommit(connection_->db) == 0) (void)execute("ROLLBACK");
    connection_->in = Connection::In::nothing;
}

// The commit has succeeded whatever becomes of this: who commits next tries again.
void Db::checkpoint_if_due() {
    auto& c = *connection_;
    if (c.wal_frames < c.frames_left_alone) c.frames_left_alone = 0;
    if (c.options.checkpoint_pages == 0 || c.wal_frames < c.frames_left_alone + c.options.checkpoint_pages) return;
    constexpr int patience_ms = 1000;
    if (!c.lock.lock_for_checkpoint(std::min(patience_ms, c.options.busy_timeout_ms))) return;
    CheckpointGuard unlock(c.lock);
    (void)checkpoint_now(c, SQLITE_CHECKPOINT_PASSIVE);
    (void)bring_mark_up(c);
}

CheckpointLater::CheckpointLater(Db& db) : db_(db), exceptions_(std::uncaught_exceptions()) {
    db_.connection_->checkpoint_later = true;
}

CheckpointLater::~CheckpointLater() {
    db_.connection_->checkpoint_later = false;
    if (std::uncaught_exceptions() == exceptions_) db_.checkpoint_if_due();
}

Status Db::checkpoint() {
    auto& c = *connection_;
    if (read_only(c)) return fail(Errc::not_permitted, c.path + " is open for reading only");
    if (auto locked = c.lock.lock_for_checkpoint(c.options.busy_timeout_ms); !locked) return locked;
    CheckpointGuard unlock(c.lock);
    // A reader in the way is told to the caller at once: writers stand outside meanwhile.
    sqlite3_busy_handler(c.db, nullptr, nullptr);
    auto emptied = checkpoint_now(c, SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3_busy_handler(c.db, nap_while_busy, &c);
    return emptied;
}

}  // namespace orchd::store
