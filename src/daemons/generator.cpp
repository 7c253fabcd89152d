// orchd-generator: run by systemd at boot and with each daemon-reload, before any unit, to keep the timers in step with the
// settings (systemd.generator(7)). Where the settings are wrong the intervals that the units ship with hold.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/names.h"
#include "settings/timers.h"

int main(int argc, char** argv) {
    using namespace orchd;
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::cout << "orchd-generator " ORCHD_VERSION "\n";
        return 0;
    }
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::cout << "Usage: orchd-generator NORMAL-DIR EARLY-DIR LATE-DIR\n"
                     "Writes drop-ins for the timers of orchd into NORMAL-DIR. Run by systemd, see systemd.generator(7).\n";
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
        std::cerr << "orchd-generator: the timers keep the intervals they ship with: " << loaded.error().text << '\n';
        return 0;
    }
    for (const auto& timer : settings::timer_intervals()) {
        const auto folder = std::filesystem::path(argv[1]) / (std::string(timer.unit) + ".d");
        std::error_code failed;
        std::filesystem::create_directories(folder, failed);
        std::ofstream(folder / "50-interval.conf") << settings::timer_dropin(timer, loaded->settings);
    }
    return 0;
}
