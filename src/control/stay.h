// How long org.orchd1 stays on the bus, and how it leaves without losing a call.
#pragma once

#include <chrono>
#include <cstdint>

#include "control/service.h"
#include "core/error.h"
#include "host/systemd.h"

namespace orchd::control {

// Runs the loop until nobody has called for `idle` and nobody is subscribed, or until SIGTERM or SIGINT. Then tells the service
// manager, gives the bus name back, and answers what is still on its way until the bus confirms that nothing more can come: a
// call made meanwhile reaches either this process or the next one.
class Stay {
public:
    Stay(sd_bus& bus, sd_event& event, const Service& service, std::chrono::microseconds idle)
        : bus_(bus), event_(event), service_(service), idle_(idle) {}
    Stay(const Stay&) = delete;

    // Takes the bus name and serves. An error if the name is another's or the bus is lost.
    [[nodiscard]] Status serve();

private:
    static int called(sd_bus_message* message, void* self, sd_bus_error*);
    static int asked_to_end(sd_event_source*, const signalfd_siginfo*, void* self);
    static int name_changed(sd_bus_message* message, void* self, sd_bus_error*);
    [[nodiscard]] Status prepare();
    [[nodiscard]] Status turn();
    [[nodiscard]] Status leave();
    [[nodiscard]] std::chrono::microseconds now() const;
    sd_bus& bus_;
    sd_event& event_;
    const Service& service_;
    std::chrono::microseconds idle_;
    std::chrono::microseconds last_call_{0};
    bool asked_to_end_ = false, leaving_ = false, nameless_ = false;
    host::Slot calls_, names_;
    host::Source terminate_, interrupt_;
};

}  // namespace orchd::control
