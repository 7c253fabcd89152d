// From the words of a command line to an exit status: 0 done, 1 refused or failed, 2 bad usage, 3 not found, 4 not permitted.
#pragma once

#include <string>
#include <vector>

namespace orchd::orchctl {

// Runs one command. `words` are without the program's name.
[[nodiscard]] int run(const std::vector<std::string>& words);
// What is wrong with words that do not parse, in one sentence with the nearest command or option; `fallback` where nothing
// better is known.
[[nodiscard]] std::string usage_problem(const std::vector<std::string>& words, const std::string& fallback);

}  // namespace orchd::orchctl
