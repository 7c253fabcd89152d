// Events of the history, one a line.
#pragma once

#include <string>

#include "orchctl/record.h"

namespace orchd::orchctl {

// "2026-11-21 22:53:50  HELLO-1  stage_changed  from=review to=testing  (step)", from a row of ListEvents or GetTask.
[[nodiscard]] std::string event_line(const Record& event, bool colours);

}  // namespace orchd::orchctl
