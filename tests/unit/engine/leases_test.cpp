// R12: the merge lease between projects whose files lead to one repository.
#include "engine/leases.h"

#include <gtest/gtest.h>

#include <filesystem>

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
