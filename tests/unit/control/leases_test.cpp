// R12: an operator's call that frees a merge lease asks for who waits for it, in the call's own transaction.
#include <gtest/gtest.h>

#include <algorithm>

#include "control/fixture.h"
#include "engine/leases.h"
#include "host/host.h"
#include "store/jobs.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::control {
namespace {

// HELLO-1 has the merge lease for its queued job; HELLO-2 waits for it, and OTHER-1 of a project that spells the repository
// otherwise.
class FreedLeaseTest : public ControlTest {
protected:
    FreedLeaseTest() {
        const auto repository = bus_.folder() / "hello.git", symlink = bus_.folder() / "symlink.git";
        std::filesystem::create_directory(repository);
        std::filesystem::create_directory_symlink(repository, symlink);
        projects_.good.front().forge_path = repository;
        auto other = projects_.good.front();
        other.name = "other", other.prefix = "OTHER", other.forge_path = symlink;
        projects_.good.push_back(other);
        const auto holder = make_task("HELLO-1");
        job_ = store::list_jobs(db_, {})->at(0).job.id;
        const auto key = forge::repository_of(projects_.good.front());
        EXPECT_TRUE(db_.write([&](store::Tx& tx) {
            return store::acquire_held(tx, store::LeaseKind::merge, key, holder.id, job_, host::now());
        }));
    }
    // Made without work of its own, as one is whose step found the lease taken.
    void waits(const std::string& project, const std::string& work_item) {
        EXPECT_TRUE(db_.write([&](store::Tx& tx) -> Status {
            auto row = store::ensure_project(tx, project);
            if (!row) return fail(row.error());
            auto task = store::create_task(tx, row->id, work_item, "task/" + work_item, "", "", host::now());
            return task ? store::set_waiting(tx, task->id, engine::wait_merge_lease, "another task is merging", host::now())
                        : fail(task.error());
        }));
    }
    bool asked(const std::string& work_item) {
        const auto jobs = store::list_jobs(db_, {.work_item = work_item, .only_live = true});
        return jobs && std::ranges::any_of(*jobs, [](const auto& claim) { return claim.job.kind == JobKind::advance; });
    }
    std::uint64_t job() const { return static_cast<std::uint64_t>(job_); }

private:
    std::int64_t job_ = 0;
};

TEST_F(FreedLeaseTest, cancelling_the_holder_asks_for_the_oldest_that_waits) {
    waits("hello", "HELLO-2");
    waits("other", "OTHER-1");
    ASSERT_EQ(call("Cancel", "ss", "HELLO-1", "no longer wanted").error(), "");
    EXPECT_TRUE(asked("HELLO-2"));
    EXPECT_FALSE(asked("OTHER-1")) << "one at a time: the lease goes to it when HELLO-2 is through";
}

TEST_F(FreedLeaseTest, cancelling_the_holder_asks_across_projects_of_one_repository) {
    waits("other", "OTHER-1");
    ASSERT_EQ(call("Cancel", "ss", "HELLO-1", "no longer wanted").error(), "");
    EXPECT_TRUE(asked("OTHER-1"));
}

TEST_F(FreedLeaseTest, a_holder_held_with_its_cancelled_job_asks_for_who_waits) {
    waits("other", "OTHER-1");
    ASSERT_EQ(call("CancelJob", "t", job()).error(), "");
    ASSERT_EQ(store::find_task(db_, "HELLO-1")->value().hold, Hold::human);
    EXPECT_TRUE(asked("OTHER-1"));
}

TEST_F(FreedLeaseTest, a_paused_holder_asks_for_who_waits) {
    waits("other", "OTHER-1");
    ASSERT_EQ(call("Pause", "ss", "task:HELLO-1", "later").error(), "");
    EXPECT_TRUE(asked("OTHER-1"));
}

TEST_F(FreedLeaseTest, who_waits_for_another_repository_is_not_asked) {
    projects_.good.back().forge_path = bus_.folder() / "another.git";
    waits("other", "OTHER-1");
    ASSERT_EQ(call("Cancel", "ss", "HELLO-1", "no longer wanted").error(), "");
    EXPECT_FALSE(asked("OTHER-1"));
}

}  // namespace
}  // namespace orchd::control
