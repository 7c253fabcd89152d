// The settings of this host. One table (table.h) names every key with its type, default, range, unit, environment name and
// one line of text; the reader, `orchctl config`, the example file and the man page come from it (R39).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"

namespace orchd::settings {

// Only keys that something reads. A new one is a field here and a row of the table.
struct Settings {
    std::int64_t max_concurrency = 4;            // ORCH_MAX_CONCURRENCY
    std::int64_t max_steps = 4;                  // ORCH_MAX_STEPS
    std::int64_t retry_cap = 3;                  // ORCH_RETRY_CAP: back to development, then escalated
    std::int64_t again_cap = 3;                  // ORCH_AGAIN_CAP
    std::int64_t conflict_cap = 5;               // ORCH_CONFLICT_CAP: back to development by a conflict, then escalated
    std::int64_t give_way_cap = 5;               // ORCH_GIVE_WAY_CAP: `merge_tries` rounds in vain, so often, then escalated
    std::int64_t job_max_attempts = 5;           // ORCH_JOB_MAX_ATTEMPTS: infrastructure deaths of one job before an infra hold
    std::int64_t finish_max_tries = 6;           // ORCH_FINISH_MAX_TRIES: of the end of one run before an infra hold
    std::int64_t backoff_base_s = 5;             // ORCH_BACKOFF_BASE_S
    std::int64_t backoff_cap_s = 300;            // ORCH_BACKOFF_CAP_S
    std::int64_t defer_cap_s = 3600;             // ORCH_DEFER_CAP_S: longest wait for a run that asks to come later, by itself
    std::int64_t defer_limit_s = 86400;          // ORCH_DEFER_LIMIT_S: so long may it ask, then escalated
    std::int64_t recovery_interval_s = 5;        // ORCH_RECOVERY_INTERVAL_S
    std::int64_t reaper_interval_s = 60;         // ORCH_REAPER_INTERVAL_S: of orchd-reaper.timer
    std::int64_t reaper_dead_ticks = 2;          // ORCH_REAPER_DEAD_TICKS
    std::int64_t reaper_max_running_s = 14400;   // ORCH_REAPER_MAX_RUNNING_S: hard ceiling of a run
    std::int64_t run_timeout_s = 3600;           // ORCH_RUN_TIMEOUT_S: a role's default time limit
    std::int64_t git_timeout_s = 300;            // ORCH_GIT_TIMEOUT_S
    std::int64_t bundle_max_bytes = 1 << 30;     // ORCH_BUNDLE_MAX_BYTES
    std::int64_t release_max_bytes = 4LL << 30;  // ORCH_RELEASE_MAX_BYTES
    std::int64_t merge_tries = 5;                // ORCH_MERGE_TRIES: rebase and test again before a head gives way
    std::int64_t disk_floor_bytes = 256 << 20;   // ORCH_DISK_FLOOR_BYTES: less free space than this, and nothing is claimed
    std::int64_t disk_floor_inodes = 1000;       // ORCH_DISK_FLOOR_INODES: the same of free inodes
    std::int64_t ballast_bytes = 32 << 20;       // ORCH_BALLAST_BYTES: given back when the disk is full
    std::int64_t maintenance_interval_s = 21600;           // ORCH_MAINTENANCE_INTERVAL_S
    std::int64_t backups_kept = 8;                         // ORCH_BACKUPS_KEPT
    std::int64_t event_retention_days = 90;                // ORCH_EVENT_RETENTION_DAYS
    std::int64_t delivery_retention_days = 30;             // ORCH_DELIVERY_RETENTION_DAYS
    std::int64_t branch_retention_days = 30;               // ORCH_BRANCH_RETENTION_DAYS
    std::int64_t releases_kept = 5;                        // ORCH_RELEASES_KEPT
    std::int64_t control_idle_s = 30;                      // ORCH_CONTROL_IDLE_S
    std::int64_t listener_idle_s = 60;                     // ORCH_LISTENER_IDLE_S
    std::int64_t webhook_max_bytes = 8 << 20;              // ORCH_WEBHOOK_MAX_BYTES
    std::int64_t listener_connections = 800;               // ORCH_LISTENER_CONNECTIONS
    std::int64_t listener_connections_per_source = 400;    // ORCH_LISTENER_CONNECTIONS_PER_SOURCE
    std::vector<std::string> transition_lease_repos{"*"};  // ORCH_TRANSITION_LEASE_REPOS: projects, see covers()
    bool maintenance_enabled = true;                       // ORCH_MAINTENANCE_ENABLED
    bool premerge_rebase_always = true;                    // ORCH_PREMERGE_REBASE_ALWAYS
    bool transition_lease_enabled = true;                  // ORCH_TRANSITION_LEASE_ENABLED
    bool reaper_enabled = true;                            // ORCH_REAPER_ENABLED
    bool lease_reclaim_enabled = true;                     // ORCH_LEASE_RECLAIM_ENABLED
    bool impossible_queued_sanitize_enabled = true;        // ORCH_IMPOSSIBLE_QUEUED_SANITIZE_ENABLED
};

struct Sources {                       // where settings come from; tests point elsewhere
    std::string file;                  // /etc/orchd/orchd.toml
    std::string dropin_dir;            // /etc/orchd/orchd.conf.d, *.toml by name
    std::string env_file;              // /etc/default/orchd; empty: none
    std::vector<std::string> environ;  // "NAME=value", the last word
};
// The files in /etc, /etc/default/orchd with them, and this process's environment.
[[nodiscard]] Sources host_sources();
// Those of a unit, which the manager started with what stood in /etc/default/orchd: the file as it stands now, and of the
// environment what did not come from there. So a change of it is taken without a restart.
[[nodiscard]] Sources unit_sources();

struct Origin {                                      // of one value, for `config show`
    std::string key, value, env, where, text, unit;  // value as in a file; where: "default", "FILE:LINE", "environment"
};
struct Loaded {
    Settings settings;
    std::vector<Origin> origins;        // in the order of the table
    std::vector<std::string> warnings;  // variables that begin as ours and are no setting, each with its place
};
// All problems at once, one a line: file, line, key, what is allowed, the nearest known key. Errc::invalid_argument.
[[nodiscard]] Result<Loaded> load(const Sources& sources);

// Generated documentation: /usr/share/doc example and the table of orchd.toml(5).
[[nodiscard]] std::string example_file();
[[nodiscard]] std::string man_rows();

}  // namespace orchd::settings
