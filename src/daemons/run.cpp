// orchd-run: inside orchd-agent@TASK.service, and with --bundle its ExecStopPost=.
#include "daemons/command_line.h"
#include "daemons/launch.h"

int main(int argc, char** argv) {
    using namespace orchd;
    return daemons::run_program({.name = "orchd-run",
                                 .about = "Runs the command of one run in its clone. Started by orchd-agent@.service.",
                                 .flag = "--bundle",
                                 .flag_about = "write what the run committed into a bundle, after its end",
                                 .status_of_bugs = names::exit_not_set_up},
                                argc, argv, [](const daemons::Arguments& arguments) {
                                    const auto paths = daemons::paths_of_unit();
                                    if (arguments.flag) return daemons::bundle_run(paths);
                                    daemons::end_as(daemons::launch_run(paths));
                                });
}
