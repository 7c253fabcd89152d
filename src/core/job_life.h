// The life of a job and of a run's exit, as tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/words.h"

namespace orchd {

// Whether a job may go from -> to. Everything else is refused by the store's guarded UPDATEs.
[[nodiscard]] bool legal(JobStatus from, JobStatus to);

struct Exit {
    ExitKind kind;
    int status = 0;  // exit code, or signal number
};
// What a run's end means for its job. Exit 0 is not success: it means "look at the gate".
enum class Outcome {
    look,        // exit 0: the gate decides
    transient,   // exit 75: again later, nobody's fault
    failed,      // any other exit code of an agent or a check that ran
    cannot_run,  // 126, 127: the command is not there or not executable: an infra hold
    too_long,    // it did not end within its time limit (the launcher's 124, or the unit's own): never the developer's fault;
                 // an agent's is tried again, what only a person can mend, a check that hangs, is an infra hold
    infra        // killed, dumped, lost, or one of systemd's own exit statuses (200 to 243, systemd.exec(5)), with which it
                 // could not set the run up: again, never the developer's fault
};
[[nodiscard]] Outcome outcome(Exit exit);

// What a service manager said of a finished service: $MONITOR_SERVICE_RESULT, $MONITOR_EXIT_CODE, $MONITOR_EXIT_STATUS.
// EXIT_CODE decides over the result, since a death by SIGTERM reads "success"; without one the command never ran: `lost`. So is
// one whose ExecStopPost= failed after a good end, a full disk under its bundle, say: it must not look like "nothing new". Only
// "timeout" and "watchdog" decide over the code: however it ended then, it did not end by itself.
[[nodiscard]] Exit exit_from_monitor(std::string_view service_result, std::string_view exit_code, std::string_view exit_status);

// Full jitter: uniform in [0, min(cap_ms, base_ms * 2^attempts)], from `random` in [0, 1).
[[nodiscard]] std::int64_t backoff_ms(int attempts, std::int64_t base_ms, std::int64_t cap_ms, double random);
// For what asked to come later `times` before: surely grows, since only half of it is jitter: in [d/2, d) with
// d = min(cap_ms, base_ms * 2^times).
[[nodiscard]] std::int64_t growing_wait_ms(int times, std::int64_t base_ms, std::int64_t cap_ms, double random);

// What a run leaves in the file `retry_at`: one line, a time as RFC 3339 ("2026-07-01T10:00:00Z") or in seconds since 1970.
// UTC milliseconds; nothing where it is neither.
[[nodiscard]] std::optional<std::int64_t> parse_retry_at(std::string_view text);

}  // namespace orchd
