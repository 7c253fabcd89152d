#include "core/text.h"

#include <gtest/gtest.h>

namespace orchd {
namespace {

TEST(Text, WordsAreJoinedByWhatStandsBetweenThem) {
    EXPECT_EQ(joined({}, ", "), "");
    EXPECT_EQ(joined({"a"}, ", "), "a");
    EXPECT_EQ(joined({"a", "", "b"}, ", "), "a, , b");
}

TEST(Text, OneIsCountedAsOne) {
    EXPECT_EQ(counted(0, "part"), "0 parts");
    EXPECT_EQ(counted(1, "part"), "1 part");
    EXPECT_EQ(counted(2, "part"), "2 parts");
}

TEST(Text, SpacesAloneSayNothing) {
    EXPECT_TRUE(blank(""));
    EXPECT_TRUE(blank("  "));
    EXPECT_FALSE(blank(" a "));
}

}  // namespace
}  // namespace orchd
