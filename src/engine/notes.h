// Records for people, written to the outbox (channel "journal") in the transaction that makes them true; the worker delivers
// them to the journal.
#pragma once

#include <string>
#include <string_view>

#include "core/time.h"
#include "store/db.h"
#include "store/records.h"

namespace orchd::engine {

struct Note {
    std::string_view message_id;  // names::msg_…
    std::string text;             // with the command to type, where somebody has to act
};
// The body of such an outbox row: {"message_id", "text", "task", "project"}.
[[nodiscard]] std::string to_json(const Note& note, const store::Task& task);

// Once per dedup_key; with an "alert" event where it is new.
[[nodiscard]] Status alert(store::Tx& tx, const store::Task& task, const std::string& dedup_key, const std::string& text,
                           const std::string& actor, const Now& now);
// The task waits for a person: once per (task, stage number, what).
[[nodiscard]] Status post_needs_you(store::Tx& tx, const store::Task& task, const std::string& what, const std::string& text,
                                    const Now& now);

}  // namespace orchd::engine
