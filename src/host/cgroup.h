// What the kernel says of a unit through its cgroup (version 2), without asking anybody.
#pragma once

#include <optional>
#include <string>

namespace orchd::host {

// Where the version 2 hierarchy is mounted, from /proc/self/mountinfo: /sys/fs/cgroup, or /sys/fs/cgroup/unified on hosts that
// keep the old one beside it. Empty if there is none.
[[nodiscard]] const std::string& cgroup_mount();
// This process's cgroup, "/system.slice/orchd-worker.service"; empty if it cannot be read.
[[nodiscard]] std::string own_cgroup();
// The last component of a cgroup's path that names a unit; a service may have cgroups of its own below.
[[nodiscard]] std::string unit_of(const std::string& cgroup);

struct CgroupSeen {
    bool populated = false;
    std::string invocation_id;  // the xattr user.invocation_id, which PID 1 sets anew with every start
};
// `cgroup` as the manager names it, from the root of the hierarchy. Nothing if it does not exist; an error number other than
// that (it is there and cannot be read) in `error`.
[[nodiscard]] std::optional<CgroupSeen> see_cgroup(const std::string& cgroup, int& error);

// For tests of the readers above.
[[nodiscard]] std::string cgroup_mount_in(const std::string& mountinfo);
[[nodiscard]] bool populated_in(const std::string& cgroup_events);

}  // namespace orchd::host
