// orchd-generator: run by systemd at boot and with each daemon-reload, before any unit, to keep the timers and the time limits
// of units in step with the settings (systemd.generator(7)). Where the settings are wrong, what the units ship with holds.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/names.h"
#include "settings/budgets.h"
#include "settings/reading.h"
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

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string text;
    std::getline(file, text);
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace orchd;
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::cout << "orchd-generator " ORCHD_VERSION "\n";
        return std::cout.flush() ? 0 : 1;
    }
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::cout << "Usage: orchd-generator NORMAL-DIR EARLY-DIR LATE-DIR\n"
                     "Writes drop-ins for the timers and the time limits of orchd into NORMAL-DIR. Run by systemd, see "
                     "systemd.generator(7).\n";
        return std::cout.flush() ? 0 : 1;
    }
    if (argc != 4) {
        std::cerr << "orchd-generator: takes three directories, as systemd.generator(7) says\n";
        return 2;
    }
    // Where they are wrong while a host runs, the units stay in step with what is in force.
    const auto reading = settings::read(settings::host_places(settings::host_sources(), boot_id()));
    if (const auto text = settings::said_of(reading.condition); !text.empty()) std::cerr << "orchd-generator: " << text << '\n';
    if (reading.condition.state == settings::Condition::State::none) {
        std::cerr << "orchd-generator: the units keep the intervals and limits that they ship with\n";
        return 0;
    }
    bool written = true;
    for (const auto& timer : settings::timer_intervals())
        written &= write_dropin(argv[1], timer.unit, "50-interval.conf", settings::timer_dropin(timer, reading.settings));
    for (const auto& limit : settings::start_limits(reading.settings))
        written &= write_dropin(argv[1], limit.unit, "50-limit.conf", settings::limit_dropin(limit));
    return written ? 0 : 1;
}
