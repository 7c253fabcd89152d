// orchd-maintenance.service: one maintenance pass, if one is due. Started by its timer.
#include "core/names.h"
#include "daemons/command_line.h"
#include "daemons/world.h"
#include "engine/maintain.h"
#include "host/log.h"

namespace {

using namespace orchd;

int maintain(const daemons::Arguments& arguments) {
    const auto owned = daemons::OwnedWorld::open({.actor = "maintenance", .units = true});
    if (!owned) return daemons::exit_status(fail(owned.error()));
    auto& world = (*owned)->world();
    if (!arguments.flag) {
        if (!world.settings.maintenance_enabled) return 0;
        const auto due = engine::maintenance_due(world);
        if (!due) return daemons::exit_status(fail(due.error()));
        if (!*due) return 0;
    }
    const auto done = engine::maintain(world);
    if (!done) return daemons::exit_status(fail(done.error()));
    host::log(host::Level::info,
              "maintenance: backup " + (done->backup.empty() ? "none" : done->backup) + "; forgotten: " +
                  std::to_string(done->events) + " events, " + std::to_string(done->deliveries) + " deliveries, " +
                  std::to_string(done->posts) + " posts; removed: " + std::to_string(done->releases) + " releases, " +
                  std::to_string(done->run_folders) + " run folders, " + std::to_string(done->states) + " state directories, " +
                  std::to_string(done->branches) + " branches; packed: " + std::to_string(done->mirrors) + " mirrors");
    return done->failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    return daemons::run_program(
        {.name = "orchd-maintenance",
         .about = "Backs the database up, forgets what is past its retention, and cleans up. Started by "
                  "orchd-maintenance.timer; does nothing until maintenance_interval_s has passed.",
         .flag = "--now",
         .flag_about = "do it whenever the last pass was, and even where maintenance_enabled is false",
         .user = names::service_user},
        argc, argv, maintain);
}
