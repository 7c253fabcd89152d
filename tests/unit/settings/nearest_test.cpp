#include "settings/nearest.h"

#include <gtest/gtest.h>
#include <vector>

namespace orchd::settings {
namespace {

TEST(Nearest, CountsLettersPutInTakenOutReplacedAndSwapped) {
    EXPECT_EQ(edit_distance("", ""), 0);
    EXPECT_EQ(edit_distance("", "abc"), 3);
    EXPECT_EQ(edit_distance("abc", ""), 3);
    EXPECT_EQ(edit_distance("steps", "stepss"), 1);
    EXPECT_EQ(edit_distance("stps", "steps"), 1);
    EXPECT_EQ(edit_distance("stepz", "steps"), 1);
    EXPECT_EQ(edit_distance("setps", "steps"), 1);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST(Nearest, TakesTheNearestAndOfEqualsTheFirst) {
    const std::vector<std::string> known{"job", "task", "tasks", "pause"};
    EXPECT_EQ(nearest("taks", known), "task");
    EXPECT_EQ(nearest("pasue", known), "pause");
    EXPECT_EQ(nearest("jobs", known), "job");
}

TEST(Nearest, SuggestsNothingThatIsNotMeant) {
    const std::vector<std::string> known{"job", "max_concurrency"};
    EXPECT_EQ(nearest("colour", known), std::nullopt);
    EXPECT_EQ(nearest("xyz", known), std::nullopt);
    EXPECT_EQ(nearest("", known), std::nullopt);
    EXPECT_EQ(did_you_mean("colour", known), "");
    EXPECT_EQ(did_you_mean("max_concurency", known), "; did you mean max_concurrency?");
}

}  // namespace
}  // namespace orchd::settings
