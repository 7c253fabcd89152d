// The mark of a database: a small file beside it that says which database is to be there, and which ids it has given out at
// least. By it a database that was lost, or in whose place another or an older copy was put, is told from a first start;
// private to the store.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/error.h"

struct sqlite3;

namespace orchd::store {

using Sequences = std::map<std::string, std::int64_t>;  // the last id that was given out, by table

struct Mark {
    std::string id;  // settings_state "database_id"; empty in a database of before there was one
    Sequences given_out;
    // What the file itself had come to at a checkpoint, whatever lies in its WAL: one of before that does not belong under it.
    Sequences in_file;
    bool operator==(const Mark&) const = default;
};

// DIRECTORY/.NAME-mark: who removes NAME and what begins so, or all that a "*" names, leaves it.
[[nodiscard]] std::string mark_path(const std::string& database);
// Nothing where there is none. One that cannot be understood says only that there was a database.
[[nodiscard]] Result<std::optional<Mark>> read_mark(const std::string& database);
// Whole and on disk, or the one that was there before.
[[nodiscard]] Status write_mark(const std::string& database, const Mark& mark);
[[nodiscard]] Status remove_mark(const std::string& database);

// What the open database is known by now; an empty one where it has no tables.
[[nodiscard]] Result<Mark> mark_of(sqlite3* db);
// What the file has come to without its WAL; `vfs` as in OpenOptions. It is read as it lies there: while somebody makes a
// checkpoint, which the checkpoint lock tells, it may be neither old nor new.
[[nodiscard]] Result<Sequences> sequences_in_file(const std::string& database, const std::string& vfs);
// Brings the mark beside `database` up to what is open, and to `in_file`: it is never behind what it was, and is written only
// if it changes.
[[nodiscard]] Status keep_mark(sqlite3* db, const std::string& database, const Sequences& in_file = {});

// Whether the second may come from the first: the same database, as far as both are known.
[[nodiscard]] bool same_database(const Mark& one, const Mark& other);
// Whether `one` would give ids again that `other` knows to be given out.
[[nodiscard]] bool is_behind(const Sequences& one, const Sequences& other);
// The greater of both for each table.
[[nodiscard]] Sequences both(Sequences one, const Sequences& other);

}  // namespace orchd::store
