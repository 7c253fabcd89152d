#include "core/text.h"

#include <gtest/gtest.h>

namespace orchd {
namespace {

TEST(Text, WordsAreJoinedByWhatStandsBetweenThem) {
    EXPECT_EQ(joined({}, ", "), "");
    EXPECT_EQ(joined({"a"}, ", "), "a");
    EXPECT_EQ(joined({"a", "", "b"}, ", "), "a, , b");
}

}  // namespace
}  // namespace orchd
