// Whoever asks for a task's records gets no other's, whatever is asked.
#include "core/log_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orchd {
namespace {

using Words = std::vector<std::string>;

TEST(LogRequest, IsOneLineAndBack) {
    const LogRequest request{.work_item = "HELLO-1",
                             .job = 17,
                             .invocations = {std::string(32, 'a'), std::string(32, '0')},
                             .lines = "50",
                             .follow = true};
    const auto read = log_request(to_line(request));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(to_line(*read), to_line(request));
    EXPECT_EQ(read->job, 17);
    EXPECT_EQ(read->invocations, request.invocations);
    EXPECT_TRUE(read->follow);
    EXPECT_EQ(to_line({.work_item = "HELLO-1"}), "HELLO-1");
}

TEST(LogRequest, NamesTheTaskInEachAlternative) {
    EXPECT_EQ(journal_command({.work_item = "HELLO-1"}),
              (Words{"journalctl", "--quiet", "--output=json", "--all", "--no-pager", "ORCHD_TASK=HELLO-1"}));
    const std::string id(32, 'b');
    EXPECT_EQ(journal_command({.work_item = "HELLO-1", .job = 17, .invocations = {id}, .lines = "all", .follow = true}),
              (Words{"journalctl", "--quiet", "--output=json", "--all", "--no-pager", "--follow", "--lines=all",
                     "ORCHD_TASK=HELLO-1", "ORCHD_JOB=17", "+", "ORCHD_TASK=HELLO-1", "_SYSTEMD_INVOCATION_ID=" + id}));
}

TEST(LogRequest, RefusesEverythingElse) {
    const std::string id(32, 'a');
    for (const auto& line :
         Words{"", " ", "hello-1", "--file=/etc/shadow", "HELLO-1 --since=today", "HELLO-1 + _UID=0", "HELLO-1 _UID=0",
               "HELLO-1 +", "HELLO-1 job=", "HELLO-1 job=x", "HELLO-1 job=-1", "HELLO-1 lines=", "HELLO-1 lines=+1",
               "HELLO-1 job=1 invocation=" + id + "a", "HELLO-1 job=1 invocation=" + std::string(32, 'G'),
               "HELLO-1 invocation=" + id, "HELLO-1 following", "HELLO-1;id", "HELLO-1 job=99999999999999999999"})
        EXPECT_FALSE(log_request(line)) << line;
}

}  // namespace
}  // namespace orchd
