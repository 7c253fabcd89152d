#include <unistd.h>
#include <cerrno>
#include <utility>

#include "store/connection.h"

namespace orchd::store {
namespace {

constexpr std::string_view said_by = "database: ";

Errc code_of(int result) {
    switch (result & 0xff) {
        case SQLITE_CONSTRAINT:
            return Errc::conflict;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
        case SQLITE_INTERRUPT:  // Db::give_up_when
            return Errc::unavailable;
        case SQLITE_FULL:
            return Errc::no_space;
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return Errc::io;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return Errc::not_permitted;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Errc::corrupt;
        default:
            return Errc::internal;
    }
}

}  // namespace

Error error_of(sqlite3* db) {
    const int result = sqlite3_extended_errcode(db);
    const auto code = code_of(result);
    // SQLite calls only a write that met ENOSPC a full disk. A write that met a quota, or a file of shared memory that could
    // not grow, left nothing behind either; a sync that failed may have.
    const int reason = sqlite3_system_errno(db);
    const bool nothing_written =
        result == SQLITE_IOERR_WRITE || result == SQLITE_IOERR_SHMSIZE || result == SQLITE_IOERR_SHMOPEN;
    const bool full = code == Errc::no_space || (nothing_written && (reason == ENOSPC || reason == EDQUOT));
    if (full) return {Errc::no_space, std::string(said_by) + "the disk is full", true};
    return {code, std::string(said_by) + sqlite3_errmsg(db), true};
}

Status execute(sqlite3* db, const std::string& sql) {
    if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error_of(db));
    return {};
}

Result<std::int64_t> query_integer(sqlite3* db, const char* sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db, sql, -1, &raw, nullptr) != SQLITE_OK) return fail(error_of(db));
    const int stepped = sqlite3_step(raw);
    const auto value = stepped == SQLITE_ROW ? sqlite3_column_int64(raw, 0) : 0;
    const auto error = stepped == SQLITE_ROW ? Error{} : error_of(db);
    sqlite3_finalize(raw);
    if (stepped != SQLITE_ROW) return fail(error);
    return value;
}

Result<BareDatabase> open_bare(const std::string& path) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
    BareDatabase db(raw);
    if (opened != SQLITE_OK) return fail(Errc::io, path + ": " + sqlite3_errstr(opened));
    return db;
}

Connection::~Connection() {
    for (const auto& [sql, statement] : idle) sqlite3_finalize(statement);
    // Fails only with statements still open, which is a bug of their holder: the handle then lives on until they go.
    sqlite3_close_v2(db);
}

std::int64_t Row::integer(int column) const { return sqlite3_column_int64(raw_, column); }
std::string Row::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw_, column));
    return text == nullptr ? std::string() : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(raw_, column)));
}
bool Row::null(int column) const { return sqlite3_column_type(raw_, column) == SQLITE_NULL; }
std::optional<std::int64_t> Row::maybe_integer(int column) const {
    if (null(column)) return std::nullopt;
    return integer(column);
}
std::optional<std::string> Row::maybe_text(int column) const {
    if (null(column)) return std::nullopt;
    return text(column);
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      raw_(std::exchange(other.raw_, nullptr)),
      next_(other.next_),
      bound_(other.bound_),
      nul_(other.nul_) {}

Statement::~Statement() {
    if (raw_ == nullptr) return;
    sqlite3_reset(raw_);  // repeats the error of the last step, which its caller has
    sqlite3_clear_bindings(raw_);
    connection_->idle.emplace(sqlite3_sql(raw_), raw_);
}

void Statement::note(int result) {
    if (bound_ == SQLITE_OK) bound_ = result;
    ++next_;
}
void Statement::bind_next(std::int64_t value) { note(sqlite3_bind_int64(raw_, next_, value)); }
void Statement::bind_next(std::string_view value) {
    nul_ = nul_ || value.find('\0') != std::string_view::npos;
    // An empty view may have no address, which would bind NULL.
    note(sqlite3_bind_text64(raw_, next_, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::bind_next(std::nullopt_t) { note(sqlite3_bind_null(raw_, next_)); }

Result<std::optional<Row>> Statement::step() {
    if (nul_) return fail(Errc::invalid_argument, "a text with a NUL character is not stored");
    if (bound_ != SQLITE_OK) return fail(Errc::internal, std::string("database: binding failed: ") + sqlite3_errstr(bound_));
    switch (sqlite3_step(raw_)) {
        case SQLITE_ROW:
            return Row(raw_);
        case SQLITE_DONE:
            return std::nullopt;
        default:
            return fail(error_of(connection_->db));
    }
}

Result<int> Statement::run() {
    auto done = step();
    if (!done) return fail(done.error());
    if (*done) return fail(Errc::internal, "database: rows where none were expected");
    return sqlite3_changes(connection_->db);
}

Status Statement::each(const std::function<void(const Row&)>& visit) {
    for (;;) {
        auto row = step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        visit(**row);
    }
}

Result<Statement> Db::prepare(std::string_view sql) {
    auto& c = *connection_;
    std::string text(sql);
    if (auto found = c.idle.find(text); found != c.idle.end()) {
        Statement statement(c, found->second);
        c.idle.erase(found);
        return statement;
    }
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v3(c.db, text.c_str(), static_cast<int>(text.size()) + 1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
        SQLITE_OK)
        return fail(error_of(c.db));
    return Statement(c, raw);
}

}  // namespace orchd::store
