#include "daemons/command_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace orchd::daemons {
namespace {

tl::expected<Arguments, int> parsed(std::vector<const char*> words) {
    words.insert(words.begin(), "orchd-prepare");
    return parse(
        {.name = "orchd-prepare", .about = "Prepares.", .takes_work_item = true, .flag = "--undo", .flag_about = "undo"},
        static_cast<int>(words.size()), words.data());
}

int status_of(const std::vector<const char*>& words) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto result = parsed(words);
    testing::internal::GetCapturedStderr();
    testing::internal::GetCapturedStdout();
    return result ? -1 : result.error();
}

TEST(CommandLine, TakesAWorkItemAndAFlag) {
    const auto plain = parsed({"ORCH-053"});
    ASSERT_TRUE(plain.has_value());
    EXPECT_EQ(plain->work_item, "ORCH-053");
    EXPECT_FALSE(plain->flag);
    const auto undo = parsed({"--undo", "ORCH-053"});
    ASSERT_TRUE(undo.has_value());
    EXPECT_TRUE(undo->flag);
}

TEST(CommandLine, EndsWithNothingAfterHelpAndVersion) {
    EXPECT_EQ(status_of({"--help"}), 0);
    EXPECT_EQ(status_of({"--version"}), 0);
}

TEST(CommandLine, FailsWhereTheAnswerCannotBeWritten) {
    for (const auto* word : {"--help", "--version"}) {
        const int kept = ::dup(STDOUT_FILENO), full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
        ::dup2(full, STDOUT_FILENO);
        const auto result = parsed({word});
        ::dup2(kept, STDOUT_FILENO);
        ::close(kept);
        ::close(full);
        std::cout.clear();
        EXPECT_EQ(result ? -1 : result.error(), 1) << word;
    }
}

TEST(CommandLine, EndsWithTwoAfterBadUsage) {
    EXPECT_EQ(status_of({}), 2);
    EXPECT_EQ(status_of({"--nonsense", "ORCH-053"}), 2);
    EXPECT_EQ(status_of({"../../etc/passwd"}), 2);
    EXPECT_EQ(status_of({"ORCH-053", "ORCH-054"}), 2);
}

// The status of a program with these words, the first of which is its name.
int ended(const std::vector<const char*>& words, int status_of_bugs, const std::function<int(const Arguments&)>& work) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = run_program(
        {.name = "orchd-run", .about = "Runs.", .flag = "--bundle", .flag_about = "bundle", .status_of_bugs = status_of_bugs},
        static_cast<int>(words.size()), words.data(), work);
    testing::internal::GetCapturedStderr();
    testing::internal::GetCapturedStdout();
    return status;
}

TEST(CommandLine, AProgramEndsWithWhatItsWorkSays) {
    EXPECT_EQ(ended({"orchd-run", "--bundle"}, 1, [](const Arguments& arguments) { return arguments.flag ? 7 : 0; }), 7);
    EXPECT_EQ(ended({"orchd-run", "--nonsense"}, 75, [](const Arguments&) { return 0; }), 2);
}

TEST(CommandLine, NothingThatIsThrownEscapesAMain) {
    const auto throws = [](const Arguments&) -> int { throw std::runtime_error("impossible"); };
    EXPECT_EQ(ended({"orchd-run"}, 1, throws), 1);
    EXPECT_EQ(ended({"orchd-run"}, 75, throws), 75);
}

}  // namespace
}  // namespace orchd::daemons
