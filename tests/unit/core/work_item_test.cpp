// Names that become units, users, files and folders: nothing else passes.
#include "core/work_item.h"

#include <gtest/gtest.h>

namespace orchd {
namespace {

TEST(WorkItem, TakesWhatThePatternSays) {
    for (const char* text : {"A-1", "ORCH-053", "H2O-0", "ABCDEFGHIJKLMN-1234567890"}) {
        const auto item = WorkItem::parse(text);
        ASSERT_TRUE(item) << text;
        EXPECT_EQ(item->text(), text);
    }
    EXPECT_EQ(WorkItem::parse("ORCH-053")->prefix(), "ORCH");
    EXPECT_EQ(WorkItem::parse("ORCH-053")->branch(), "task/ORCH-053");
}

TEST(WorkItem, IsKnownByItsNumberHoweverManyZerosStandBeforeIt) {
    const auto plain = [](const char* text) { return WorkItem::parse(text)->plain(); };
    EXPECT_EQ(plain("HELLO-01"), "HELLO-1");
    EXPECT_EQ(plain("HELLO-0000000001"), "HELLO-1");
    EXPECT_EQ(plain("ORCH-053"), "ORCH-53");
    EXPECT_EQ(plain("HELLO-10"), "HELLO-10");
    EXPECT_EQ(plain("HELLO-0"), "HELLO-0");
    EXPECT_EQ(plain("HELLO-000"), "HELLO-0");
    EXPECT_EQ(plain("H0-100"), "H0-100");
}

TEST(WorkItem, FitsAUserNameOfThirtyOneCharacters) {
    EXPECT_LE(std::string("orchd-ABCDEFGHIJKLMN-1234567890").size(), 31u);
    EXPECT_TRUE(WorkItem::parse("ABCDEFGHIJKLMN-1234567890"));
}

TEST(WorkItem, RefusesEverythingElse) {
    using namespace std::string_view_literals;
    for (const auto text : {""sv,
                            "ORCH"sv,
                            "ORCH-"sv,
                            "-1"sv,
                            "orch-1"sv,
                            "1A-1"sv,
                            "ORCH-1a"sv,
                            "ORCH-1-2"sv,
                            "ORCH-12345678901"sv,
                            "ABCDEFGHIJKLMNO-1"sv,
                            " ORCH-1"sv,
                            "ORCH-1 "sv,
                            "ORCH-1\n"sv,
                            "ORCH-1\0"sv,
                            "OR CH-1"sv,
                            "../A-1"sv,
                            "$(id)-1"sv,
                            "\xC3\x84-1"sv,
                            "A--1"sv,
                            "A-+1"sv,
                            "A_B-1"sv,
                            "A\x1b-1"sv,
                            "A-1\r"sv}) {
        const auto item = WorkItem::parse(text);
        ASSERT_FALSE(item) << text;
        EXPECT_EQ(item.error().code, Errc::invalid_argument);
        EXPECT_NE(item.error().text.find("ORCH-053"), std::string::npos);
    }
}

TEST(ProjectName, NamesAFileAndNothingElse) {
    for (const char* text : {"a", "hello", "a-b-c", "x2", "abcdefghijklmnopqrstuvwxyz01234"})
        EXPECT_TRUE(valid_project_name(text));
    for (const char* text : {"", "-a", "a-", "2x", "A", "a.b", "a/b", "..", "a b", "a\n", "abcdefghijklmnopqrstuvwxyz012345"})
        EXPECT_FALSE(valid_project_name(text)) << text;
}

}  // namespace
}  // namespace orchd
