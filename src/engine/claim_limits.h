// What a claim may take at present.
#pragma once

#include "engine/ports.h"
#include "store/jobs.h"

namespace orchd::engine {

// A World as it is now, for who only looks: what decides about claims beside the queue itself. Nothing in it is owned.
struct WorldView {
    store::Db& db;
    const settings::Settings& settings;
    const settings::Projects& projects;
    Now now;
    std::int64_t free_bytes = 0;  // on the database's file system
    // Looks at a unit; empty where systemd is not asked, as in the listener.
    std::function<UnitSeen(const std::string&)> see = {};
    // How the settings were come by; null: they are in force.
    const settings::Condition* condition = nullptr;
    Inodes inodes = {};                     // of the database's file system
    std::optional<bool> worker_lives = {};  // nothing where that is not known
};
[[nodiscard]] WorldView view_of(const World& world);

// The limits of host, projects and roles, and whether the disk allows any work. Only projects with a valid file are listed, and
// so served.
[[nodiscard]] Result<store::Limits> limits_of(const WorldView& view);

}  // namespace orchd::engine
