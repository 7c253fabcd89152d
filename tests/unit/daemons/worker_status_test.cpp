#include "daemons/worker_status.h"

#include "store/store_fixture.h"

namespace orchd::daemons {
namespace {

using store::must;
using store::Tx;

class WorkerStatus : public store::StoreTest {
protected:
    std::string status(bool disk_low = false) { return must(worker_status(db, disk_low)); }
    void pause(const std::string& by, const std::string& reason) {
        write([&](Tx& tx) { return store::put_state(tx, {.key = "paused", .by = by, .reason = reason, .at = now.utc_ms}); });
    }
};

TEST_F(WorkerStatus, TellsTheFiguresThatAreNotNull) {
    EXPECT_EQ(status(), "nothing to do");
    for (const std::string item : {"HELLO-1", "HELLO-2", "HELLO-3"}) (void)ask(task(item), Role::developer);
    EXPECT_EQ(status(), "3 queued");
    (void)claim_one();
    const auto stopping = claim_one();
    write([&](Tx& tx) { return store::begin_stopping(tx, stopping.job.id, stopping.run.id, ""); });
    const auto waiting = task("HELLO-4");
    write([&](Tx& tx) { return store::set_waiting(tx, waiting, "check_analysis_approved", "", now); });
    EXPECT_EQ(status(), "1 running, 1 stopping, 1 queued, 1 waiting for a person");
}

TEST_F(WorkerStatus, TellsWhyNothingIsStarted) {
    (void)ask(task("HELLO-1"), Role::developer);
    EXPECT_EQ(status(true), "nothing is started, there is too little space on the disk; 1 queued");
    pause("ada", "the night");
    EXPECT_EQ(status(), "paused by ada: the night; 1 queued");
    EXPECT_EQ(status(true), "paused by ada: the night; 1 queued") << "a person comes first";
}

// A line feed would begin another assignment to systemd.
TEST_F(WorkerStatus, IsOneLineWhateverTheReasonHolds) {
    pause("ada", "one\nMAINPID=1\n" + std::string(1000, 'x'));
    EXPECT_EQ(status(), "paused by ada: one MAINPID=1 " + std::string(200 - 14, 'x') + "; nothing to do");
}

}  // namespace
}  // namespace orchd::daemons
