#include "core/boundary.h"

#ifdef ORCHD_CRASH_POINTS
#include <unistd.h>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>
#endif

namespace orchd {
namespace {

BoundaryHook hook_now = nullptr;

#ifdef ORCHD_CRASH_POINTS

struct CrashPoint {
    std::string name;
    int at = 1;
    int passed = 0;
};

// "name:n,name:n" of CRASH_AT
std::vector<CrashPoint> crash_points() {
    std::vector<CrashPoint> points;
    const char* variable = std::getenv("CRASH_AT");
    std::string_view rest(variable != nullptr ? variable : "");
    while (!rest.empty()) {
        const auto item = rest.substr(0, rest.find(','));
        rest.remove_prefix(item.size() == rest.size() ? item.size() : item.size() + 1);
        const auto colon = item.rfind(':');
        CrashPoint point{.name = std::string(item.substr(0, colon))};
        if (colon != std::string_view::npos) std::from_chars(item.data() + colon + 1, item.data() + item.size(), point.at);
        points.push_back(std::move(point));
    }
    return points;
}

// Of all processes that come to this point, the one that removes its file is to die.
bool is_chosen(const std::string& name) {
    const char* folder = std::getenv("CRASH_ONCE");
    return folder == nullptr || ::unlink((std::string(folder) + '/' + name).c_str()) == 0;
}

// SIGKILL, or SIGSTOP where CRASH_BY=STOP.
int crash_signal() {
    const char* by = std::getenv("CRASH_BY");
    return by != nullptr && std::string_view(by) == "STOP" ? SIGSTOP : SIGKILL;
}

void crash_if_asked(std::string_view name) {
    static std::vector<CrashPoint> points = crash_points();
    for (auto& point : points)
        if (point.name == name && ++point.passed == point.at && is_chosen(point.name)) ::kill(::getpid(), crash_signal());
}

#endif

}  // namespace

void set_boundary_hook(BoundaryHook hook) { hook_now = hook; }

void boundary(std::string_view name) {
    if (hook_now != nullptr) hook_now(name);
#ifdef ORCHD_CRASH_POINTS
    crash_if_asked(name);
#endif
}

}  // namespace orchd
