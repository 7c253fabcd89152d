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
    Result<bool> leftovers() { return commit_leftovers(clone, "task/HELLO-1", "orchd developer", "What the developer left"); }

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

TEST_F(CloneTest, LeftoversAreCommittedOnceUnderTheGivenName) {
    EXPECT_FALSE(leftovers().value());
    sh(clone, "echo new >new; rm file");
    const auto done = leftovers();
    ASSERT_TRUE(done && *done) << done.error().text;
    EXPECT_EQ(sh(clone, "git log -1 --format='%an|%s|%P'; git status --porcelain; git ls-files"),
              "orchd developer|What the developer left|" + first + "\nnew");
    EXPECT_FALSE(leftovers().value());
}

TEST_F(CloneTest, LeftoversAreCommittedWhateverHooksLocksAndSettingsTheCloneHas) {
    sh(clone,
       "mkdir -p .git/hooks h; printf '#!/bin/sh\\ntouch ../ran; exit 1' >.git/hooks/pre-commit; chmod +x "
       ".git/hooks/pre-commit; "
       "cp .git/hooks/pre-commit h/post-commit; git config core.hooksPath h; git config core.fsmonitor ../clone/h/post-commit; "
       "git config commit.gpgSign true; git config user.useConfigOnly true; echo >.git/index.lock; echo >.git/HEAD.lock");
    const auto done = leftovers();
    ASSERT_TRUE(done && *done) << done.error().text;
    EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

TEST_F(CloneTest, LeftoversOfAnotherBranchAreLeft) {
    sh(clone, "git checkout -q --detach; echo x >x");
    EXPECT_EQ(leftovers().error().code, Errc::conflict);
}

TEST_F(CloneTest, BundleOfABranchThatWentBackOrAwayIsNone) {
    sh(clone, "git checkout -q --orphan nothing; git commit -q -m other; git branch -D task/HELLO-1 >/dev/null");
    EXPECT_FALSE(write_bundle(clone, "task/HELLO-1", first, folder / "b").value());
    EXPECT_FALSE(std::filesystem::exists(folder / "b"));
}

}  // namespace
}  // namespace orchd::git
