// What the end of a try says of the runs to come.
#pragma once

#include <string>

#include "settings/settings.h"

namespace orchd::orchctl {

// Of a service that ended with systemd's word `result` and, where it exited, this exit status: the rest of a sentence about the
// check, such as "is red: it ended with exit status 3". Empty where a run that ends so would be green.
[[nodiscard]] std::string problem_of_end(const std::string& result, int status);
// Of a build that ended well, in whose state folder a release is to be.
[[nodiscard]] std::string problem_of_release(const std::string& left_dir, const settings::Settings& settings);

}  // namespace orchd::orchctl
