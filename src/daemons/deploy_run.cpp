// orchd-deploy-run: inside orchd-deploy@TASK.service.
#include "daemons/command_line.h"
#include "daemons/launch.h"

int main(int argc, char** argv) {
    using namespace orchd;
    const auto arguments = daemons::parse(
        {.name = "orchd-deploy-run", .about = "Calls a project's deploy hook. Started by orchd-deploy@.service."}, argc, argv);
    if (!arguments) return arguments.error();
    daemons::end_as(daemons::launch_deploy(daemons::paths_of_unit()));
}
