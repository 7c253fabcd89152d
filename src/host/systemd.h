// systemd over the system bus: engine::Units by sd-bus and cgroup files, and the event loop's parts of a daemon.
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/liveness.h"

namespace orchd::host {

struct BusDelete {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct EventDelete {
    void operator()(sd_event* event) const { sd_event_unref(event); }
};
struct SlotDelete {
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
struct SourceDelete {
    void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};
using Bus = std::unique_ptr<sd_bus, BusDelete>;
using Event = std::unique_ptr<sd_event, EventDelete>;
using Slot = std::unique_ptr<sd_bus_slot, SlotDelete>;
using Source = std::unique_ptr<sd_event_source, SourceDelete>;

[[nodiscard]] Result<Bus> open_system_bus();

// Sees a unit by its cgroup (xattr user.invocation_id, cgroup.events) and, for pending jobs and states between, by the manager.
class Manager {
public:
    explicit Manager(sd_bus& bus) : bus_(bus) {}
    [[nodiscard]] Status start(const std::string& unit);
    [[nodiscard]] Status stop(const std::string& unit);  // waits until inactive, no job, cgroup empty
    struct Limits {
        std::uint64_t memory_bytes = 0;
        std::int64_t tasks_max = 0, cpu_percent = 0;
    };
    [[nodiscard]] Status set_limits(const std::string& unit, const Limits& limits);
    [[nodiscard]] Status clean(const std::string& unit);
    [[nodiscard]] UnitSeen see(const std::string& unit);
    [[nodiscard]] Result<std::vector<std::string>> active(const std::vector<std::string>& patterns);
    // Calls back with the unit's name whenever a unit of ours was removed by the manager or its job ended (Subscribe,
    // UnitRemoved, JobRemoved).
    [[nodiscard]] Result<std::vector<Slot>> watch(std::function<void(const std::string& unit)> gone);

private:
    sd_bus& bus_;
};

}  // namespace orchd::host
