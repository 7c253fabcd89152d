// Timers whose interval is a setting: the unit ships with the default, and the drop-in says what is set.
#include "settings/timers.h"

#include <gtest/gtest.h>
#include <fstream>
#include <sstream>

#include "settings/table.h"

namespace orchd::settings {
namespace {

std::string text_of(std::string_view unit) {
    std::ifstream in(std::string(ORCHD_UNITS) + '/' + std::string(unit));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

TEST(Timers, ShipWithTheDefaultOfTheirSetting) {
    for (const auto& timer : timer_intervals()) {
        ASSERT_NE(find_key(timer.key), nullptr) << timer.unit;
        const auto text = text_of(timer.unit);
        EXPECT_NE(text.find("OnUnitActiveSec=" + std::to_string(Settings{}.*timer.interval_s) + "s\n"), std::string::npos)
            << timer.unit;
        EXPECT_NE(text.find("OnActiveSec=" + std::to_string(timer.first_s) + "s\n"), std::string::npos) << timer.unit;
    }
}

TEST(Timers, TheDropInTakesTheOldTriggersBackFirst) {
    Settings settings;
    settings.reaper_interval_s = 7;
    const auto text = timer_dropin(timer_intervals()[0], settings);
    EXPECT_NE(text.find("[Timer]\nOnActiveSec=\nOnActiveSec=10s\nOnUnitActiveSec=7s\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace orchd::settings
