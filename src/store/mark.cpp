#include "store/mark.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "store/connection.h"
#include "store/files.h"

namespace orchd::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view id_word = "id";
constexpr std::string_view in_file_word = "file:";  // before the table's name
constexpr const char* find_id = "SELECT value FROM settings_state WHERE key = 'database_id'";

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using BareStatement = std::unique_ptr<sqlite3_stmt, Finalize>;

Result<BareStatement> compile(sqlite3* db, const char* sql) {
    sqlite3_stmt* raw = nullptr;
    const int compiled = sqlite3_prepare_v2(db, sql, -1, &raw, nullptr);
    BareStatement statement(raw);
    if (compiled != SQLITE_OK) return fail(error_of(db));
    return statement;
}

// As SQLite reads it: of a path, what means something in a URI is written as its number.
std::string uri_of(const std::string& path, const std::string& parameters) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string uri = "file:";
    for (const char c : path) {
        if (std::string_view("%?#").find(c) == std::string_view::npos) {
            uri += c;
            continue;
        }
        uri += '%';
        uri += digits[static_cast<unsigned char>(c) >> 4U];
        uri += digits[static_cast<unsigned char>(c) & 0xfU];
    }
    return uri + '?' + parameters;
}

std::string text_of(sqlite3_stmt* statement) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    return text == nullptr ? "" : text;
}

Result<Sequences> sequences_of(sqlite3* db) {
    auto statement = compile(db, "SELECT name, seq FROM sqlite_sequence");
    if (!statement) return fail(statement.error());
    Sequences sequences;
    int stepped = SQLITE_ROW;
    while ((stepped = sqlite3_step(statement->get())) == SQLITE_ROW)
        sequences[text_of(statement->get())] = sqlite3_column_int64(statement->get(), 1);
    if (stepped != SQLITE_DONE) return fail(error_of(db));
    return sequences;
}

std::string text_of(const Mark& mark) {
    std::string text;
    if (!mark.id.empty()) text = std::string(id_word) + ' ' + mark.id + '\n';
    for (const auto& [table, last] : mark.given_out) text += table + ' ' + std::to_string(last) + '\n';
    for (const auto& [table, last] : mark.in_file)
        text += std::string(in_file_word) + table + ' ' + std::to_string(last) + '\n';
    return text;
}

Status write_file(const std::string& path, const std::string& text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
    // Whatever the umask, for the group; a text so short is written at once.
    const bool written =
        ::fchmod(fd, 0640) == 0 && ::write(fd, text.data(), text.size()) == std::ssize(text) && ::fsync(fd) == 0;
    const int why = errno;
    ::close(fd);
    if (written) return {};
    ::unlink(path.c_str());
    return fail(why == ENOSPC || why == EDQUOT ? Errc::no_space : Errc::io, path + ": " + std::strerror(why));
}

}  // namespace

std::string mark_path(const std::string& database) {
    const fs::path path(database);
    return (path.parent_path() / ('.' + path.filename().string() + "-mark")).string();
}

Result<std::optional<Mark>> read_mark(const std::string& database) {
    const auto path = mark_path(database);
    std::ifstream in(path);
    if (!in) {
        const int why = errno;
        if (why == ENOENT) return std::nullopt;
        return fail(why == EACCES ? Errc::not_permitted : Errc::io, path + ": " + std::strerror(why));
    }
    Mark mark;
    for (std::string word, value; in >> word >> value;) {
        const auto last = std::strtoll(value.c_str(), nullptr, 10);
        if (word == id_word)
            mark.id = value;
        else if (word.starts_with(in_file_word))
            mark.in_file[word.substr(in_file_word.size())] = last;
        else
            mark.given_out[word] = last;
    }
    return mark;
}

Status write_mark(const std::string& database, const Mark& mark) {
    const auto path = mark_path(database);
    const auto unfinished = path + '.' + std::to_string(::getpid());
    if (auto written = write_file(unfinished, text_of(mark)); !written) return written;
    return rename_durably(unfinished, path);
}

Status remove_mark(const std::string& database) {
    const auto path = mark_path(database);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(Errc::io, path + ": " + std::strerror(errno));
    return sync_directory(fs::path(path).parent_path().string());
}

Result<Mark> mark_of(sqlite3* db) {
    const auto known =
        query_integer(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('settings_state', 'sqlite_sequence')");
    if (!known) return fail(known.error());
    if (*known != 2) return Mark{};
    auto given_out = sequences_of(db);
    if (!given_out) return fail(given_out.error());
    auto statement = compile(db, find_id);
    if (!statement) return fail(statement.error());
    const int stepped = sqlite3_step(statement->get());
    if (stepped != SQLITE_ROW && stepped != SQLITE_DONE) return fail(error_of(db));
    return Mark{stepped == SQLITE_ROW ? text_of(statement->get()) : std::string(), std::move(*given_out), {}};
}

Result<Sequences> sequences_in_file(const std::string& database, const std::string& vfs) {
    sqlite3* raw = nullptr;
    // Immutable: SQLite looks at no WAL, and takes no lock.
    const int opened = sqlite3_open_v2(uri_of(database, "immutable=1").c_str(), &raw,
                                       SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                       vfs.empty() ? nullptr : vfs.c_str());
    const BareDatabase file(raw);
    if (opened != SQLITE_OK) return fail(raw == nullptr ? Error{Errc::internal, "database: out of memory"} : error_of(raw));
    auto mark = mark_of(raw);
    if (!mark) return fail(mark.error());
    return std::move(mark->given_out);
}

Status keep_mark(sqlite3* db, const std::string& database, const Sequences& in_file) {
    const auto before = read_mark(database);
    if (!before) return fail(before.error());
    auto now = mark_of(db);
    if (!now) return fail(now.error());
    now->in_file = in_file;
    if (*before) {
        now->given_out = both(std::move(now->given_out), (*before)->given_out);
        now->in_file = both(std::move(now->in_file), (*before)->in_file);
        if (now->id.empty()) now->id = (*before)->id;
        if (*now == **before) return {};
    }
    return write_mark(database, *now);
}

bool same_database(const Mark& one, const Mark& other) { return one.id.empty() || other.id.empty() || one.id == other.id; }

bool is_behind(const Sequences& one, const Sequences& other) {
    return std::ranges::any_of(other, [&](const auto& entry) {
        const auto found = one.find(entry.first);
        return entry.second > (found == one.end() ? 0 : found->second);
    });
}

Sequences both(Sequences one, const Sequences& other) {
    for (const auto& [table, last] : other) one[table] = std::max(one[table], last);
    return one;
}

}  // namespace orchd::store
