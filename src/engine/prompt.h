// What an agent is told (R33): the text of its role, the task, why it is worked again, where things are, and what its stage
// asks of it, as the gate will judge it.
#pragma once

#include <string>

#include "core/error.h"
#include "settings/project.h"
#include "store/records.h"

namespace orchd::engine {

// Errc::io where the role's own text cannot be read.
[[nodiscard]] Result<std::string> prompt_of(const store::Task& task, Role role, const settings::Worker& worker);

}  // namespace orchd::engine
