// Records for people, written to the outbox (channel "journal") in the transaction that makes them true; the worker delivers
// them to the journal. A body is {"message_id", "text", "task", "project"}.
#pragma once

#include <cstdint>
#include <string>

#include "core/time.h"
#include "core/words.h"
#include "store/db.h"
#include "store/records.h"

namespace orchd::engine {

// The task waits for a person: once per (task, stage number, what). `text` has the command to type.
[[nodiscard]] Status post_needs_you(store::Tx& tx, const store::Task& task, const std::string& what, const std::string& text,
                                    const Now& now);
// The task is held, which is told as what it is: escalated, for the host's administrator (infra), or for a person.
[[nodiscard]] Status post_held(store::Tx& tx, const store::Task& task, Hold hold, const std::string& reason, const Now& now);
// Its transition lease was taken from an owner that lived: once for each fence.
[[nodiscard]] Status post_lease_forced(store::Tx& tx, const store::Task& task, std::int64_t fence, const std::string& text,
                                       const Now& now);
// The task stands in another stage now: once per stage number. `before` is the task as it was.
[[nodiscard]] Status post_stage(store::Tx& tx, const store::Task& before, Stage to, const std::string& reason, const Now& now);

// Deliveries that seem to be the project's lead nowhere: once for each `what`.
[[nodiscard]] Status post_astray(store::Tx& tx, const std::string& project, const std::string& what, const std::string& text,
                                 const Now& now);

// A job as people are told of it: "job 17 (developer)".
[[nodiscard]] std::string job_named(const store::Job& job);

// "40 s", "4 min", "3 h", "2 days"
[[nodiscard]] std::string span_text(std::int64_t ms);

}  // namespace orchd::engine
