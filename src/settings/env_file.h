// The file that units take variables from, as systemd reads it (EnvironmentFile= in systemd.exec(5)): so no process has another
// value than the one that the manager would hand it.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"

namespace orchd::settings {

struct Variable {
    std::string name, value;
    std::string where;  // "FILE:LINE" of its name, or "environment"
};

// NAME=value, one a line; values in quotes may have line ends, a backslash at a line's end goes on in the next line. A missing
// file is an empty one, as for the units; so is one without a name.
[[nodiscard]] Result<std::vector<Variable>> read_env_file(const std::string& file);

}  // namespace orchd::settings
