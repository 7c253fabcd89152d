// The three shapes of a question, for the families of tables; private to the store.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/enum_text.h"
#include "store/db.h"

namespace orchd::store {

// How many rows the statement changed.
template <class... Args>
[[nodiscard]] Result<int> change(Db& db, std::string_view sql, const Args&... args) {
    auto statement = db.prepare(sql);
    if (!statement) return fail(statement.error());
    return statement->bind(args...).run();
}

// change(), where the count says nothing.
template <class... Args>
[[nodiscard]] Status write_rows(Db& db, std::string_view sql, const Args&... args) {
    auto changed = change(db, sql, args...);
    if (!changed) return fail(changed.error());
    return {};
}

// Whether exactly the expected row was there to be changed.
template <class... Args>
[[nodiscard]] Result<bool> change_one(Db& db, std::string_view sql, const Args&... args) {
    return change(db, sql, args...).map([](int changed) { return changed == 1; });
}

// The first row, as `read` makes it.
template <class Read, class... Args>
[[nodiscard]] auto find_row(Db& db, std::string_view sql, Read read, const Args&... args)
    -> Result<std::optional<std::invoke_result_t<Read, const Row&>>> {
    auto statement = db.prepare(sql);
    if (!statement) return fail(statement.error());
    auto row = statement->bind(args...).step();
    if (!row) return fail(row.error());
    if (!*row) return std::nullopt;
    return read(**row);
}

template <class Read, class... Args>
[[nodiscard]] auto list_rows(Db& db, std::string_view sql, Read read, const Args&... args)
    -> Result<std::vector<std::invoke_result_t<Read, const Row&>>> {
    auto statement = db.prepare(sql);
    if (!statement) return fail(statement.error());
    std::vector<std::invoke_result_t<Read, const Row&>> rows;
    auto read_all = statement->bind(args...).each([&](const Row& row) { rows.push_back(read(row)); });
    if (!read_all) return fail(read_all.error());
    return rows;
}

[[nodiscard]] inline std::int64_t first_integer(const Row& row) { return row.integer(0); }

// A stored word. The schema's CHECKs admit only words of the table.
template <class E>
[[nodiscard]] E word(const Row& row, int column) {
    return from_text<E>(row.text(column)).value_or(E{});
}

}  // namespace orchd::store
