// systemd over the system bus, and a unit's cgroup: starting, stopping, limiting and seeing units. Errors: not_permitted
// (polkit), no_such (no such unit), unavailable (anything that may be different next time).
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/liveness.h"

namespace orchd::host {

struct BusDelete {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct MessageDelete {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
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
using Message = std::unique_ptr<sd_bus_message, MessageDelete>;
using Event = std::unique_ptr<sd_event, EventDelete>;
using Slot = std::unique_ptr<sd_bus_slot, SlotDelete>;
using Source = std::unique_ptr<sd_event_source, SourceDelete>;

[[nodiscard]] Result<Bus> open_system_bus();
// Sends all requests before it waits for the first reply; one reply or error a request, in order. Not from within a callback of
// this bus.
[[nodiscard]] std::vector<Result<Message>> call_all(sd_bus& bus, std::vector<Message> requests);

// Dispatches what comes over the bus until `done`, `wait_ms` at most; says whether it is. Error: unavailable, the bus is gone.
[[nodiscard]] Result<bool> process_until(sd_bus& bus, const std::function<bool()>& done, std::int64_t wait_ms);

struct Limits {  // 0 is the unit's own, as its file and its administrator's drop-ins say
    std::uint64_t memory_bytes = 0;
    std::int64_t tasks_max = 0, cpu_percent = 0;
};
struct LimitsOf {
    std::string unit;
    Limits limits;
};

// Blocks for as long as PID 1 takes to answer; where a list is given, one answer an entry. Used by one thread, not from within
// a callback of its bus.
class Manager {
public:
    explicit Manager(sd_bus& bus) : bus_(bus) {}
    // Queues starts, mode "fail": refused while the unit is being stopped.
    [[nodiscard]] std::vector<Status> start(const std::vector<std::string>& units);
    // Until the next boot. A limit that an earlier call set is taken back by 0.
    [[nodiscard]] std::vector<Status> set_limits(const std::vector<LimitsOf>& units);
    // Waits until the unit is inactive with no job and an empty cgroup, `wait_ms` at most: then Errc::unavailable.
    [[nodiscard]] Status stop(const std::string& unit, std::int64_t wait_ms = 1000);
    // Removes the state directory of an inactive unit, as `systemctl clean --what=state` does.
    [[nodiscard]] Status clean(const std::string& unit);
    // By its cgroup; the manager is asked only where that is not populated. Nothing loads the unit.
    [[nodiscard]] UnitSeen see(const std::string& unit) { return see_all({unit}).front(); }
    // Of many, in order; the manager is asked once.
    [[nodiscard]] std::vector<UnitSeen> see_all(const std::vector<std::string>& units);
    // Loaded units that match one of the patterns (shell's) and are neither inactive nor failed, or are about to start.
    [[nodiscard]] Result<std::vector<std::string>> active(const std::vector<std::string>& patterns);
    // How long after one pass a timer starts the next (OnUnitActiveSec=), in seconds; nothing where the unit is not installed.
    [[nodiscard]] Result<std::optional<std::int64_t>> timer_interval_s(const std::string& timer);
    // Calls `gone` with the name of each unit that the manager drops or that a job of its ended for, from within the bus's
    // dispatch, until the slots go.
    [[nodiscard]] Result<std::vector<Slot>> watch(const std::function<void(const std::string& unit)>& gone);

private:
    sd_bus& bus_;
};

}  // namespace orchd::host
