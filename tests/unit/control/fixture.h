// A real message bus of the test's own, with the control service on it and callers beside it, all in one event loop.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/service.h"
#include "host/systemd.h"
#include "store/db.h"

namespace orchd::control {

// dbus-daemon in a folder of its own; gone with the handle.
class PrivateBus {
public:
    PrivateBus();
    PrivateBus(const PrivateBus&) = delete;
    ~PrivateBus();
    [[nodiscard]] host::Bus connect(sd_event& event) const;
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] const std::string& address() const { return address_; }

private:
    std::filesystem::path folder_;
    std::string address_;
    pid_t daemon_ = -1;
};

struct Answer {
    host::Message message;
    [[nodiscard]] std::string error() const;  // its D-Bus name, "" where it is none
    [[nodiscard]] std::string error_text() const;
    [[nodiscard]] std::string text() const;  // the first argument, a string or an object path
};

class ControlTest : public testing::Test {
protected:
    ControlTest();

    // Puts a new service in the place of the one there was, as after a restart.
    void start_service();
    // Calls org.orchd1.Manager and runs the loop until the answer is there. `types` and what follows as sd_bus_message_append.
    template <class... Values>
    Answer call(const char* member, const char* types = "", const Values&... values) {
        auto request = manager_call(*caller_, member);
        EXPECT_GE(sd_bus_message_append(request.get(), types, values...), 0);
        return send(*caller_, std::move(request));
    }
    Answer send(sd_bus& from, host::Message request);
    static host::Message manager_call(sd_bus& from, const char* member);
    Answer get_property(const std::string& path, const char* interface, const char* name);
    // Lets the loop run until `done`; fails after ten seconds.
    template <class Done>
    void run_until(Done done) {
        for (int turn = 0; turn < 1000 && !done(); ++turn) sd_event_run(event_.get(), 10'000);
        ASSERT_TRUE(done());
    }
    // Signals of ours that reached the caller: "JobChanged", "PropertiesChanged", …
    void listen_to_signals();
    bool heard(const std::string& member) const;
    host::Message take(const std::string& member);

    store::Task make_task(const std::string& work_item);

    PrivateBus bus_;
    host::Event event_;
    store::Db db_;
    settings::Settings settings_;
    settings::Projects projects_;
    engine::World world_;
    bool database_gone_ = false;
    host::Bus server_, caller_;
    std::optional<Service> service_;
    std::deque<host::Message> signals_;
    host::Slot signal_match_;
};

}  // namespace orchd::control
