// How org.orchd1 leaves the bus.
#include "control/stay.h"

#include <csignal>
#include <functional>
#include <map>

#include "control/fixture.h"

namespace orchd::control {
namespace {

using namespace std::chrono_literals;

class StayTest : public ControlTest {
protected:
    StayTest() { EXPECT_GE(sd_bus_release_name(server_.get(), "org.orchd1"), 0); }  // Stay takes it itself

    // Calls `member` again and again, eight at a time, until the name is gone; counts the answers by error name.
    void stream(const char* member) {
        for (int i = 0; i < 8; ++i) call_once(member);
    }
    void call_once(const char* member) {
        streamed_ = member;
        const auto request = manager_call(*caller_, member);
        EXPECT_GE(sd_bus_call_async(caller_.get(), nullptr, request.get(), &StayTest::answered, this, 0), 0);
    }
    void after(std::chrono::microseconds wait, std::function<void()> act) {
        act_ = std::move(act);
        const auto handler = [](sd_event_source*, std::uint64_t, void* self) {
            static_cast<StayTest*>(self)->act_();
            return 0;
        };
        EXPECT_GE(sd_event_add_time_relative(event_.get(), nullptr, CLOCK_MONOTONIC, static_cast<std::uint64_t>(wait.count()),
                                             1, handler, this),
                  0);
    }
    std::map<std::string, int> answers_;

private:
    static int answered(sd_bus_message* answer, void* self, sd_bus_error*) {
        auto& test = *static_cast<StayTest*>(self);
        const auto* error = sd_bus_message_get_error(answer);
        ++test.answers_[error != nullptr ? error->name : ""];
        if (error == nullptr) test.call_once(test.streamed_);
        return 0;
    }
    const char* streamed_ = nullptr;
    std::function<void()> act_;
};

TEST_F(StayTest, it_leaves_when_nobody_has_called_for_the_time) {
    ASSERT_TRUE(Stay(*server_, *event_, *service_, 50ms).serve());
    EXPECT_EQ(sd_bus_get_name_creds(caller_.get(), "org.orchd1", 0, nullptr), -ENXIO);
}

TEST_F(StayTest, it_stays_while_somebody_is_subscribed) {
    bool unsubscribed = false;
    after(10ms, [&] {
        call_once("Subscribe");
        after(400ms, [&] {
            unsubscribed = true;
            caller_.reset();
        });
    });
    ASSERT_TRUE(Stay(*server_, *event_, *service_, 60ms).serve());
    EXPECT_TRUE(unsubscribed) << "it left under its subscriber";
}

TEST_F(StayTest, a_call_on_its_way_while_it_leaves_is_answered) {
    after(20ms, [&] { stream("GetQueue"); });
    ASSERT_EQ(sd_event_add_time_relative(
                  event_.get(), nullptr, CLOCK_MONOTONIC, 200'000, 1,
                  [](sd_event_source*, std::uint64_t, void*) { return raise(SIGTERM); }, nullptr),
              0);
    ASSERT_TRUE(Stay(*server_, *event_, *service_, 10s).serve());
    sd_bus_flush(server_.get());
    run_until([&] { return answers_["org.freedesktop.DBus.Error.ServiceUnknown"] == 8; });
    EXPECT_GT(answers_[""], 8);
    EXPECT_EQ(answers_.size(), 2U) << "a call was lost: neither answered nor told that the name is gone";
}

TEST_F(StayTest, a_name_that_another_has_is_an_error) {
    auto other = bus_.connect(*event_);
    ASSERT_GE(sd_bus_request_name(other.get(), "org.orchd1", 0), 0);
    EXPECT_FALSE(Stay(*server_, *event_, *service_, 50ms).serve());
}

}  // namespace
}  // namespace orchd::control
