// A tracker's word on an analysis that was not there to be judged, as people are told of it when they are asked (R05).
#pragma once

#include <string>

#include "store/db.h"

namespace orchd::engine {

// One sentence that names it; empty where there is none.
[[nodiscard]] Result<std::string> early_word_text(store::Db& db, const std::string& work_item);

}  // namespace orchd::engine
