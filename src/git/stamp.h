#pragma once

#include <optional>
#include <string>

#include "git/run_side.h"

namespace orchd::git {

// Of what stands there itself, whatever a link leads to; nothing where nothing does.
[[nodiscard]] std::optional<Stamp> stamp_of(const std::string& path);

}  // namespace orchd::git
