// R12: the merge lease between projects whose files lead to one repository.
#include "engine/leases.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "engine/operate.h"
#include "engine/why.h"
#include "support/world.h"

namespace orchd::engine {
namespace {

using support::must;

// HELLO-1 merges, and OTHER-1 of a project beside it waits for a merge lease.
class MergeLeaseOfTwoProjects : public testing::TestWithParam<const char*> {
protected:
    MergeLeaseOfTwoProjects() {
        scene.without({Role::staging, Role::build});
        scene.task("HELLO-1").in(Stage::deploy_staging);
        scene.task("HELLO-1").commits({{"HELLO-1", "new\n"}});
        auto other = scene.project();
        other.name = "other";
        other.prefix = "OTHER";
        scene.projects.good.push_back(other);
        scene.write([&](store::Tx& tx) -> Status {
            const auto project = must(store::ensure_project(tx, "other"));
            const auto task = must(store::create_task(tx, project.id, "OTHER-1", "task/OTHER-1", "", "", scene.now));
            return store::set_waiting(tx, task.id, wait_merge_lease, "another task is merging", scene.now);
        });
        std::filesystem::create_directory_symlink(scene.forge.path, scene.folder / "symlink.git");
    }
    // The file of OTHER-1's project names the repository so, in the folder where HELLO-1's is forge.git.
    void other_is_of(const std::string& spelt) { scene.projects.good.back().forge_path = scene.folder / spelt; }
    std::string who_is_ahead_of_other() {
        const auto ahead = must(find_ahead(view_of(scene.world()), scene.task("OTHER-1").row()));
        return ahead ? ahead->work_item : "nobody";
    }
    void merge_of_hello_begins() { must(scene.step("HELLO-1")); }
    void merge_of_hello_ends() {
        scene.work("HELLO-1", Role::retest);
        must(scene.step("HELLO-1"));
        ASSERT_EQ(scene.task("HELLO-1").stage(), Stage::deploy);
    }
    support::Scene scene;
};

TEST_P(MergeLeaseOfTwoProjects, OfOneRepositoryIsOneForWhyAndForWhomItWakes) {
    other_is_of(GetParam());
    merge_of_hello_begins();
    EXPECT_EQ(who_is_ahead_of_other(), "HELLO-1");
    EXPECT_FALSE(scene.runs("OTHER-1", Role::step));
    merge_of_hello_ends();
    EXPECT_TRUE(scene.runs("OTHER-1", Role::step)) << "asked at once, not when it looks by itself";
}
INSTANTIATE_TEST_SUITE_P(HoweverItIsSpelt, MergeLeaseOfTwoProjects,
                         testing::Values("forge.git", "forge.git/", "person/../forge.git", "symlink.git"));

TEST_F(MergeLeaseOfTwoProjects, OfAProjectThatIsPausedGoesToTheOther) {
    other_is_of("forge.git");
    merge_of_hello_begins();
    auto control = scene.world("control");
    must(pause(control, "project:hello", "lunch", "ann"));
    EXPECT_TRUE(scene.runs("OTHER-1", Role::step)) << "asked at once";
    const auto key = must(store::all_held(scene.db, store::LeaseKind::merge)).front().key;
    const auto taken = [&](const char* by) {
        return scene.write([&](store::Tx& tx) {
            const auto task = scene.task(by).row().id;
            auto advance = must(store::running_advance(tx.db(), task));
            if (!advance) advance = must(store::queued_advance(tx.db(), task));
            return take_lease(control, acting(control, tx), store::LeaseKind::merge, key, task, advance.value().id);
        });
    };
    EXPECT_TRUE(taken("OTHER-1"));
    EXPECT_FALSE(must(store::live_run_job(scene.db, scene.task("HELLO-1").row().id)))
        << "the re-test that was queued under it does not start beside the other's merge";
    must(pause(control, "project:other", "lunch", "ann"));
    EXPECT_FALSE(taken("HELLO-1")) << "a step that is at work keeps it, paused or not";
}

TEST_F(MergeLeaseOfTwoProjects, FreedIsOfferedToNobodyWhoseProjectIsPaused) {
    other_is_of("forge.git");
    merge_of_hello_begins();
    auto control = scene.world("control");
    must(pause(control, "project:other", "lunch", "ann"));
    merge_of_hello_ends();
    must(resume(control, "project:other", "ann"));
    EXPECT_FALSE(scene.runs("OTHER-1", Role::step));
}

TEST_F(MergeLeaseOfTwoProjects, OfTwoRepositoriesAreTwo) {
    scene::sh(scene.folder.path(), "git init -q --bare -b main another.git");
    other_is_of("another.git");
    merge_of_hello_begins();
    EXPECT_EQ(who_is_ahead_of_other(), "nobody");
    merge_of_hello_ends();
    EXPECT_FALSE(scene.runs("OTHER-1", Role::step));
}

}  // namespace
}  // namespace orchd::engine
