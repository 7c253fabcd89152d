// Issue 10: what git will refuse for ever is known by its words; what may pass is tried again.
#include "git/lasting.h"

#include "git/git.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

struct LastingTest : ::testing::Test {
    LastingTest() {
        auto opened = open_mirror(folder / "mirror.git", {});
        EXPECT_TRUE(opened) << opened.error().text;
        mirror = std::move(*opened);
        EXPECT_TRUE(mirror->fetch(forge.path));
        first = forge.at("main");
    }
    scene::Folder folder;
    scene::Forge forge{folder};
    std::unique_ptr<Mirror> mirror;
    std::string first;
};

void expect_lasting(const Status& refused, bool as) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(lasting(refused.error()), as) << refused.error().text;
}

TEST_F(LastingTest, ARepositoryThatIsNotThere) {
    expect_lasting(mirror->fetch(folder / "nowhere.git"), true);
    expect_lasting(mirror->push(folder / "nowhere.git", "task/X-1", first, ""), true);
}

TEST_F(LastingTest, ABranchThatStandsInTheWayOfTheName) {
    sh(forge.path, "git branch task main");
    expect_lasting(mirror->push(forge.path, "task/X-1", first, ""), true);
}

TEST_F(LastingTest, AReceivingSideThatTakesNoRewrittenBranch) {
    sh(forge.path, "git config receive.denyNonFastForwards true");
    const auto theirs =
        forge.commit("git checkout -q -b task/X-1; git commit -q --allow-empty -m theirs; git push -q origin task/X-1");
    ASSERT_TRUE(mirror->fetch(forge.path));
    const auto other = mirror->commit_file(first, "file", "other", "another history");
    ASSERT_TRUE(other);
    expect_lasting(mirror->push(forge.path, "task/X-1", *other, theirs), true);
}

TEST_F(LastingTest, ABranchThatMovedMeanwhileIsLookedAtAgain) {
    const auto theirs =
        forge.commit("git checkout -q -b task/X-1; git commit -q --allow-empty -m theirs; git push -q origin task/X-1");
    const auto other = mirror->commit_file(first, "file", "other", "another history");
    ASSERT_TRUE(other);
    expect_lasting(mirror->push(forge.path, "task/X-1", *other, ""), false);
}

TEST_F(LastingTest, AnObjectThatIsBroken) {
    const auto theirs = forge.commit(
        "git checkout -q -b task/X-1; echo new >new; git add new; git commit -q -m theirs; git push -q origin task/X-1");
    sh(forge.path, "f=objects/$(echo " + theirs + " | sed 's,^..,&/,'); chmod u+w $f; echo broken >$f");
    expect_lasting(mirror->fetch(forge.path), true);
}

TEST_F(LastingTest, ALockThatSomebodyHoldsPasses) {
    EXPECT_FALSE(lasting({Errc::unavailable,
                          "git push in /m.git: error: cannot lock ref 'refs/heads/task/X-1': Unable to create "
                          "'/f.git/refs/heads/task/X-1.lock': File exists."}));
    EXPECT_FALSE(lasting({Errc::unavailable, "git fetch in /m.git took more than 300 s"}));
    EXPECT_FALSE(lasting({Errc::unavailable, "git index-pack in /m.git: fatal: write error: No space left on device"}));
    EXPECT_FALSE(lasting({Errc::no_space, "the disk is full: Permission denied"}));
    EXPECT_FALSE(lasting({Errc::conflict, "main is at 1234 now"}));
}

TEST_F(LastingTest, WhoMayNotWriteThere) {
    for (const auto* words :
         {"remote: error: insufficient permission for adding an object to repository database ./objects; remote: fatal: failed "
          "to "
          "write object; error: remote unpack failed: unpack-objects abnormal exit; ! [remote rejected] 1 -> b (unpacker "
          "error)",
          "error: remote unpack failed: unable to create temporary object directory; Permission denied",
          "error: cannot lock ref 'refs/heads/task/X-1': Unable to create '/f.git/refs/heads/task/X-1.lock': Permission denied",
          "fatal: detected dubious ownership in repository at '/srv/git/hello.git'",
          "fatal: '/srv/git/gone.git' does not appear to be a git repository",
          "! [remote rejected] main -> main (pre-receive hook declined)"})
        EXPECT_TRUE(lasting({Errc::unavailable, std::string("git push in /m.git: ") + words})) << words;
    EXPECT_TRUE(lasting({Errc::no_such, "the forge has no branch main"}));
    EXPECT_TRUE(lasting({Errc::not_permitted, "/var/lib/orchd/x"}));
}

}  // namespace
}  // namespace orchd::git
