// Alive or not, decided from what was seen (docs/architecture.md, "Alive or not").
#pragma once

#include <string>

namespace orchd {

// What is on record about the owner of a run or lease.
struct Owner {
    std::string unit;
    std::string boot_id;
    std::string invocation_id;  // 32 hex digits; empty while not known
};
// What is seen now of one unit.
struct UnitSeen {
    bool readable = true;       // false: the cgroup or the manager could not be read
    bool job_pending = false;   // PID 1 has a job queued for it
    bool active = false;        // active, activating or deactivating
    bool populated = false;     // cgroup.events says populated 1
    std::string invocation_id;  // of the cgroup's xattr; empty if there is none
};
// Running, about to run, or not to be read: neither dead nor free to be started.
[[nodiscard]] inline bool busy(const UnitSeen& seen) {
    return !seen.readable || seen.job_pending || seen.active || seen.populated;
}

enum class Liveness { alive, dead, empty, unknown };
// dead: certain (another boot, another invocation). empty: nothing runs and PID 1 plans nothing; certain only after N ticks.
// unknown counts as alive. A unit that is active without a process (RemainAfterExit=) is empty.
[[nodiscard]] Liveness judge(const Owner& owner, const UnitSeen& seen, const std::string& boot_id);

}  // namespace orchd
