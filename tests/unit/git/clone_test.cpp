// The run's own clone.
#include <gtest/gtest.h>

#include "git/git.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

class CloneTest : public testing::Test {
protected:
    CloneTest() {
        auto mirror = open_mirror(folder / "m.git", {.timeout_s = 60});
        EXPECT_TRUE(mirror && (*mirror)->fetch(forge.path));
        const auto made = make_clone({folder / "m.git", clone, "task/HELLO-1", first});
        EXPECT_TRUE(made) << made.error().text;
    }

    scene::Folder folder;
    scene::Forge forge{folder};
    const std::string first = forge.at("main"), clone = folder / "clone";
};

TEST_F(CloneTest, IsOnItsBranchKnowsTheForgesBranchesAndSharesTheObjects) {
    EXPECT_EQ(sh(clone, "git status --porcelain --branch"), "## task/HELLO-1");
    EXPECT_EQ(sh(clone, "cat file"), "one\ntwo\nthree");
    EXPECT_EQ(sh(clone, "git rev-parse origin/main HEAD"), first + '\n' + first);
    EXPECT_EQ(sh(clone, "find .git/objects -type f ! -name alternates"), "");
    EXPECT_EQ(sh(clone, "find .git/refs -type f"), "") << "one file for all, however many branches the forge has";
    const auto two = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main");
    ASSERT_TRUE((*open_mirror(folder / "m.git", {}))->fetch(forge.path));
    EXPECT_EQ(sh(clone, "git fetch -q; git rev-parse origin/main"), two) << "its own git can fetch from the mirror";
}

}  // namespace
}  // namespace orchd::git
