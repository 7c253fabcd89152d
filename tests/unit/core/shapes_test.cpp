#include "core/shapes.h"

#include <gtest/gtest.h>
#include <string>

namespace orchd {
namespace {

TEST(Shapes, ACommitIdIsWhole) {
    EXPECT_TRUE(is_commit_id(std::string(40, 'a')));
    EXPECT_TRUE(is_commit_id(std::string(64, '0')));
    for (const auto& odd : {std::string("HEAD"), std::string("--all"), std::string(39, 'a'), std::string(40, 'A'),
                            std::string(40, 'g'), std::string()})
        EXPECT_FALSE(is_commit_id(odd)) << odd;
}

TEST(Shapes, ABranchsNameIsOneThatGitAllows) {
    for (const auto* good : {"main", "task/HELLO-1", "$(id)", "a-b_c.d", "zoë"}) EXPECT_TRUE(is_branch_name(good)) << good;
    for (const auto* bad : {"",     "-b",   "--upload-pack=x", "a..b",     "a b",  "a\nb", "a\x1b[0m", "/a", "a/", "a//b",
                            ".a",   "a/.b", "a.lock",          "a.lock/b", "a~1",  "a^",   "a:b",      "a?", "a*", "[a",
                            "a\\b", "@",    "a@{1}",           "a.",       "../a", "\x7f"})
        EXPECT_FALSE(is_branch_name(bad)) << bad;
    EXPECT_FALSE(is_branch_name(std::string(201, 'a')));
}

TEST(Shapes, AUuidHasItsFiveGroups) {
    EXPECT_TRUE(is_uuid("c467e125-59e3-44ec-b5ee-f9c1e138c611"));
    EXPECT_TRUE(is_uuid("C467E125-59E3-44EC-B5EE-F9C1E138C611"));
    for (const auto* odd : {"", "c467e125", "c467e12559e344ecb5eef9c1e138c611", "c467e125-59e3-44ec-b5ee-f9c1e138c61g",
                            "c467e125-59e3-44ec-b5ee-f9c1e138c6111"})
        EXPECT_FALSE(is_uuid(odd)) << odd;
}

}  // namespace
}  // namespace orchd
