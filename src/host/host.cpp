#include "host/host.h"

#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <random>

#include "host/cgroup.h"
#include "host/fd.h"

namespace orchd::host {
namespace {

std::int64_t milliseconds(clockid_t clock) {
    timespec t{};
    ::clock_gettime(clock, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

// The same for the life of a process.
const std::string& boot_id() {
    static const std::string id = [] {
        std::ifstream file("/proc/sys/kernel/random/boot_id");
        std::string line;
        std::getline(file, line);
        return line;
    }();
    return id;
}

}  // namespace

std::int64_t boottime_ms() { return milliseconds(CLOCK_BOOTTIME); }

Now now() { return {milliseconds(CLOCK_REALTIME), boottime_ms(), boot_id()}; }

void poke(const std::string& socket_path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.open()) return;
    // A full queue means that a wake-up is waiting already.
    (void)!::sendto(fd.get(), "", 1, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::string own_unit() { return unit_of(own_cgroup()); }

std::string own_invocation() {
    const char* id = std::getenv("INVOCATION_ID");
    return id != nullptr ? id : "";
}

double random_unit() {
    static thread_local std::mt19937_64 engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

std::optional<std::int64_t> free_bytes(const std::string& path) {
    struct statvfs seen {};
    if (::statvfs(path.c_str(), &seen) != 0) return std::nullopt;
    return static_cast<std::int64_t>(seen.f_bavail * seen.f_frsize);
}

Inodes inodes(const std::string& path) {
    struct statvfs seen {};
    if (::statvfs(path.c_str(), &seen) != 0 || seen.f_files == 0) return {};
    return {static_cast<std::int64_t>(seen.f_favail), static_cast<std::int64_t>(seen.f_files)};
}

}  // namespace orchd::host
