// A tracker's verdict that came before there was anything to judge (R05): never a verdict, but told to whoever is asked then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/words.h"
#include "store/db.h"

namespace orchd::store {

struct EarlyWord {
    std::string project = {}, work_item = {};
    Colour colour = Colour::green;  // or red
    std::string by = {};
    std::int64_t at = 0;  // of the item's change in the tracker
};
// The newest of each work item stays; of two of one moment the red one. Whether it is that.
[[nodiscard]] Result<bool> put_early_word(Tx& tx, const EarlyWord& word);
[[nodiscard]] Result<std::optional<EarlyWord>> find_early_word(Db& db, const std::string& work_item);
// Somebody has judged.
[[nodiscard]] Status forget_early_word(Tx& tx, const std::string& work_item);

}  // namespace orchd::store
