// orchd-deploy-run: inside orchd-deploy@TASK.service.
#include "daemons/command_line.h"
#include "daemons/launch.h"

int main(int argc, char** argv) {
    using namespace orchd;
    return daemons::run_program({.name = "orchd-deploy-run",
                                 .about = "Calls a project's deploy hook. Started by orchd-deploy@.service.",
                                 .status_of_bugs = names::exit_not_set_up},
                                argc, argv, [](const daemons::Arguments&) -> int {
                                    daemons::end_as(daemons::launch_deploy(daemons::paths_of_unit()));
                                });
}
