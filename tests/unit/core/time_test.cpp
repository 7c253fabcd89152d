#include "core/time.h"

#include <gtest/gtest.h>

namespace orchd {
namespace {

TEST(Time, WhatLastsIsSaidAtOnceAndAgainWhenItsTimeHasPassed) {
    std::optional<int> said;
    EXPECT_TRUE(due_again(said, 100, 60));
    EXPECT_FALSE(due_again(said, 100, 60));
    EXPECT_FALSE(due_again(said, 159, 60));
    EXPECT_TRUE(due_again(said, 160, 60)) << "since it was said, not since it was asked";
    EXPECT_FALSE(due_again(said, 219, 60));
}

}  // namespace
}  // namespace orchd
