// org.orchd1 on a bus: the manager object, its callers' rights, its subscribers, the objects and the signals.
#pragma once

#include <memory>
#include <string>

#include "control/objects.h"
#include "control/polkit.h"
#include "control/signals.h"

namespace orchd::control {

class Service {
public:
    // `bus` and `world` outlive the service.
    Service(sd_bus& bus, WorldSource world);
    Service(const Service&) = delete;

    // Publishes the objects and listens for events. The bus name is the caller's to take, after this.
    [[nodiscard]] Status start(sd_event& event, const std::string& events_socket);
    // No call waits for polkit.
    [[nodiscard]] bool answered() const { return authority_.pending() == 0; }
    // Nor is anybody subscribed.
    [[nodiscard]] bool idle() const;

private:
    struct TrackDelete {
        void operator()(sd_bus_track* track) const { sd_bus_track_unref(track); }
    };
    static const sd_bus_vtable manager_table[];
    static int on_change(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_read(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_subscribe(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_unsubscribe(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_property(sd_bus*, const char*, const char*, const char* name, sd_bus_message* reply, void* self,
                           sd_bus_error* error);
    sd_bus& bus_;
    WorldSource world_;
    Authority authority_;
    Objects objects_;
    Signals signals_;
    std::unique_ptr<sd_bus_track, TrackDelete> subscribers_;
    host::Slot manager_;
};

}  // namespace orchd::control
