#include "control/stay.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "control/message.h"
#include "core/names.h"

namespace orchd::control {
namespace {

using std::chrono::microseconds;
const std::string bus_name(names::bus_name);

}  // namespace

Status Stay::serve() {
    if (auto prepared = prepare(); !prepared) return prepared;
    if (auto named = checked(sd_bus_request_name(&bus_, bus_name.c_str(), 0), "taking the name " + bus_name); !named)
        return named;
    last_call_ = now();
    while (!nameless_ || !service_.answered())
        if (auto turned = turn(); !turned) return turned;
    return {};
}

Status Stay::prepare() {
    sd_bus_slot* slot = nullptr;
    auto filtered = checked(sd_bus_add_filter(&bus_, &slot, &Stay::called, this), "watching calls");
    calls_.reset(slot);
    if (!filtered) return filtered;
    const auto on_signal = [&](int number, host::Source& keep) {
        sd_event_source* source = nullptr;
        auto added =
            checked(sd_event_add_signal(&event_, &source, number | SD_EVENT_SIGNAL_PROCMASK, &Stay::asked_to_end, this),
                    "watching signals");
        keep.reset(source);
        return added;
    };
    if (auto added = on_signal(SIGTERM, terminate_); !added) return added;
    if (auto added = on_signal(SIGINT, interrupt_); !added) return added;
    const std::string rule =
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" +
        bus_name + "'";
    auto matched = checked(sd_bus_add_match(&bus_, &slot, rule.c_str(), &Stay::name_changed, this), "watching the name");
    names_.reset(matched ? slot : nullptr);
    return matched;
}

Status Stay::turn() {
    const bool busy = !service_.idle();
    if (busy) last_call_ = now();
    const auto left = std::max(last_call_ + idle_ - now(), microseconds::zero());
    if (!leaving_ && (asked_to_end_ || (!busy && left == microseconds::zero())))
        if (auto begun = leave(); !begun) return begun;
    const bool wait_for_event = leaving_ || busy;
    return checked(sd_event_run(&event_, wait_for_event ? UINT64_MAX : static_cast<std::uint64_t>(left.count())),
                   "the event loop");
}

Status Stay::leave() {
    leaving_ = true;
    // From here on the manager queues a start behind this instance's end instead of taking it for the one that serves.
    sd_notify(0, "STOPPING=1");
    return checked(sd_bus_release_name_async(&bus_, nullptr, bus_name.c_str(), nullptr, nullptr), "giving the name back");
}

microseconds Stay::now() const {
    std::uint64_t usec = 0;
    sd_event_now(&event_, CLOCK_MONOTONIC, &usec);
    return microseconds(usec);
}

int Stay::called(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& stay = *static_cast<Stay*>(self);
    if (sd_bus_message_is_method_call(message, nullptr, nullptr) > 0) stay.last_call_ = stay.now();
    return 0;
}

int Stay::asked_to_end(sd_event_source*, const signalfd_siginfo*, void* self) {
    static_cast<Stay*>(self)->asked_to_end_ = true;
    return 0;
}

int Stay::name_changed(sd_bus_message* message, void* self, sd_bus_error*) {
    const char *name = nullptr, *before = nullptr, *after = nullptr;
    auto& stay = *static_cast<Stay*>(self);
    if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0) return 0;
    const char* own = nullptr;
    sd_bus_get_unique_name(&stay.bus_, &own);
    if (own != nullptr && std::string_view(before) == own) stay.nameless_ = true;
    return 0;
}

}  // namespace orchd::control
