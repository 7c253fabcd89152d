// Small facts of the host: clocks, boot id, wake datagrams, child processes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/inodes.h"
#include "core/time.h"

namespace orchd::host {

// Both clocks and the boot id, read now.
[[nodiscard]] Now now();
[[nodiscard]] std::int64_t boottime_ms();  // CLOCK_BOOTTIME alone, which no administrator can step
// One datagram to a socket of ours; a listener that is not there is no error (it re-derives what it needs).
void poke(const std::string& socket_path);
// This process's unit and invocation id as the manager gave them ($INVOCATION_ID, the cgroup's last component).
[[nodiscard]] std::string own_unit();
[[nodiscard]] std::string own_invocation();
[[nodiscard]] double random_unit();  // [0, 1)
// What an ordinary user may still write on the path's file system; nothing where it cannot be asked.
[[nodiscard]] std::optional<std::int64_t> free_bytes(const std::string& path);
// Its inodes; without end where it cannot be asked, or counts none.
[[nodiscard]] Inodes inodes(const std::string& path);

struct Child {
    std::vector<std::string> argv = {};         // the first is a path, relative to `directory` where it is not absolute
    std::vector<std::string> environment = {};  // "NAME=value"; nothing is inherited
    std::string directory = {};
    std::string input = {};                // to its standard input, which is /dev/null when empty
    int input_fd = -1;                     // standard input instead of `input`; stays the caller's
    std::int64_t timeout_ms = 0;           // 0: none; then SIGTERM, 5 s later SIGKILL, to its process group
    std::uint64_t max_output = 64u << 20;  // more is Errc::invalid_argument
    int umask = 022;
    bool inherit_output = false;  // stdout and stderr are ours
};
struct Ended {
    int status = 0;  // as wait(2)
    bool timed_out = false;
    std::string out, err;  // where not inherited
};
// Runs argv (no shell) in a process group of its own, with no signal blocked or ignored, and waits; what is left of the group
// is killed at the end. Errc::no_such or not_permitted where it could not be executed.
[[nodiscard]] Result<Ended> run(const Child& child);

}  // namespace orchd::host
