#include "orchctl/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace orchd::orchctl {
namespace {

using ::testing::HasSubstr;

TEST(Client, R42_OurErrorsKeepTheirMeaningAndTheirSentence) {
    const auto gone = explain_reply("org.orchd1.Error.NoSuchTask", "There is no task HELLO-9.");
    EXPECT_EQ(gone.code, Errc::no_such);
    EXPECT_EQ(gone.text, "There is no task HELLO-9.");
    EXPECT_EQ(face(gone.code).exit_status, 3);
    EXPECT_EQ(face(explain_reply("org.orchd1.Error.Conflict", "x").code).exit_status, 1);
    EXPECT_EQ(face(explain_reply("org.orchd1.Error.InvalidArgument", "x").code).exit_status, 2);
    EXPECT_EQ(face(explain_reply("org.orchd1.Error.NotPermitted", "x").code).exit_status, 4);
}

TEST(Client, R42_ErrorsOfTheBusSayWhatToDo) {
    for (const auto* name :
         {"org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"}) {
        const auto refused = explain_reply(name, "no");
        EXPECT_EQ(face(refused.code).exit_status, 4);
        EXPECT_THAT(refused.text, HasSubstr("sudo"));
    }
    const auto silent = explain_reply("org.freedesktop.DBus.Error.ServiceUnknown", "no such name");
    EXPECT_EQ(silent.code, Errc::unavailable);
    EXPECT_THAT(silent.text, HasSubstr("systemctl status orchd-control"));
}

TEST(Client, R42_ATextThatWouldBeCutIsRefused) {
    const std::string cut("before\0behind", 13);
    for (const auto& given : {Argument(cut), Argument(Options{{"priority", std::uint64_t{5}}, {"body", cut}})}) {
        const auto refused = check_arguments({"HELLO-1", given});
        ASSERT_FALSE(refused);
        EXPECT_EQ(face(refused.error().code).exit_status, 2);
        EXPECT_THAT(refused.error().text, HasSubstr("has a NUL character"));
    }
    EXPECT_TRUE(check_arguments({"HELLO-1", std::uint64_t{0}, Options{{"open", false}, {"body", std::string("two\nlines")}}}));
}

TEST(Client, R42_PropertiesAreNamedAsTheMembersOfLists) {
    EXPECT_EQ(snake_case("WorkItem"), "work_item");
    EXPECT_EQ(snake_case("Id"), "id");
    EXPECT_EQ(snake_case("MaxAttempts"), "max_attempts");
}

TEST(Record, IsTheSameAfterJson) {
    Record record;
    record.add("text", std::string("a\x1b"));
    record.add("number", std::int64_t{7});
    record.add("flag", true);
    record.add("none", std::monostate{});
    const auto json = boost::json::serialize(to_json(record));
    EXPECT_EQ(json, R"({"text":"a\u001b","number":7,"flag":true,"none":null})");
    const auto again = record_of(boost::json::parse(json).as_object());
    EXPECT_EQ(again.text("text"), "a\x1b");
    EXPECT_EQ(again.number("number"), 7);
    EXPECT_TRUE(again.flag("flag"));
    EXPECT_EQ(again.number("none"), 0);
    EXPECT_EQ(again.text("nothing"), "");
}

}  // namespace
}  // namespace orchd::orchctl
