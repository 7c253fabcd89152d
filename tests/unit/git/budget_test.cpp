// R17: all calls of git of one process together keep to one budget, whatever they come to be.
#include "git/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstdlib>
#include <filesystem>

#include "git/call.h"
#include "git/lock.h"
#include "host/host.h"

namespace orchd::git {
namespace {

using ::testing::HasSubstr;

class BudgetTest : public ::testing::Test {
protected:
    ~BudgetTest() override { limit_together(std::nullopt); }
    static Result<Answer> long_call() {
        return call({.repository = {}, .args = {"-c", "alias.long=!sleep 60", "long"}, .timeout_s = 300});
    }
};

TEST_F(BudgetTest, R17_WithoutOneACallHasItsOwnLimit) {
    EXPECT_EQ(patience_ms(300), 300'000);
    EXPECT_FALSE(spent());
    EXPECT_TRUE(call({.repository = {}, .args = {"version"}}));
}

TEST_F(BudgetTest, R17_ACallIsBrokenOffWhereItIsSpentAndTheNextIsNotBegun) {
    limit_together(1);
    const auto began = host::boottime_ms();
    const auto broken_off = long_call();
    ASSERT_FALSE(broken_off);
    EXPECT_EQ(broken_off.error().code, Errc::unavailable);
    EXPECT_THAT(broken_off.error().text, HasSubstr("the time that this unit may spend in git (see git_timeout_s) has passed"));
    EXPECT_LT(host::boottime_ms() - began, 30'000);
    const auto next = call({.repository = {}, .args = {"version"}});
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, Errc::unavailable);
}

TEST_F(BudgetTest, R17_ACallsOwnShorterLimitHoldsWithinIt) {
    limit_together(1000);
    EXPECT_EQ(patience_ms(2), 2000);
    EXPECT_GT(patience_ms(5000), 900'000);
    EXPECT_LE(patience_ms(5000), 1'000'000);
}

TEST_F(BudgetTest, R17_TheWaitForALockIsOfItToo) {
    std::string folder = (std::filesystem::temp_directory_path() / "orchd-budget-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    {
        const auto held = RepositoryLock::take(folder, 1);
        ASSERT_TRUE(held);
        limit_together(1);
        const auto began = host::boottime_ms();
        EXPECT_FALSE(RepositoryLock::take(folder, 300));
        EXPECT_LT(host::boottime_ms() - began, 30'000);
    }
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace orchd::git
