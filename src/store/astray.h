// What senders tell of repositories that no project has: one row each, however often.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/db.h"

namespace orchd::store {

struct Astray {
    std::string source = {};      // the address: "gitea", "gitea/PROJECT"
    std::int64_t repository = 0;  // the forge's id; 0 where it was not told
    std::string name = {};        // "acme/app"
    std::int64_t first_at = 0, last_at = 0, n = 0;
};
// One more; what is on record then.
[[nodiscard]] Result<Astray> note_astray(Tx& tx, const std::string& source, std::int64_t repository, const std::string& name,
                                         std::int64_t at);
// The newest first.
[[nodiscard]] Result<std::vector<Astray>> list_astray(Db& db, int at_most);
// Those that told nothing since; how many went.
[[nodiscard]] Result<int> forget_astray(Tx& tx, std::int64_t silent_since);

}  // namespace orchd::store
