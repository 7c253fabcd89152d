// Signals from the event history: whoever commits events pokes a datagram socket; the service then reads what is new.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "control/objects.h"
#include "host/fd.h"
#include "host/systemd.h"
#include "store/records.h"

namespace orchd::control {

// What the changing properties of org.orchd1.Manager say.
struct Standing {
    bool paused = false;
    std::string pause_reason;
    int max_concurrency = 0, running = 0, queued = 0;
    friend bool operator==(const Standing&, const Standing&) = default;
};
[[nodiscard]] Result<Standing> standing(const engine::World& world);

class Signals {
public:
    Signals(sd_bus& bus, WorldSource world) : bus_(bus), world_(std::move(world)) {}
    Signals(const Signals&) = delete;

    // Binds the socket, then begins at the newest event, so that nothing committed from here on is missed. A database that
    // cannot be read yet is no error: the next catch_up begins.
    [[nodiscard]] Status listen(sd_event& event, const std::string& socket_path);
    // Tells what was committed since the last call: a signal for each event that has one, and PropertiesChanged,
    // InterfacesAdded and InterfacesRemoved for what they touched.
    [[nodiscard]] Status catch_up();

private:
    struct Touched {
        std::set<std::int64_t> tasks, new_tasks, ended_tasks, jobs, new_jobs, ended_jobs;
    };
    static int poked(sd_event_source*, int fd, std::uint32_t, void* self);
    [[nodiscard]] Status begin(const engine::World& world);
    void tell(store::Db& db, const store::Event& event, Touched& touched);
    void tell_objects(store::Db& db, const Touched& touched);
    [[nodiscard]] Status tell_standing(const engine::World& world);
    sd_bus& bus_;
    WorldSource world_;
    host::Fd socket_;
    host::Source source_;
    std::optional<std::int64_t> last_;  // the newest event that was told; nothing until the database could be read
    Standing told_;
};

}  // namespace orchd::control
