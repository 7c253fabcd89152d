// A process's World, put together from the host: settings and projects from /etc/orchd, the database, the system bus.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemons/systemd_units.h"
#include "engine/ports.h"
#include "host/systemd.h"

namespace orchd::daemons {

struct OwnedWorldOptions {
    std::string actor;  // for events
    store::Mode mode = store::Mode::read_write;
    bool units = false;  // whether systemd is asked or told anything
};

// Owns all that its World refers to.
class OwnedWorld {
public:
    // Settings that are wrong are Errc::invalid_argument; wrong project files are in the projects' problems.
    [[nodiscard]] static Result<std::unique_ptr<OwnedWorld>> open(const OwnedWorldOptions& options);
    OwnedWorld(const OwnedWorld&) = delete;

    [[nodiscard]] engine::World& world() { return *world_; }
    [[nodiscard]] sd_bus* bus() { return bus_.get(); }  // null without `units`
    // Reads settings and projects again if one of their files changed. True if what is in force changed; settings that are
    // wrong leave the last good ones in force, and are told once.
    bool refresh();

private:
    OwnedWorld(store::Db db, host::Bus bus, const settings::Settings& settings, std::string read_at);
    store::Db db_;
    host::Bus bus_;
    std::optional<SystemdUnits> units_;
    settings::Settings settings_;
    settings::Projects projects_;
    std::string fingerprint_;  // of the files as they were read
    std::optional<engine::World> world_;
};

}  // namespace orchd::daemons
