// One connection to the one database, its transactions and its statements. The only way in: SQL lives in store/ alone.
//
// WAL, synchronous=FULL, foreign keys on, no automatic checkpoints, no mmap. Every write transaction is BEGIN IMMEDIATE and
// holds the checkpoint lock shared; a checkpoint holds it exclusively (docs/architecture.md, "The checkpoint lock").
// A Db is used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "store/ballast.h"

struct sqlite3;
struct sqlite3_stmt;

namespace orchd::store {

enum class Mode {
    read_write,  // existing database of this schema version
    create,     // as read_write; creates the file, unless one was lost, and migrates an older one (backup first). The worker's.
    read_only,  // never blocks or resets a checkpoint for long
    inspect     // as read_only, whatever schema version it has that this program knows: backups, `orchctl doctor`
};

struct OpenOptions {
    Mode mode = Mode::read_write;
    std::string vfs = {};          // tests: the name of a registered VFS; empty is the default one
    int busy_timeout_ms = 10'000;  // no BUSY reaches a caller before that
    int checkpoint_pages = 400;    // whoever commits and finds the WAL over this many pages checkpoints there and then; 0 never
    std::string backup_dir = {};   // where backups are, and a migration leaves its own; empty: beside the file
    std::vector<std::string> traces = {};  // create: folders in which anything shows that there was a database before
};

class Db;
struct Connection;

// Column access of the current row of a statement; valid until the next step.
class Row {
public:
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string text(int column) const;  // NULL reads ""
    [[nodiscard]] bool null(int column) const;
    [[nodiscard]] std::optional<std::int64_t> maybe_integer(int column) const;
    [[nodiscard]] std::optional<std::string> maybe_text(int column) const;

private:
    friend class Statement;
    explicit Row(sqlite3_stmt* raw) : raw_(raw) {}
    sqlite3_stmt* raw_;
};

// A prepared statement, bound by position; it must go before its Db. Compiled once per connection and SQL text (Db::prepare
// caches it), reset when this handle goes.
class Statement {
public:
    Statement(Statement&&) noexcept;
    Statement(const Statement&) = delete;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    template <class... Values>
    Statement& bind(const Values&... values) {
        (bind_next(values), ...);
        return *this;
    }
    // The next row, or nothing at the end. Errors of SQLite come as Errc: conflict (constraint), unavailable (busy),
    // no_space, io, corrupt, not_permitted (read-only). A text with a NUL character, of which SQL sees but the part before it,
    // is refused as Errc::invalid_argument.
    [[nodiscard]] Result<std::optional<Row>> step();
    // For statements without rows; how many rows changed.
    [[nodiscard]] Result<int> run();
    [[nodiscard]] Status each(const std::function<void(const Row&)>& visit);

private:
    friend class Db;
    Statement(Connection& connection, sqlite3_stmt* raw) : connection_(&connection), raw_(raw) {}
    void bind_next(std::int64_t value);
    void bind_next(int value) { bind_next(static_cast<std::int64_t>(value)); }
    void bind_next(bool value) { bind_next(static_cast<std::int64_t>(value)); }
    void bind_next(std::string_view value);
    void bind_next(const std::string& value) { bind_next(std::string_view(value)); }
    void bind_next(const char* value) { bind_next(std::string_view(value)); }
    void bind_next(std::nullopt_t);
    template <class T>
    void bind_next(const std::optional<T>& value) {
        value ? bind_next(*value) : bind_next(std::nullopt);
    }
    void note(int result);
    Connection* connection_;
    sqlite3_stmt* raw_;
    int next_ = 1;
    int bound_ = 0;     // SQLite's result of the first binding that failed; step() tells it
    bool nul_ = false;  // a text with a NUL character was bound
};

// A write transaction in progress. Functions that write take one, so that nothing can be written outside.
class Tx {
public:
    [[nodiscard]] Db& db() { return *db_; }

private:
    friend class Db;
    explicit Tx(Db& db) : db_(&db) {}
    Db* db_;
};

class Db {
public:
    // Errc::corrupt for a database that is lost (its mark is there and it is not, store/mark.h), that is not the one that is to
    // be there, or that is damaged: nothing is begun over it.
    [[nodiscard]] static Result<Db> open(const std::string& path, const OpenOptions& options);
    Db(Db&&) noexcept;
    Db& operator=(Db&&) noexcept;
    ~Db();

    // Runs `work` in BEGIN IMMEDIATE. Commits if it returns a value, rolls back if it returns an error or throws. Checks
    // user_version again inside (Errc::too_new if it moved on). A commit whose result is unknown comes as Errc::io; with
    // Errc::no_space nothing was committed. After a commit the WAL may be checkpointed inline. Not re-entrant.
    template <class Work>
    [[nodiscard]] auto write(Work&& work) -> std::invoke_result_t<Work, Tx&> {
        Tx tx(*this);
        if (auto begun = begin(); !begun) return tl::unexpected(begun.error());
        auto result = guarded(tx, std::forward<Work>(work));
        if (!result) {
            rollback();
            return result;
        }
        if (auto committed = commit(); !committed) return tl::unexpected(committed.error());
        return result;
    }
    // As write(), for what must be on record whatever the state of the disk: exits and deliveries. Where the disk is full,
    // gives the ballast back (store/ballast.h) and runs `work` once more.
    template <class Work>
    [[nodiscard]] auto write_surely(Work&& work) -> std::invoke_result_t<Work, Tx&> {
        auto result = write(work);
        if (result || result.error().code != Errc::no_space) return result;
        drop_ballast(ballast_beside(path()));  // if it is gone already, another process has just given it back
        return write(work);
    }
    // Runs `work` with one consistent snapshot for all its reads.
    template <class Work>
    [[nodiscard]] auto read(Work&& work) -> std::invoke_result_t<Work, Db&> {
        if (auto begun = begin_read(); !begun) return tl::unexpected(begun.error());
        struct End {
            Db& db;
            ~End() { db.end_read(); }
        } end{*this};
        return work(*this);
    }

    // From now on statements are broken off, as Errc::unavailable, once `enough` says so; it is asked every thousand steps of
    // SQLite's machine. For readers, who must hold back no checkpoint for long.
    void give_up_when(std::function<bool()> enough);

    // Compiled once per text and kept until the Db goes: texts are literals, or put together from a few of them.
    [[nodiscard]] Result<Statement> prepare(std::string_view sql);
    // For migrations and tests; several statements.
    [[nodiscard]] Status execute(const std::string& sql);
    [[nodiscard]] std::int64_t last_insert_rowid() const;
    // Checkpoints and truncates the WAL, waiting for writers through the turnstile. Errc::unavailable if a reader is in the
    // way.
    [[nodiscard]] Status checkpoint();
    [[nodiscard]] const std::string& path() const;
    [[nodiscard]] sqlite3* raw();

private:
    friend class CheckpointLater;
    explicit Db(std::unique_ptr<Connection> connection);
    template <class Work>
    auto guarded(Tx& tx, Work&& work) -> std::invoke_result_t<Work, Tx&> {
        try {
            return work(tx);
        } catch (...) {
            rollback();
            throw;
        }
    }
    [[nodiscard]] Status begin();
    [[nodiscard]] Status commit();
    void rollback();
    [[nodiscard]] Status begin_read();
    void end_read();
    [[nodiscard]] Status version_unmoved();
    void checkpoint_if_due();
    std::unique_ptr<Connection> connection_;
};

// While one is there, commits of this connection checkpoint nothing; what is due is done when it goes, unless by an exception.
// For a commit that somebody waits for: a checkpoint syncs twice more, and may stand behind other writers.
class [[nodiscard]] CheckpointLater {
public:
    explicit CheckpointLater(Db& db);
    CheckpointLater(const CheckpointLater&) = delete;
    CheckpointLater& operator=(const CheckpointLater&) = delete;
    ~CheckpointLater();

private:
    Db& db_;
    int exceptions_;
};

// PRAGMA user_version that this program writes and understands.
[[nodiscard]] int schema_version();
// What the open file has.
[[nodiscard]] Result<int> file_version(Db& db);

}  // namespace orchd::store
