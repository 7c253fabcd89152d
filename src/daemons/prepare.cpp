// orchd-prepare@TASK.service: makes a run ready, and clears up after it when the unit stops.
#include "core/names.h"
#include "daemons/command_line.h"
#include "daemons/world.h"
#include "engine/runs.h"

int main(int argc, char** argv) {
    using namespace orchd;
    return daemons::run_program({.name = "orchd-prepare",
                                 .about = "Prepares the claimed run of a work item. Started by orchd-prepare@.service.",
                                 .takes_work_item = true,
                                 .flag = "--undo",
                                 .flag_about = "take away what was laid for the run",
                                 .user = names::service_user},
                                argc, argv, [](const daemons::Arguments& arguments) {
                                    if (arguments.flag) {
                                        engine::unprepare(engine::host_paths(), arguments.work_item);
                                        return 0;
                                    }
                                    const auto owned = daemons::OwnedWorld::open(
                                        {.actor = "prepare", .ends_work = true, .git = settings::GitUser::prepare});
                                    if (!owned) return daemons::exit_status(fail(owned.error()));
                                    return daemons::exit_status(engine::prepare((*owned)->world(), arguments.work_item));
                                });
}
