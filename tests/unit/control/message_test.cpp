// What the control service accepts as arguments, and what it puts on the bus.
#include "control/message.h"

#include <gtest/gtest.h>

#include "control/fixture.h"

namespace orchd::control {
namespace {

TEST(Utf8, keeps_what_is_well_formed) {
    const std::string text = "tab\tline\n\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80";
    EXPECT_EQ(utf8(text), text);
}

TEST(Utf8, replaces_what_would_end_the_connection) {
    const std::string mark = "\xef\xbf\xbd";
    EXPECT_EQ(utf8("a\xff z"), "a" + mark + " z");
    EXPECT_EQ(utf8(std::string_view("nul\0.", 5)), "nul" + mark + ".");
    EXPECT_EQ(utf8("cut \xe2\x82"), "cut " + mark + mark);
    EXPECT_EQ(utf8("overlong \xc0\x80"), "overlong " + mark + mark);
    EXPECT_EQ(utf8("surrogate \xed\xa0\x80"), "surrogate " + mark + mark + mark);
    EXPECT_EQ(utf8("beyond \xf4\x90\x80\x80"), "beyond " + mark + mark + mark + mark);
}

TEST(Paths, escape_the_dash_of_a_work_item) {
    EXPECT_EQ(task_path("HELLO-1"), "/org/orchd1/task/HELLO_2d1");
    EXPECT_EQ(job_path(17), "/org/orchd1/job/17");
}

class ArgumentsTest : public ControlTest {
protected:
    // ListTasks with one option, as `busctl call … ListTasks a{sv} 1 KEY TYPE VALUE` would.
    template <class Value>
    Answer list_with(const char* key, const char* type, Value value) {
        return call("ListTasks", "a{sv}", 1, key, type, value);
    }
};

TEST_F(ArgumentsTest, an_unknown_option_is_refused_and_the_known_ones_are_named) {
    const auto answer = list_with("stages", "s", "review");
    EXPECT_EQ(answer.error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_NE(answer.error_text().find("'stages'"), std::string::npos);
    EXPECT_NE(answer.error_text().find("project, stage, open, needs_you, limit"), std::string::npos);
}

TEST_F(ArgumentsTest, an_option_of_another_type_is_refused) {
    EXPECT_EQ(list_with("limit", "s", "ten").error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(list_with("open", "u", 1).error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(list_with("project", "b", 1).error(), "org.orchd1.Error.InvalidArgument");
}

TEST_F(ArgumentsTest, an_option_given_twice_is_refused) {
    EXPECT_EQ(call("ListTasks", "a{sv}", 2, "limit", "u", 1, "limit", "u", 2).error(), "org.orchd1.Error.InvalidArgument");
}

TEST_F(ArgumentsTest, numbers_of_any_width_are_read_and_bounds_are_kept) {
    EXPECT_EQ(list_with("limit", "i", 10).error(), "");
    EXPECT_EQ(list_with("limit", "t", std::uint64_t{10}).error(), "");
    EXPECT_EQ(list_with("limit", "u", 0).error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(list_with("limit", "i", -1).error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(list_with("limit", "t", ~std::uint64_t{0}).error(), "org.orchd1.Error.InvalidArgument");
}

TEST_F(ArgumentsTest, a_word_outside_the_table_is_refused_and_the_known_ones_are_named) {
    const auto answer = list_with("stage", "s", "reviewing");
    EXPECT_EQ(answer.error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_NE(answer.error_text().find("review, testing"), std::string::npos);
}

TEST_F(ArgumentsTest, what_is_no_work_item_is_an_invalid_argument) {
    for (const char* bad : {"", "hello-1", "HELLO", "HELLO-1;reboot", "HELLO-1\n", "../HELLO-1"})
        EXPECT_EQ(call("Retry", "s", bad).error(), "org.orchd1.Error.InvalidArgument") << bad;
}

TEST_F(ArgumentsTest, an_id_that_no_row_can_have_is_no_such_job) {
    EXPECT_EQ(call("CancelJob", "t", ~std::uint64_t{0}).error(), "org.orchd1.Error.NoSuchTask");
    EXPECT_EQ(call("CancelJob", "t", std::uint64_t{0}).error(), "org.orchd1.Error.NoSuchTask");
}

}  // namespace
}  // namespace orchd::control
