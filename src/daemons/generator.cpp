// orchd-generator: run by systemd at boot and with each daemon-reload, before any unit, to keep the timers and the time limits
// of units in step with the settings (systemd.generator(7)). Where the settings are wrong, what the units ship with holds.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/names.h"
#include "settings/budgets.h"
#include "settings/timers.h"

namespace {

// Whole or not at all: half of one would be a unit without a limit.
bool write_dropin(const std::filesystem::path& into, std::string_view unit, const char* name, const std::string& text) {
    const auto folder = into / (std::string(unit) + ".d");
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    std::ofstream file(folder / name);
    if (file << text << std::flush) return true;
    std::filesystem::remove(folder / name, failed);
    std::cerr << "orchd-generator: cannot write " << (folder / name).string() << ": " << unit << " keeps what it ships with\n";
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace orchd;
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::cout << "orchd-generator " ORCHD_VERSION "\n";
        return 0;
    }
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::cout << "Usage: orchd-generator NORMAL-DIR EARLY-DIR LATE-DIR\n"
                     "Writes drop-ins for the timers and the time limits of orchd into NORMAL-DIR. Run by systemd, see "
                     "systemd.generator(7).\n";
        return 0;
    }
    if (argc != 4) {
        std::cerr << "orchd-generator: takes three directories, as systemd.generator(7) says\n";
        return 2;
    }
    auto sources = settings::host_sources();
    sources.env_file = names::defaults_file;
    const auto loaded = settings::load(sources);
    if (!loaded) {
        std::cerr << "orchd-generator: the units keep the intervals and limits that they ship with: " << loaded.error().text
                  << '\n';
        return 0;
    }
    bool written = true;
    for (const auto& timer : settings::timer_intervals())
        written &= write_dropin(argv[1], timer.unit, "50-interval.conf", settings::timer_dropin(timer, loaded->settings));
    for (const auto& limit : settings::start_limits(loaded->settings))
        written &= write_dropin(argv[1], limit.unit, "50-limit.conf", settings::limit_dropin(limit));
    return written ? 0 : 1;
}
