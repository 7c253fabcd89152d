// What `project check --try` says of an end is what a run that ends so comes to.
#include "orchctl/try_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>

#include "store/store_fixture.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(TryEnd, SaysWhatATaskWouldComeTo) {
    EXPECT_EQ(problem_of_end("success", 0), "");
    EXPECT_EQ(problem_of_end("exit-code", 3), "is red: it ended with exit status 3");
    EXPECT_EQ(problem_of_end("exit-code", 75), "asks to come later (exit status 75): its run would be started again");
    for (const int status : {126, 127})
        EXPECT_EQ(problem_of_end("exit-code", status),
                  "could not be run (exit status " + std::to_string(status) + "): a task would be held");
    EXPECT_THAT(problem_of_end("exit-code", 124), HasSubstr("hangs"));
    EXPECT_THAT(problem_of_end("timeout", 9), HasSubstr("hangs"));
    EXPECT_EQ(problem_of_end("oom-kill", 9), "is red: oom-kill");
}

TEST(TryEnd, ABuildLeavesARelease) {
    const store::Folder folder;
    settings::Settings settings;
    settings.release_max_bytes = 3;
    const auto problem = [&] { return problem_of_release(folder.path(), settings); };
    const auto release = folder / "result/release.tar";
    EXPECT_THAT(problem(), HasSubstr("left no release.tar"));
    fs::create_directories(folder / "result");
    EXPECT_THAT(problem(), HasSubstr("left no release.tar"));
    std::ofstream(release) << "tar";
    EXPECT_EQ(problem(), "");
    std::ofstream(release) << "larger";
    EXPECT_THAT(problem(), HasSubstr("larger than 3 bytes"));
    fs::remove(release);
    fs::create_symlink("/etc/passwd", release);
    EXPECT_THAT(problem(), HasSubstr("no regular file"));
}

}  // namespace
}  // namespace orchd::orchctl
