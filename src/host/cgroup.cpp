#include "host/cgroup.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>

#include "host/fd.h"

namespace orchd::host {
namespace {

std::string whole(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool names_unit(std::string_view component) {
    for (const std::string_view suffix : {".service", ".scope", ".socket", ".mount", ".swap"})
        if (component.ends_with(suffix)) return true;
    return false;
}

}  // namespace

std::string cgroup_mount_in(const std::string& mountinfo) {
    std::istringstream lines(mountinfo);
    // 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
    for (std::string line; std::getline(lines, line);) {
        const auto dash = line.find(" - ");
        if (dash == std::string::npos || !std::string_view(line).substr(dash + 3).starts_with("cgroup2 ")) continue;
        std::istringstream words(line);
        std::string word;
        for (int i = 0; i < 5; ++i) words >> word;
        return word;
    }
    return {};
}

const std::string& cgroup_mount() {
    static const std::string mount = cgroup_mount_in(whole("/proc/self/mountinfo"));
    return mount;
}

std::string own_cgroup() {
    std::istringstream lines(whole("/proc/self/cgroup"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("0::")) return line.substr(3);
    return {};
}

std::string unit_of(const std::string& cgroup) {
    std::istringstream components(cgroup);
    std::string last;
    for (std::string component; std::getline(components, component, '/');)
        if (names_unit(component)) last = component;
    return last;
}

bool populated_in(const std::string& cgroup_events) {
    return cgroup_events.starts_with("populated 1\n") || cgroup_events.find("\npopulated 1\n") != std::string::npos;
}

std::optional<CgroupSeen> see_cgroup(const std::string& cgroup, int& error) {
    error = 0;
    const auto path = cgroup_mount() + cgroup;
    // The directory first: everything below is read through it, so that a cgroup that is removed and made anew meanwhile is not
    // mixed up with its successor.
    const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const Fd events(directory.open() ? ::openat(directory.get(), "cgroup.events", O_RDONLY | O_CLOEXEC) : -1);
    std::array<char, 256> text{};
    const auto n = events.open() ? ::read(events.get(), text.data(), text.size()) : -1;
    if (n < 0) {
        if (errno != ENOENT && errno != ENODEV) error = errno;
        return std::nullopt;
    }
    CgroupSeen seen{.populated = populated_in(std::string(text.data(), static_cast<std::size_t>(n))), .invocation_id = {}};
    std::array<char, 64> id{};
    const auto size = ::fgetxattr(directory.get(), "user.invocation_id", id.data(), id.size());
    if (size > 0) seen.invocation_id.assign(id.data(), static_cast<std::size_t>(size));
    return seen;
}

}  // namespace orchd::host
