// orchd-finish-{ok,fail}@TASK.service and orchd-deploy-{ok,fail}@TASK.service: records the end of a run or deploy and goes on
// from there. systemd hands the end over in $MONITOR_*.
#include <cstdlib>

#include "daemons/command_line.h"
#include "daemons/world.h"
#include "engine/runs.h"

namespace {

using namespace orchd;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

int finish(const daemons::Arguments& arguments) {
    const auto owned = daemons::OwnedWorld::open({.actor = "finish", .ends_work = true, .git = settings::GitUser::finish});
    if (!owned) return daemons::exit_status(fail(owned.error()));
    const engine::Monitor monitor{.service_result = variable("MONITOR_SERVICE_RESULT"),
                                  .exit_code = variable("MONITOR_EXIT_CODE"),
                                  .exit_status = variable("MONITOR_EXIT_STATUS"),
                                  .invocation_id = variable("MONITOR_INVOCATION_ID"),
                                  .unit = variable("MONITOR_UNIT")};
    return daemons::exit_status(engine::finish((*owned)->world(), arguments.work_item, monitor));
}

}  // namespace

int main(int argc, char** argv) {
    return daemons::run_program(
        {.name = "orchd-finish",
         .about = "Records the end of a work item's run. Started by orchd-finish-ok@.service and its like.",
         .takes_work_item = true},
        argc, argv, finish);
}
