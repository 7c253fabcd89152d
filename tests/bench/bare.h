// What benchmarks are written with, and what claims and starts are compared to: the least that any queue on SQLite must do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "store/db.h"

namespace orchd::bench {

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text);
    return std::move(*result);
}
inline void must(const Status& status) {
    if (!status) throw std::runtime_error(status.error().text);
}

// A table n of the numbers from 1 to `count`, before a statement.
inline std::string numbers(int count) {
    return "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " + std::to_string(count) + ") ";
}

// A loop over a table of `count` rows in a database of its own, under the pragmas of ours.
class Bare {
public:
    Bare(const std::string& path, int count) : db_(must(store::Db::open(path, {.mode = store::Mode::create}))), count_(count) {
        must(
            db_.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, status TEXT, text TEXT);"
                        "CREATE TABLE bare_runs (id INTEGER PRIMARY KEY, bare INTEGER, text TEXT);" +
                        numbers(count) + "INSERT INTO bare SELECT n, 'queued', 'text of some length' FROM n"));
        must(db_.checkpoint());
    }
    // One synced transaction that changes so many rows and adds as many.
    int step(int rows) {
        must(db_.write([&](store::Tx& tx) -> Status {
            for (int row = 0; row < rows; ++row, ++next_) {
                auto changed =
                    must(tx.db().prepare("UPDATE bare SET status = 'running' WHERE id = ?")).bind(next_ % count_ + 1).run();
                if (!changed) return fail(changed.error());
                auto added = must(tx.db().prepare("INSERT INTO bare_runs (bare, text) VALUES (?, 'a unit')")).bind(next_).run();
                if (!added) return fail(added.error());
            }
            return {};
        }));
        return rows;
    }

private:
    store::Db db_;
    int count_, next_ = 1;
};

}  // namespace orchd::bench
