#include "store/check.h"

#include "store/query.h"

namespace orchd::store {

Result<std::vector<std::string>> integrity_problems(Db& db) {
    auto problems = list_rows(db, "PRAGMA integrity_check(100)", [](const Row& row) { return row.text(0); });
    if (!problems) return fail(problems.error());
    std::erase(*problems, "ok");
    const auto orphans =
        list_rows(db, "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 100", [](const Row& row) {
            return "row " + row.text(1) + " of " + row.text(0) + " refers to a row of " + row.text(2) + " that is not there";
        });
    if (!orphans) return fail(orphans.error());
    problems->insert(problems->end(), orphans->begin(), orphans->end());
    return *problems;
}

}  // namespace orchd::store
