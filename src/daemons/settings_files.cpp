#include "daemons/settings_files.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "core/names.h"
#include "host/fd.h"
#include "host/host.h"
#include "host/log.h"

namespace orchd::daemons {
namespace {

namespace fs = std::filesystem;

// Well within WatchdogSec= of the worker. A folder that is made later is seen by then, too.
constexpr int longest_wait_ms = 10'000;

std::string stamp(const std::string& path) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return path + " -\n";
    return path + ' ' + std::to_string(seen.st_ino) + ' ' + std::to_string(seen.st_size) + ' ' +
           std::to_string(seen.st_mtim.tv_sec) + '.' + std::to_string(seen.st_mtim.tv_nsec) + ' ' +
           std::to_string(seen.st_ctim.tv_sec) + '.' + std::to_string(seen.st_ctim.tv_nsec) + '\n';
}

// Returns when something was written in one of the folders, or after a while.
void await_change(int watch) {
    const std::string file(names::settings_file), defaults(names::defaults_file);
    for (const auto& folder :
         {fs::path(file).parent_path().string(), fs::path(defaults).parent_path().string(), std::string(names::settings_dir)})
        (void)::inotify_add_watch(watch, folder.c_str(),
                                  IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_CREATE);
    pollfd waiting{.fd = watch, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, longest_wait_ms) <= 0) return;
    std::array<char, 4096> events{};
    while (::read(watch, events.data(), events.size()) > 0) continue;
}

}  // namespace

settings::Places settings_places() { return settings::host_places(settings::unit_sources(), host::now().boot_id); }

settings::Reading read_settings() { return settings::read(settings_places()); }

std::string settings_fingerprint(Look look) {
    std::vector<std::string> stamps{stamp(std::string(names::settings_file)), stamp(std::string(names::defaults_file))};
    if (look == Look::last_good_too) stamps.push_back(stamp(std::string(names::last_good)));
    for (const auto folder : {names::settings_dir, names::projects_dir}) {
        stamps.push_back(stamp(std::string(folder)));
        std::error_code absent;
        for (fs::directory_iterator entry(folder, absent), end; !absent && entry != end; entry.increment(absent))
            stamps.push_back(stamp(entry->path().string()));
    }
    std::sort(stamps.begin(), stamps.end());
    std::string all;
    for (const auto& s : stamps) all += s;
    return all;
}

void stand_until_settings_are_good() {
    std::string told;
    const host::Fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    for (;;) {
        const auto condition = read_settings().condition;
        if (condition.state != settings::Condition::State::none) return;
        if (const auto text = settings::said_of(condition); text != told) {
            told = text;
            host::log(host::Level::error, text + "; 'orchctl config check' tells all of it",
                      {{"MESSAGE_ID", std::string(names::msg_alert)}});
            (void)sd_notify(0, ("READY=1\nSTATUS=Stands. " + text).c_str());
        }
        (void)sd_notify(0, "WATCHDOG=1");
        await_change(watch.get());
    }
}

}  // namespace orchd::daemons
