// A connection to a message bus that is opened long before it is used.
#include <cstdlib>

#include "fixture.h"

namespace orchd::control {
namespace {

// dbus-daemon drops connections that do not authenticate in time, and sd-bus does so only with the first call: what control
// asked of systemd half a minute after it had opened its connection came back as "Connection terminated".
TEST(Connection, IsAuthenticatedOnceItIsOpen) {
    const PrivateBus daemon;
    setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon.address().c_str(), 1);
    const auto bus = host::open_system_bus();
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    ASSERT_TRUE(bus.has_value()) << bus.error().text;
    EXPECT_GT(sd_bus_is_ready(bus->get()), 0);
}

TEST(Connection, ThatCannotBeMadeIsAnError) {
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
    const auto bus = host::open_system_bus();
    unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    ASSERT_FALSE(bus.has_value());
    EXPECT_EQ(bus.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace orchd::control
