// The pipeline as data (R01) and the decisions made from it, as pure functions. Nothing else decides where a task goes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/words.h"

namespace orchd {

enum class OnRed { again, fall_back, hold };

struct StageRow {
    Stage stage;
    std::optional<Role> first_role;  // who works first when the stage is entered; none for done and cancelled
    std::span<const Gate> gates;     // asked in this order; the first that is not green decides
    Stage next;
    OnRed on_red;
    Stage falls_back_to;  // == stage unless on_red is fall_back
};
[[nodiscard]] const StageRow& row(Stage stage);
// Whether a stage write from -> to is an edge of the table: next, back, the same again, or cancelled. None leaves a terminal
// stage.
[[nodiscard]] bool legal_edge(Stage from, Stage to);
// Whether a person may have a task that stands at `from` worked anew from `to` on: any stage up to that one. What is merged
// stays merged, so from `deploy` on no stage before it.
[[nodiscard]] bool can_be_sent_back(Stage from, Stage to);
// The kind of job that `role` is worked by.
[[nodiscard]] JobKind kind_of(Role role);

struct GateAnswer {
    Gate gate;
    Colour colour;
    std::string reason;  // one clause, for people
    // Red because the stage's own run left nothing that can be read: its work is asked for again, nobody else's.
    bool unusable = false;
};

// How often a task was sent again or back since its counters were last cleared by a person (R04).
struct Retries {
    int developer = 0;       // sent back to development by a red review, test, staging or re-test verdict
    int again = 0;           // the present stage asked again; starts anew with the next stage
    int infrastructure = 0;  // deaths by signal, boot, time-out; capped for each job by its attempts
    int conflict = 0;        // sent back to development by a conflict with the target, which is nobody's verdict
};
// So many times is a task sent again or back; what would be one more is escalated. Every way back has one (pipeline_test).
struct Caps {
    int developer = 3;
    int again = 3;
    int conflict = 5;
};

struct Decision {
    enum class Kind { wait, move, hold } kind = Kind::wait;
    Stage to = Stage::analysis;  // move: the stage to write (may be the same stage: "again")
    Hold hold = Hold::none;      // hold: which
    Retries retries;             // the counters after this decision
    std::string reason;          // the deciding gate's, or empty when all are green
    std::optional<Gate> gate;    // the deciding gate, none when all are green
};
// Decides from the answers of `stage`'s gates, in their order; answers after the first that is not green may be absent.
// All green moves on; undecided waits, and so does a gate that was not answered; red goes where the table says, or holds as
// `escalated` where its cap is reached. Red that is unusable asks the same stage again, also where red goes back. A red
// check_branch_mergeable is a conflict and counts as one.
[[nodiscard]] Decision decide(Stage stage, std::span<const GateAnswer> answers, Retries before, Caps caps);

}  // namespace orchd
