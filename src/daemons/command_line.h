// The command line of a unit's program: the work item where it has one, a flag of its own where it has one, --help, --version.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orchd::daemons {

struct CommandLine {
    std::string_view name, about;
    bool takes_work_item = false;
    std::string_view flag = {}, flag_about = {};  // "--undo"
    std::string_view user = {};                   // as whom it works where root starts it; empty: as whoever starts it
    int status_of_bugs = 1;                       // what the process ends with where it throws
};
struct Arguments {
    std::string work_item;
    bool flag = false;
};
// The arguments, or the status to end with at once: 0 after --help and --version, 2 after bad usage.
[[nodiscard]] tl::expected<Arguments, int> parse(const CommandLine& line, int argc, const char* const* argv);

// A main: the arguments' status, or that of `work`, done as the user of the command line. What that throws is told to the
// journal.
[[nodiscard]] int run_program(const CommandLine& line, int argc, const char* const* argv,
                              const std::function<int(const Arguments&)>& work);

// What a main ends with: 0, or 1 with the error in the journal.
[[nodiscard]] int exit_status(const Status& status);

}  // namespace orchd::daemons
