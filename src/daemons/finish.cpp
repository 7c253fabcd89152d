// orchd-finish-{ok,fail}@TASK.service and orchd-deploy-{ok,fail}@TASK.service: records the end of a run or deploy and goes on
// from there. systemd hands the end over in $MONITOR_*.
#include <unistd.h>
#include <array>
#include <cstdlib>

#include "core/names.h"
#include "daemons/command_line.h"
#include "daemons/world.h"
#include "engine/runs.h"
#include "host/log.h"

namespace {

using namespace orchd;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

Status try_once(const std::string& work_item) {
    const auto owned = daemons::OwnedWorld::open({.actor = "finish", .ends_work = true, .git = settings::GitUser::finish});
    if (!owned) return fail(owned.error());
    const engine::Monitor monitor{.service_result = variable("MONITOR_SERVICE_RESULT"),
                                  .exit_code = variable("MONITOR_EXIT_CODE"),
                                  .exit_status = variable("MONITOR_EXIT_STATUS"),
                                  .invocation_id = variable("MONITOR_INVOCATION_ID"),
                                  .unit = variable("MONITOR_UNIT")};
    return engine::finish((*owned)->world(), work_item, monitor);
}

// Whatever goes wrong with an end is put on record, and then recovery says when it is tried again. What comes back from there
// as an error could not be put on record either: the database or the settings cannot be read or written. Nobody but this
// process knows how the run ended, so it waits for them, and its unit starts it anew after that.
int finish(const daemons::Arguments& arguments) {
    constexpr std::array seconds{1U, 2U, 4U, 8U, 16U, 32U};
    for (const auto wait : seconds) {
        const auto done = try_once(arguments.work_item);
        if (done) return 0;
        const auto& error = done.error();
        // There is nothing to record, or only a newer program can.
        if (error.code == Errc::no_such || error.code == Errc::too_new) return daemons::exit_status(done);
        host::log(host::Level::error,
                  "Nothing can be put on record of the end of " + arguments.work_item + "'s run, which is tried again in " +
                      std::to_string(wait) + " s: " + error.text,
                  {{"ORCHD_TASK", arguments.work_item}, {"MESSAGE_ID", std::string(names::msg_alert)}});
        ::sleep(wait);
    }
    return daemons::exit_status(try_once(arguments.work_item));
}

}  // namespace

int main(int argc, char** argv) {
    return daemons::run_program(
        {.name = "orchd-finish",
         .about = "Records the end of a work item's run. Started by orchd-finish-ok@.service and its like.",
         .takes_work_item = true,
         .user = names::service_user},
        argc, argv, finish);
}
