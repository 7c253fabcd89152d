// A process's World, put together from the host: settings and projects from /etc/orchd, the database, the system bus.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemons/systemd_units.h"
#include "engine/ports.h"
#include "host/systemd.h"
#include "settings/budgets.h"
#include "settings/reading.h"

namespace orchd::daemons {

struct OwnedWorldOptions {
    std::string actor;  // for events
    store::Mode mode = store::Mode::read_write;
    bool units = false;  // whether systemd is asked or told anything
    // Whether it writes the good settings down for all others, and raises the alert where they are wrong: the worker.
    bool keeps_settings = false;
    // Whether it ends what began by a project's last good file: it does not need that to be right now.
    bool ends_work = false;
    // Whether it can do with the defaults where there are no good settings: who only answers.
    bool without_settings = false;
    std::optional<settings::GitUser> git = {};  // its budget of git; none: each call's own limit alone
};

// Owns all that its World refers to.
class OwnedWorld {
public:
    // Settings that are wrong, of which no good ones are on record, are Errc::invalid_argument; wrong project files are in the
    // projects' problems. What is wrong is told to the journal.
    [[nodiscard]] static Result<std::unique_ptr<OwnedWorld>> open(const OwnedWorldOptions& options);
    OwnedWorld(const OwnedWorld&) = delete;

    [[nodiscard]] engine::World& world() { return *world_; }
    [[nodiscard]] sd_bus* bus() { return bus_.get(); }  // null without `units`
    // Reads settings and projects again if one of their files changed. True if it did; settings that are wrong leave the last
    // good ones in force, and are told once.
    bool refresh();

private:
    OwnedWorld(store::Db db, host::Bus bus, const OwnedWorldOptions& options, settings::Reading reading, std::string read_at);
    void write_down();  // where this is the worker
    OwnedWorldOptions options_;
    store::Db db_;
    host::Bus bus_;
    std::optional<SystemdUnits> units_;
    settings::Reading reading_;
    std::string fingerprint_;  // of the files as they were read
    std::optional<engine::World> world_;
};

}  // namespace orchd::daemons
