#include "store/jobs.h"

#include "store_fixture.h"

namespace orchd::store {
namespace {

using JobsTest = StoreTest;

TEST_F(JobsTest, AClaimedJobRunsAndEnds) {
    const auto t = task("HELLO-1");
    const auto id = ask(t, Role::analyst).value();
    EXPECT_EQ(job(id).status, JobStatus::queued);

    const auto c = claim_one();
    EXPECT_EQ(c.job.id, id);
    EXPECT_EQ(c.job.status, JobStatus::running);
    EXPECT_EQ(c.job.attempts, 1);
    EXPECT_EQ(c.job.run_id, c.run.id);
    EXPECT_EQ(c.run.unit, "orchd-agent@HELLO-1.service");
    EXPECT_EQ(c.run.boot_id, "boot-1");
    EXPECT_EQ(c.work_item, "HELLO-1");
    EXPECT_EQ(c.project, "hello");

    EXPECT_TRUE(write([&](Tx& tx) { return finish_job(tx, id, c.run.id, JobStatus::done, "", "cafe", later(5)); }));
    EXPECT_EQ(job(id).status, JobStatus::done);
    EXPECT_EQ(run(c.run.id).head_after, "cafe");
    EXPECT_EQ(run(c.run.id).finished_at, later(5).utc_ms);
    EXPECT_FALSE(write([&](Tx& tx) { return finish_job(tx, id, c.run.id, JobStatus::failed, "", "", now); }));
}

}  // namespace
}  // namespace orchd::store
