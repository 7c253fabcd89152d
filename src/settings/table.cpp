#include "settings/table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "core/work_item.h"
#include "settings/budgets.h"
#include "settings/document.h"

namespace orchd::settings {
namespace {

using S = Settings;
constexpr std::int64_t day_s = 86400;
constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr std::int64_t gib = std::int64_t{1} << 30;

constexpr std::array table{
    Key{"max_concurrency", &S::max_concurrency, 1, 1000, Unit::none,
        "Runs of agents, checks and deploys at the same time on this host"},
    Key{"max_steps", &S::max_steps, 1, 100, Unit::none, "Transitions worked at the same time; they do not count as runs"},
    Key{"retry_cap", &S::retry_cap, 0, 100, Unit::none,
        "How often a red verdict sends a task back to development before it is escalated"},
    Key{"again_cap", &S::again_cap, 0, 100, Unit::none, "How often one stage is worked again before its task is escalated"},
    Key{"conflict_cap", &S::conflict_cap, 0, 100, Unit::none,
        "How often a conflict with the target branch sends a task back to development before it is escalated"},
    Key{"give_way_cap", &S::give_way_cap, 0, 100, Unit::none,
        "How often a task gives way at the merge, after merge_tries rounds in vain each, before it is escalated"},
    Key{"job_max_attempts", &S::job_max_attempts, 1, 100, Unit::none,
        "Deaths by infrastructure (signal, time-out, reboot) that one job survives before its task is held"},
    Key{"finish_max_tries", &S::finish_max_tries, 1, 100, Unit::none,
        "How often it is tried to put the end of one run on record before its task is held"},
    Key{"backoff_base_s", &S::backoff_base_s, 1, day_s, Unit::seconds,
        "First waiting time of a job that is tried again; it doubles with each attempt, with full jitter"},
    Key{"backoff_cap_s", &S::backoff_cap_s, 1, day_s, Unit::seconds, "Longest waiting time of a job that is tried again"},
    Key{"defer_cap_s", &S::defer_cap_s, 1, day_s, Unit::seconds,
        "Longest waiting time of a job whose run asked to come later (exit status 75) and left no retry_at; it grows from "
        "backoff_base_s"},
    Key{"defer_limit_s", &S::defer_limit_s, 1, 30 * day_s, Unit::seconds,
        "Time for which the runs of one job may ask to come later, from the first time on, before its task is escalated"},
    Key{"recovery_interval_s", &S::recovery_interval_s, 1, 3600, Unit::seconds,
        "Time between two passes of the worker over everything that runs"},
    Key{"reaper_interval_s", &S::reaper_interval_s, 5, 3600, Unit::seconds,
        "Time between two passes of orchd-reaper.timer; `systemctl daemon-reload` puts a change in force"},
    Key{"reaper_dead_ticks", &S::reaper_dead_ticks, 1, 100, Unit::none,
        "Looks in a row, a second apart at least, that must see a run's cgroup empty before the run is called dead"},
    Key{"reaper_max_running_s", &S::reaper_max_running_s, 1, day_s, Unit::seconds,
        "Hard ceiling of a run, from its start to the end of its finish; the run is stopped there"},
    Key{"run_timeout_s", &S::run_timeout_s, 1, day_s, Unit::seconds,
        "Time limit of a run whose role in the project's file names none"},
    Key{"git_timeout_s", &S::git_timeout_s, 1, 600, Unit::seconds, "Time limit of one call of git against a forge"},
    Key{"bundle_max_bytes", &S::bundle_max_bytes, mib, 1024 * gib, Unit::bytes,
        "Largest bundle of commits that is taken from a run"},
    Key{"release_max_bytes", &S::release_max_bytes, mib, 1024 * gib, Unit::bytes,
        "Largest release.tar that is taken from a build"},
    Key{"merge_tries", &S::merge_tries, 1, 100, Unit::none,
        "Rebases and tests of one task, while its target branch keeps moving, before another task may merge"},
    Key{"disk_floor_bytes", &S::disk_floor_bytes, 0, 1024 * gib, Unit::bytes,
        "Free space on the file system of /var/lib/orchd below which nothing is started; 0 is no floor"},
    Key{"disk_floor_inodes", &S::disk_floor_inodes, 0, 1'000'000'000, Unit::none,
        "Free inodes on the same file system below which nothing is started, or a tenth of all of them where that is less; 0 "
        "is "
        "no floor"},
    Key{"ballast_bytes", &S::ballast_bytes, 0, gib, Unit::bytes,
        "Size of /var/lib/orchd/ballast, which is given back to record exits and deliveries when the disk is full; 0 is none"},
    Key{"maintenance_enabled", &S::maintenance_enabled, 0, 0, Unit::none,
        "Whether orchd-maintenance.timer backs the database up, forgets what is past its retention and cleans up"},
    Key{"maintenance_interval_s", &S::maintenance_interval_s, 60, 30 * day_s, Unit::seconds,
        "Time between two maintenance passes; orchd-maintenance.timer looks every five minutes"},
    Key{"backups_kept", &S::backups_kept, 0, 1000, Unit::none,
        "Backups of the database in /var/lib/orchd/backups, one a maintenance pass; 0 makes none"},
    Key{"event_retention_days", &S::event_retention_days, 1, 36500, Unit::none,
        "Days for which the history of tasks that are over is kept"},
    Key{"delivery_retention_days", &S::delivery_retention_days, 1, 36500, Unit::none,
        "Days for which deliveries that were dealt with are kept, and told when they come again"},
    Key{"branch_retention_days", &S::branch_retention_days, 1, 36500, Unit::none,
        "Days for which the branch of a task that is over is kept, on the forge and in the mirror"},
    Key{"releases_kept", &S::releases_kept, 0, 1000, Unit::none,
        "Built releases of each project that are kept beside the live one and its predecessor"},
    Key{"control_idle_s", &S::control_idle_s, 1, day_s, Unit::seconds,
        "Time without a caller or subscriber after which orchd-control leaves the bus, to be started by the next call"},
    Key{"listener_idle_s", &S::listener_idle_s, 1, day_s, Unit::seconds,
        "Time without a connection after which orchd-listener ends, to be started by the next one"},
    Key{"webhook_max_bytes", &S::webhook_max_bytes, mib, 64 * mib, Unit::bytes,
        "Largest body of a webhook that is taken; a larger one that is signed is on record as refused. "
        "`systemctl restart orchd-listener` puts a change in force"},
    Key{"listener_connections", &S::listener_connections, 16, 100'000, Unit::none,
        "Connections that orchd-listener holds at the same time; one more, and the slowest stranger's is closed. No more than "
        "LimitNOFILE= of its unit admits"},
    Key{"listener_connections_per_source", &S::listener_connections_per_source, 4, 100'000, Unit::none,
        "The same of one client address; behind a reverse proxy all clients are one"},
    Key{"premerge_rebase_always", &S::premerge_rebase_always, 0, 0, Unit::none,
        "Whether a branch is rebased onto its target before every merge, whatever a forge could merge by itself. A local forge "
        "only forwards its target, so there one that is behind is rebased in either case"},
    Key{"transition_lease_enabled", &S::transition_lease_enabled, 0, 0, Unit::none,
        "Whether a transition takes the task's lease; without it only the compare-and-swap keeps two apart"},
    Key{"transition_lease_repos", &S::transition_lease_repos, 0, 0, Unit::none,
        "Projects whose transitions take the lease, where leases are on; \"*\" is all of them, an empty list those marked "
        "self"},
    Key{"reaper_enabled", &S::reaper_enabled, 0, 0, Unit::none,
        "Whether runs are judged dead or too old, and units without a job stopped; without it only what is recorded or of "
        "another boot is put right"},
    Key{"lease_reclaim_enabled", &S::lease_reclaim_enabled, 0, 0, Unit::none,
        "Whether leases of dead owners are released by the passes; without it whoever needs one takes it over"},
    Key{"impossible_queued_sanitize_enabled", &S::impossible_queued_sanitize_enabled, 0, 0, Unit::none,
        "Whether queued jobs that carry a run are healed and counted"},
};

std::optional<std::int64_t> number_of(const Key& key, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || key.unit != Unit::bytes) return std::nullopt;
    const auto size = parse_size(*text);
    return size ? std::optional(*size) : std::nullopt;
}

}  // namespace

std::span<const Key> keys() { return table; }

const Key* find_key(std::string_view name) {
    const auto* found = std::find_if(table.begin(), table.end(), [&](const auto& key) { return key.name == name; });
    return found == table.end() ? nullptr : found;
}

const std::vector<std::string>& key_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        all.reserve(table.size());
        for (const auto& key : table) all.emplace_back(key.name);
        return all;
    }();
    return names;
}

std::string env_name(const Key& key) {
    std::string name = "ORCH_";
    for (const char c : key.name) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

std::string allowed(const Key& key) {
    if (std::holds_alternative<bool Settings::*>(key.field)) return "true or false";
    if (std::holds_alternative<std::vector<std::string> Settings::*>(key.field))
        return "a list of project names, such as [\"hello\", \"app\"]; in the environment with commas: hello,app";
    if (key.unit == Unit::bytes)
        return "a size from " + size_text(key.least) + " to " + size_text(key.most) + ", such as \"2G\"";
    return (key.unit == Unit::seconds ? "seconds from " : "an integer from ") + std::to_string(key.least) + " to " +
           std::to_string(key.most);
}

std::string value_text(const Key& key, const Settings& settings) {
    if (const auto* flag = std::get_if<bool Settings::*>(&key.field)) return settings.*(*flag) ? "true" : "false";
    if (const auto* list = std::get_if<std::vector<std::string> Settings::*>(&key.field)) {
        std::string text;
        for (const auto& entry : settings.*(*list)) text += (text.empty() ? "\"" : ", \"") + entry + '"';
        return '[' + text + ']';
    }
    const auto number = settings.*std::get<std::int64_t Settings::*>(key.field);
    return key.unit == Unit::bytes ? '"' + size_text(number) + '"' : std::to_string(number);
}

bool set_value(const Key& key, const Value& value, Settings& settings) {
    if (const auto* field = std::get_if<bool Settings::*>(&key.field)) {
        const auto* flag = std::get_if<bool>(&value);
        if (flag == nullptr) return false;
        settings.*(*field) = *flag;
        return true;
    }
    if (const auto* field = std::get_if<std::vector<std::string> Settings::*>(&key.field)) {
        const auto* list = std::get_if<std::vector<std::string>>(&value);
        if (list == nullptr || !std::ranges::all_of(*list, listable)) return false;
        settings.*(*field) = *list;
        return true;
    }
    const auto whole = number_of(key, value);
    if (!whole || *whole < key.least || *whole > key.most) return false;
    settings.*std::get<std::int64_t Settings::*>(key.field) = *whole;
    return true;
}

bool listable(const std::string& entry) { return entry == "*" || valid_project_name(entry); }

std::string_view unit_text(Unit unit) {
    switch (unit) {
        case Unit::seconds:
            return "s";
        case Unit::bytes:
            return "bytes";
        case Unit::none:
            break;
    }
    return "";
}

std::span<const Nesting> nestings() {
    static const std::vector<Nesting> all{
        {{{"run_timeout_s"}, {"git_timeout_s", git_times_around_a_run}},
         "reaper_max_running_s",
         "a run's own limit, with git before and after it, must end before the ceiling stops the run"},
        {{{"recovery_interval_s"}}, "reaper_max_running_s", "the ceiling is kept by the recovery pass"},
        {{{"reaper_interval_s"}}, "reaper_max_running_s", "the ceiling is kept by the reaper's passes too"},
        {{{"ballast_bytes"}}, "disk_floor_bytes", "a ballast that was given back must not let new work begin"},
        {{{"backoff_base_s"}}, "backoff_cap_s", "waiting times grow from the base to the cap"},
        {{{"backoff_base_s"}}, "defer_cap_s", "waiting times grow from the base to the cap"},
    };
    return all;
}

}  // namespace orchd::settings
