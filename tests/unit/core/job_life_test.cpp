// R08, R09, R10: the life of a job, and what an exit means.
#include "core/job_life.h"

#include <gtest/gtest.h>
#include <csignal>
#include <set>
#include <utility>

#include "core/names.h"

namespace orchd {
namespace {

TEST(JobLife, R09_EveryPairOfStatusesIsAnArrowOrIsNot) {
    using enum JobStatus;
    const std::set<std::pair<JobStatus, JobStatus>> arrows{
        {queued, running},    {queued, cancelled}, {running, stopping}, {running, done},    {running, failed},
        {running, cancelled}, {stopping, queued},  {stopping, done},    {stopping, failed}, {stopping, cancelled}};
    for (const auto from : {queued, running, stopping, done, failed, cancelled})
        for (const auto to : {queued, running, stopping, done, failed, cancelled})
            EXPECT_EQ(legal(from, to), arrows.contains({from, to})) << to_text(from) << " -> " << to_text(to);
}

TEST(JobLife, R09_OnlyEndedJobsHaveNoArrowOut) {
    for (std::size_t from = 0; from < enum_text<JobStatus>.size(); ++from) {
        bool any = false;
        for (std::size_t to = 0; to < enum_text<JobStatus>.size(); ++to) any |= legal(JobStatus(from), JobStatus(to));
        EXPECT_EQ(any, live(JobStatus(from)));
    }
}

TEST(JobLife, R08_EveryExitHasItsMeaning) {
    EXPECT_EQ(outcome({ExitKind::exited, 0}), Outcome::look);
    EXPECT_EQ(outcome({ExitKind::exited, 75}), Outcome::transient);
    EXPECT_EQ(outcome({ExitKind::exited, 124}), Outcome::too_long) << "the launcher's own time limit";
    EXPECT_EQ(outcome({ExitKind::exited, 126}), Outcome::cannot_run);
    EXPECT_EQ(outcome({ExitKind::exited, 127}), Outcome::cannot_run);
    for (const int status : {1, 2, 3, 74, 76, 125, 128, 143, 199, 244, 255})
        EXPECT_EQ(outcome({ExitKind::exited, status}), Outcome::failed) << status;
    for (const int status : {200, 203, names::exit_not_set_up, 226, 243})
        EXPECT_EQ(outcome({ExitKind::exited, status}), Outcome::infra) << status;
    for (const int status : {0, 1, 9, 15, 75}) {
        for (const auto kind : {ExitKind::killed, ExitKind::dumped, ExitKind::lost})
            EXPECT_EQ(outcome({kind, status}), Outcome::infra);
        EXPECT_EQ(outcome({ExitKind::timeout, status}), Outcome::too_long) << "the unit's";
    }
}

struct Seen {
    const char *result, *code, *status;
    ExitKind kind;
    int number;
};
class ExitFromMonitor : public ::testing::TestWithParam<Seen> {};
TEST_P(ExitFromMonitor, R08_ReadsWhatTheManagerSaid) {
    const Seen& seen = GetParam();
    const Exit exit = exit_from_monitor(seen.result, seen.code, seen.status);
    EXPECT_EQ(exit.kind, seen.kind);
    EXPECT_EQ(exit.status, seen.number);
}
INSTANTIATE_TEST_SUITE_P(
    AllOf, ExitFromMonitor,
    ::testing::Values(
        Seen{"success", "exited", "0", ExitKind::exited, 0}, Seen{"exit-code", "exited", "3", ExitKind::exited, 3},
        Seen{"exit-code", "exited", "75", ExitKind::exited, 75},
        Seen{"success", "killed", "TERM", ExitKind::killed, SIGTERM},  // a death by SIGTERM reads "success"
        Seen{"signal", "killed", "KILL", ExitKind::killed, SIGKILL},
        Seen{"oom-kill", "killed", "KILL", ExitKind::killed, SIGKILL},
        Seen{"core-dump", "dumped", "SEGV", ExitKind::dumped, SIGSEGV},
        Seen{"timeout", "killed", "TERM", ExitKind::timeout, SIGTERM}, Seen{"timeout", "exited", "0", ExitKind::timeout, 0},
        Seen{"watchdog", "dumped", "ABRT", ExitKind::timeout, SIGABRT}, Seen{"signal", "killed", "9", ExitKind::killed, 9},
        Seen{"signal", "killed", "NONSENSE", ExitKind::killed, 0},
        Seen{"success", "", "", ExitKind::lost, 0},           // prepare failed: never ran
        Seen{"exit-code", "exited", "0", ExitKind::lost, 0},  // its bundle could not be written
        Seen{"resources", "", "", ExitKind::lost, 0}, Seen{"timeout", "", "", ExitKind::lost, 0},
        Seen{"", "", "", ExitKind::lost, 0}, Seen{"success", "nonsense", "0", ExitKind::lost, 0}));

TEST(JobLife, AWaitForWhatAskedToComeLaterSurelyGrows) {
    for (int times = 0; times < 5; ++times)
        EXPECT_LE(growing_wait_ms(times, 5000, 300'000, 0.999999), growing_wait_ms(times + 1, 5000, 300'000, 0.0)) << times;
    EXPECT_EQ(growing_wait_ms(0, 5000, 300'000, 0.0), 2500);
    EXPECT_EQ(growing_wait_ms(50, 5000, 300'000, 0.5), 225'000);
}

TEST(JobLife, ATimeToComeAgainIsOneLine) {
    const std::int64_t time = 1'782'900'000'000;
    for (const auto* text : {"2026-07-01T10:00:00Z", "2026-07-01T10:00:00Z\n", "  2026-07-01T12:00:00+02:00 \r\n",
                             "2026-07-01T10:00:00.000Z", "1782900000", "1782900000\n"})
        EXPECT_EQ(parse_retry_at(text), time) << text;
    for (const auto* text :
         {"", "\n", "tomorrow", "2026-07-01", "2026-07-01 10:00:00", "2026-07-01T10:00:00", "2026-13-01T10:00:00Z", "-5", "1e9",
          "1782900000 1782900001", "2026-07-01T10:00:00Z\n2026-07-01T10:00:00Z", "99999999999999999999999", "1782900000000000",
          "Wed, 01 Jul 2026 10:00:00 GMT"})
        EXPECT_FALSE(parse_retry_at(text)) << text;
    EXPECT_FALSE(parse_retry_at(std::string_view("1782900000\0", 11)));
}

TEST(JobLife, R07_BackoffDoublesWithFullJitterUpToItsCap) {
    EXPECT_EQ(backoff_ms(0, 5000, 300'000, 0.5), 2500);
    EXPECT_EQ(backoff_ms(1, 5000, 300'000, 0.5), 5000);
    EXPECT_EQ(backoff_ms(3, 5000, 300'000, 0.5), 20'000);
    EXPECT_EQ(backoff_ms(10, 5000, 300'000, 0.5), 150'000);
    EXPECT_EQ(backoff_ms(1'000'000, 5000, 300'000, 0.5), 150'000) << "no overflow";
    EXPECT_EQ(backoff_ms(-1, 5000, 300'000, 0.5), 2500);
    EXPECT_EQ(backoff_ms(3, 5000, 300'000, 0.0), 0);
    EXPECT_LT(backoff_ms(3, 5000, 300'000, 0.999999), 40'000);
    EXPECT_EQ(backoff_ms(3, 0, 300'000, 0.5), 0);
}

}  // namespace
}  // namespace orchd
