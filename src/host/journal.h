// Reading the journal.
#pragma once

#include <string>

namespace orchd::host {

// The last line that a unit said under this invocation id, and not its launcher or its manager of it; empty where there is none
// or the journal may not be read here.
[[nodiscard]] std::string last_line_of(const std::string& invocation_id);

}  // namespace orchd::host
