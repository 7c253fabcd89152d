// A hundred units that are slow to stop come nowhere near the worker's watchdog (WatchdogSec=60s), nor keep its other work
// waiting.
#include "daemons/patience.h"

#include <gtest/gtest.h>

namespace orchd::daemons {
namespace {

TEST(Patience, ManySlowUnitsTogetherAreWaitedForNoLongerThanItLasts) {
    Patience patience;
    std::int64_t now = 1'000'000;
    const auto begun = now;
    for (int unit = 0; unit < 100; ++unit) {
        const auto wait = patience.left(now);
        EXPECT_LE(wait, Patience::each_ms);
        now += wait;
        patience.waited(wait);
    }
    EXPECT_LT(now - begun, 2 * Patience::at_most_ms);
}

TEST(Patience, ComesBackWithTime) {
    Patience patience;
    std::int64_t now = 0;
    for (int n = 0; n < 20; ++n) patience.waited(patience.left(now));
    EXPECT_EQ(patience.left(now), 0);
    EXPECT_EQ(patience.left(now += 5'000), 500);
    EXPECT_EQ(patience.left(now += 1'000'000), Patience::each_ms);
    for (std::int64_t waited = 0; waited < Patience::at_most_ms; waited += Patience::each_ms) {
        EXPECT_EQ(patience.left(now), Patience::each_ms);
        patience.waited(Patience::each_ms);
    }
    EXPECT_EQ(patience.left(now), 0) << "no more than that is saved up";
}

}  // namespace
}  // namespace orchd::daemons
