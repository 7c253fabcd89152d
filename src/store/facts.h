// What is known and what happened: verdicts, commit statuses, dependencies, releases, outbox, events, operator state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"
#include "store/records.h"

namespace orchd::store {

[[nodiscard]] Status add_verdict(Tx& tx, const VerdictRow& verdict);
// The newest of (task, stage_seq, gate).
[[nodiscard]] Result<std::optional<VerdictRow>> find_verdict(Db& db, std::int64_t task_id, std::int64_t stage_seq, Gate gate);
// All of a task, oldest first.
[[nodiscard]] Result<std::vector<VerdictRow>> list_verdicts(Db& db, std::int64_t task_id);

struct CommitStatus {
    std::string project = {}, commit = {}, context = {}, description = {};
    Colour state = Colour::undecided;  // undecided: pending
    std::int64_t at = 0;
    std::int64_t seq = 0;  // the order of two at one time, where the reporter counts them
};
// One row per (project, commit, context): the newest wins by `at`, then `seq`. Whether it says something new and took its
// place.
[[nodiscard]] Result<bool> put_status(Tx& tx, const CommitStatus& status);
[[nodiscard]] Result<std::vector<CommitStatus>> statuses_of(Db& db, const std::string& project, const std::string& commit);

// False if it is there already. Errc::conflict naming the cycle ("A-1 -> A-2 -> A-1").
[[nodiscard]] Result<bool> add_dependency(Tx& tx, std::int64_t task_id, std::int64_t needs_task_id, const std::string& source);
// False if it is not there.
[[nodiscard]] Result<bool> remove_dependency(Tx& tx, std::int64_t task_id, std::int64_t needs_task_id);
struct Dependency {
    std::string work_item = {}, needs = {};  // the first waits for the second
    Stage needs_stage = Stage::analysis;
    std::string source = {};
};
struct DependencyFilter {
    std::optional<std::int64_t> task_id = {};  // what this task waits for, and what those wait for; none: of all open tasks
    bool only_unmet = false;
    int limit = 1000;
};
// By task, the oldest first.
[[nodiscard]] Result<std::vector<Dependency>> list_dependencies(Db& db, const DependencyFilter& filter);
[[nodiscard]] Result<std::vector<std::int64_t>> unmet_dependencies(Db& db, std::int64_t task_id);
// Open tasks that wait for this one.
[[nodiscard]] Result<std::vector<std::int64_t>> open_dependents(Db& db, std::int64_t task_id);

struct Release {
    std::string project = {}, commit = {}, previous = {};
    std::string state = {};  // "built", "live", "replaced", "failed", "rolled_back"
    std::int64_t at = 0;
};
// One row per (project, commit). A release that goes live replaces the one before; an empty `previous` keeps what is on record.
[[nodiscard]] Status put_release(Tx& tx, const Release& release);
[[nodiscard]] Result<std::optional<Release>> live_release(Db& db, const std::string& project);
[[nodiscard]] Result<std::optional<Release>> find_release(Db& db, const std::string& project, const std::string& commit);

struct OutboxRow {
    std::int64_t id = 0;
    std::string channel;          // "journal", "tracker:PROJECT", "messenger"
    std::string dedup_key, body;  // body: JSON
    int attempts = 0;
};
// Once per dedup_key: false if it is there already.
[[nodiscard]] Result<bool> post(Tx& tx, const std::string& channel, const std::string& dedup_key, const std::string& body,
                                const Now& now);
[[nodiscard]] Result<std::vector<OutboxRow>> due_posts(Db& db, const std::string& channel, int at_most, const Now& now);
[[nodiscard]] Status mark_posted(Tx& tx, std::int64_t id, const Now& now);
// It could not be delivered now: counts the attempt, and is due again at `due`.
[[nodiscard]] Status put_off_post(Tx& tx, std::int64_t id, const Due& due);

// Appends an event; its id.
[[nodiscard]] Result<std::int64_t> append_event(Tx& tx, const Event& event);
struct EventFilter {
    std::optional<std::int64_t> task_id = {};
    std::int64_t after_id = 0;  // only newer ones
    int limit = 1000;
};
// Oldest first. With after_id 0 the newest `limit` of them.
[[nodiscard]] Result<std::vector<Event>> list_events(Db& db, const EventFilter& filter);
// Those after an id, 0 for all of them; oldest first.
[[nodiscard]] Result<std::vector<Event>> next_events(Db& db, std::int64_t after_id, int at_most);
[[nodiscard]] Result<std::int64_t> newest_event_id(Db& db);

// Operator state that outlives restarts: "paused", counters such as "impossible_queued_total".
struct StateRow {
    std::string key = {}, value = {}, by = {}, reason = {};
    std::int64_t at = 0;
};
[[nodiscard]] Result<std::optional<StateRow>> find_state(Db& db, const std::string& key);
// The row's value as a number; 0 where it is none, or there is no row.
[[nodiscard]] std::int64_t number_of(const std::optional<StateRow>& row);
// All of it: a few rows; the counters' keys end in "_total".
[[nodiscard]] Result<std::vector<StateRow>> all_state(Db& db);
[[nodiscard]] Status put_state(Tx& tx, const StateRow& row);
[[nodiscard]] Status clear_state(Tx& tx, const std::string& key);
[[nodiscard]] Status add_to_counter(Tx& tx, const std::string& key, std::int64_t by, const Now& now);

}  // namespace orchd::store
