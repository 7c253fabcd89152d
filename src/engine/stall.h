// Runs whose beginning or end fails: put on record with git's own words, tried again with growing back-off, and given up at the
// first fault that lasts, or once they were tried often enough. What is given up is ended by recovery: its job is queued again
// and its task held as `infra`. An end that was given up is gone on with once the hold is released: its exit stays, and nothing
// of the run is done twice.
#pragma once

#include "engine/ending.h"
#include "engine/ports.h"
#include "store/jobs.h"
#include "store/stalls.h"

namespace orchd::engine {

// It will be so until somebody mends it: what the other side refuses (git/refusal), or what is wrong by its very code. Whoever
// meets one, a prepare, a finish or a step, does not try again, and the task is held as `infra`.
[[nodiscard]] bool lasting(const Error& error);

// prepare could not make the run ready.
[[nodiscard]] Status beginning_failed(World& world, const store::Job& job, const store::Run& run, const Error& error);

// finish could not work up an end whose exit is on record. An error of this is the database's, and nothing was written.
[[nodiscard]] Status end_failed(World& world, const Ended& ended, const Error& error);

enum class NextTry {
    now,
    later,    // once it is due, recovery calls the finish
    given_up  // the job is `stopping`
};
// A finish begins another try. One that was cut off before it could say anything counts; the first time it goes on at once, as
// after a kill or a power cut.
[[nodiscard]] Result<NextTry> another_try(World& world, const Ended& ended);
// Recovery sees that no finish is at work for the run and wants to start one, as the unit named.
[[nodiscard]] Result<NextTry> call_finish(World& world, const store::Claim& claim, const std::string& unit);

// "its end cannot be recorded: WORDS; tried 3 times"
[[nodiscard]] std::string stall_text(const store::Stall& stall);

}  // namespace orchd::engine
