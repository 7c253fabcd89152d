#include "store/early_words.h"

#include "store/query.h"

namespace orchd::store {

Result<bool> put_early_word(Tx& tx, const EarlyWord& w) {
    return change_one(tx.db(),
                      "INSERT INTO early_words (project, work_item, colour, by, at) VALUES (?, ?, ?, ?, ?)"
                      " ON CONFLICT DO UPDATE SET colour = excluded.colour, by = excluded.by, at = excluded.at"
                      " WHERE (excluded.at, excluded.colour = 'red', excluded.by) > (at, colour = 'red', by)",
                      w.project, w.work_item, to_text(w.colour), w.by, w.at);
}

Result<std::optional<EarlyWord>> find_early_word(Db& db, const std::string& work_item) {
    return find_row(
        db, "SELECT project, work_item, colour, by, at FROM early_words WHERE work_item = ?",
        [](const Row& row) {
            return EarlyWord{.project = row.text(0),
                             .work_item = row.text(1),
                             .colour = word<Colour>(row, 2),
                             .by = row.text(3),
                             .at = row.integer(4)};
        },
        work_item);
}

Status forget_early_word(Tx& tx, const std::string& work_item) {
    return write_rows(tx.db(), "DELETE FROM early_words WHERE work_item = ?", work_item);
}

}  // namespace orchd::store
