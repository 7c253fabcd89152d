// orchd-reaper.service: one pass over what lives, started by orchd-reaper.timer or org.orchd1's Reap().
#include "core/names.h"
#include "daemons/command_line.h"
#include "daemons/world.h"
#include "engine/runs.h"
#include "host/log.h"

namespace {

using namespace orchd;

Status one_pass(engine::World& world) {
    if (!world.settings.reaper_enabled) {
        host::log(host::Level::info, "the reaper is switched off (reaper_enabled): nothing was looked at");
        return {};
    }
    const auto done = engine::reap(world);
    if (!done) return fail(done.error());
    if (done->elsewhere) host::log(host::Level::info, "the worker makes a pass just now: there is nothing to add to it");
    if (const auto text = engine::describe(*done); !text.empty()) host::log(host::Level::notice, "reaped: " + text);
    world.wake();
    world.poke_events();
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    return daemons::run_program(
        {.name = "orchd-reaper",
         .about = "Makes one pass over what runs and puts right what died. Started by orchd-reaper.timer.",
         .user = names::service_user},
        argc, argv, [](const daemons::Arguments&) {
            const auto owned = daemons::OwnedWorld::open({.actor = "reaper", .units = true});
            if (!owned) return daemons::exit_status(fail(owned.error()));
            return daemons::exit_status(one_pass((*owned)->world()));
        });
}
