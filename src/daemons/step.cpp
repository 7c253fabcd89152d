// orchd-step@TASK.service: performs the task's running advance.
#include <unistd.h>

#include "core/names.h"
#include "daemons/command_line.h"
#include "daemons/world.h"
#include "engine/advance.h"
#include "host/host.h"

int main(int argc, char** argv) {
    using namespace orchd;
    return daemons::run_program({.name = "orchd-step",
                                 .about = "Advances a work item by one transition. Started by orchd-step@.service.",
                                 .takes_work_item = true,
                                 .user = names::service_user},
                                argc, argv, [](const daemons::Arguments& arguments) {
                                    const auto owned = daemons::OwnedWorld::open(
                                        {.actor = "step", .units = true, .ends_work = true, .git = settings::GitUser::step});
                                    if (!owned) return daemons::exit_status(fail(owned.error()));
                                    const store::LeaseOwner self{.unit = host::own_unit(),
                                                                 .invocation_id = host::own_invocation(),
                                                                 .boot_id = host::now().boot_id,
                                                                 .pid = ::getpid()};
                                    return daemons::exit_status(engine::advance((*owned)->world(), arguments.work_item, self));
                                });
}
