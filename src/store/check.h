// Whether the whole file is sound.
#pragma once

#include <string>
#include <vector>

#include "store/db.h"

namespace orchd::store {

// Reads every page: SQLite's integrity check, CHECK constraints included, and the foreign keys. Empty where all is well; each
// problem otherwise in SQLite's words, a hundred at most of either kind.
[[nodiscard]] Result<std::vector<std::string>> integrity_problems(Db& db);

}  // namespace orchd::store
