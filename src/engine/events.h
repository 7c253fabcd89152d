// The history: event rows, written in the very transaction of what they tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/ports.h"
#include "store/jobs.h"
#include "store/records.h"

namespace orchd::engine {

// Somebody at work inside a transaction.
struct Acting {
    store::Tx& tx;
    std::string actor;  // "step", "uid:1000 alice", …
    Now now;
};
[[nodiscard]] inline Acting acting(const World& world, store::Tx& tx) { return {tx, world.actor, world.now()}; }

struct Datum {
    std::string_view key;
    std::variant<std::int64_t, std::string> value;
};

[[nodiscard]] Status add_event(const Acting& who, std::string_view kind, std::optional<std::int64_t> task_id,
                               std::optional<std::int64_t> job_id, const std::vector<Datum>& data);
// "stage_changed" {from, to, seq, reason}; `before` is the task as it was, seq the new number.
[[nodiscard]] Status stage_changed(const Acting& who, const store::Task& before, Stage to, const std::string& reason);
// "job_changed" {role, from, to, why}; `from` is nothing for a new job.
[[nodiscard]] Status job_changed(const Acting& who, const store::Job& job, std::optional<JobStatus> from, JobStatus to,
                                 const std::string& why = {});

// Adds a verdict with "verdict_recorded" {gate, colour, commit, reason}.
[[nodiscard]] Status record_verdict(const Acting& who, const store::VerdictRow& verdict);
// Queues a job with its event; nullopt as store::enqueue says.
[[nodiscard]] Result<std::optional<std::int64_t>> queue_job(const Acting& who, const store::NewJob& job);
// Holds the task or, with Hold::none, releases it, with "hold_changed" {hold, reason}. A hold waits for a human, so it also
// posts the command to type.
[[nodiscard]] Status change_hold(const Acting& who, const store::Task& task, Hold hold, const std::string& reason);

}  // namespace orchd::engine
