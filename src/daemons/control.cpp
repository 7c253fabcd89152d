// orchd-control.service: org.orchd1 on the system bus.
#include "control/stay.h"
#include "daemons/command_line.h"
#include "daemons/settings_files.h"
#include "daemons/world.h"

#include "core/names.h"

namespace {

using namespace orchd;

// The world, opened when it is first needed: a database that is not there yet is told to each caller, and the next one tries
// again. Where there are no good settings it answers all the same: people ask it why nothing is begun.
class LazyWorld {
public:
    Result<engine::World*> operator()() {
        if (owned_ != nullptr) {
            owned_->refresh();
            return &owned_->world();
        }
        auto opened = daemons::OwnedWorld::open({.actor = "control", .units = true, .without_settings = true});
        if (!opened) return fail(opened.error());
        owned_ = std::move(*opened);
        return &owned_->world();
    }

private:
    std::unique_ptr<daemons::OwnedWorld> owned_;
};

std::chrono::seconds idle_time() { return std::chrono::seconds(daemons::read_settings().settings.control_idle_s); }

Status serve() {
    sd_event* loop = nullptr;
    if (auto made = control::checked(sd_event_new(&loop), "making an event loop"); !made) return made;
    const host::Event event(loop);
    auto bus = host::open_system_bus();
    if (!bus) return fail(bus.error());
    auto attached = control::checked(sd_bus_attach_event(bus->get(), loop, SD_EVENT_PRIORITY_NORMAL), "attaching the bus");
    if (!attached) return attached;
    sd_bus_set_exit_on_disconnect(bus->get(), 1);
    LazyWorld world;
    control::Service service(**bus, [&world] { return world(); });
    if (auto started = service.start(*loop, std::string(names::events_socket)); !started) return started;
    return control::Stay(**bus, *loop, service, idle_time()).serve();
}

}  // namespace

int main(int argc, char** argv) {
    return daemons::run_program({.name = "orchd-control", .about = "Serves org.orchd1 on the system bus. Started by the bus."},
                                argc, argv, [](const daemons::Arguments&) { return daemons::exit_status(serve()); });
}
