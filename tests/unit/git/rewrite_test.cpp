// Commits made without a work tree: rebase and one written file.
#include <gtest/gtest.h>

#include "git/git.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

class RewriteTest : public testing::Test {
protected:
    RewriteTest() {
        auto opened = open_mirror(folder / "m.git", {.timeout_s = 60});
        EXPECT_TRUE(opened);
        mirror = std::move(*opened);
    }
    // The commit that the script leaves at HEAD of the person's clone, known to the mirror.
    std::string commit(const std::string& script) {
        const auto head = forge.commit(script + "\ngit push -qf origin HEAD:refs/heads/$(git rev-parse HEAD)");
        EXPECT_TRUE(mirror->fetch(forge.path));
        return head;
    }
    Mirror::Rebased rebase(const std::string& head, const std::string& onto) {
        auto got = mirror->rebase(head, onto, mirror->merge_base(head, onto).value_or(""));
        EXPECT_TRUE(got) << got.error().text;
        return got ? *got : Mirror::Rebased{};
    }
    std::string shown(const std::string& commit, const std::string& format) {
        return sh(folder / "m.git", "git log -1 --format='" + format + "' " + commit);
    }
    scene::Folder folder;
    scene::Forge forge{folder};
    std::unique_ptr<Mirror> mirror;
    const std::string first = forge.at("main");
};

TEST_F(RewriteTest, UpToDateBranchStaysAsItIs) {
    const auto head = commit("echo x >x; git add .; git commit -qm x");
    EXPECT_EQ(rebase(head, first).commit, head);
    EXPECT_EQ(rebase(head, head).commit, head);
}

TEST_F(RewriteTest, RebaseKeepsAuthorsDatesAndMessagesToTheLetter) {
    const auto head = commit(
        "git checkout -qb task; printf 'subject\\n\\nbody  \\n# not a comment\\n\\n' >m; echo x >x; git add x; "
        "GIT_AUTHOR_NAME='Zoë. ' git commit -q --cleanup=verbatim -F m; sed -i s/three/drei/ file; git commit -qam second");
    const auto onto = commit("git checkout -qf main; sed -i s/one/eins/ file; git commit -qam base");
    const auto got = rebase(head, onto);
    ASSERT_TRUE(got.conflicts.empty());
    EXPECT_EQ(mirror->read_file(got.commit, "file")->value(), "eins\ntwo\ndrei\n");
    EXPECT_EQ(mirror->merge_base(got.commit, onto).value(), onto);
    const auto raw_end = [&](const std::string& c) {
        return sh(folder / "m.git", "git cat-file commit " + c + " | sed 1,/^author/d | sed 1d");
    };
    EXPECT_EQ(raw_end(got.commit + "^"), raw_end(head + "^"));
    EXPECT_EQ(shown(got.commit + "^", "%an|%ae|%ad|%cd|%cn"), shown(head + "^", "%an|%ae|%ad|%cd") + "|orchd");
    EXPECT_EQ(rebase(head, onto).commit, got.commit) << "made again it is the very same";
}

TEST_F(RewriteTest, ConflictsNameTheFilesAndLeaveNoCommit) {
    const auto head = commit("git checkout -qb task; sed -i s/one/uno/ file; echo t >'odd name'; git add .; git commit -qm x");
    const auto onto =
        commit("git checkout -q main; sed -i s/one/eins/ file; echo m >'odd name'; git add .; git commit -qm base");
    const auto got = rebase(head, onto);
    EXPECT_EQ(got.commit, "");
    EXPECT_EQ(got.conflicts, (std::vector<std::string>{"file", "odd name"}));
}

TEST_F(RewriteTest, WhatTheBaseHasAlreadyIsLeftOut) {
    const auto head =
        commit("git checkout -qb task; echo x >x; git add .; git commit -qm x; echo y >y; git add .; git commit -qm y");
    const auto onto = commit("git checkout -q main; echo m >m; git add .; git commit -qm m; git cherry-pick task~ >/dev/null");
    const auto got = rebase(head, onto);
    EXPECT_EQ(shown(got.commit, "%s %P"), "y " + onto);
    const auto all = commit("git cherry-pick task >/dev/null");
    EXPECT_EQ(rebase(head, all).commit, all) << "nothing is left";
}

TEST_F(RewriteTest, MergesAreFlattenedAndRootsReplayed) {
    const auto head = commit(
        "git checkout -qb side; echo s >s; git add .; git commit -qm s; git checkout -qb task main; echo t >t; "
        "git add .; git commit -qm t; git merge -q --no-edit side; echo u >u; git add .; git commit -qm u");
    const auto onto = commit("git checkout -q main; echo m >m; git add .; git commit -qm m");
    const auto got = rebase(head, onto);
    EXPECT_EQ(sh(folder / "m.git", "git rev-list --merges --count " + onto + ".." + got.commit), "0");
    for (const auto* file : {"s", "t", "u", "m"}) EXPECT_TRUE(mirror->read_file(got.commit, file)->has_value()) << file;
    const auto alien = commit("git checkout -q --orphan alien; git rm -rqf .; echo a >a; git add .; git commit -qm alien");
    EXPECT_EQ(mirror->read_file(rebase(alien, onto).commit, "a")->value(), "a\n");
}

TEST_F(RewriteTest, AResolutionIsKept) {
    const auto mine = "git checkout -qb task main~; sed -i s/one/uno/ file; git commit -qam mine; ";
    const auto theirs = commit("git checkout -q main; sed -i s/one/eins/ file; git commit -qam theirs");
    const auto head = commit(std::string(mine) + "git merge -q " + theirs +
                             " >/dev/null || { sed -i '/^[<=>]/d; /eins/d' file; git commit -qam resolved; }");
    const auto onto = commit("git checkout -q main; echo m >m; git add .; git commit -qm m");
    const auto got = rebase(head, onto);
    ASSERT_EQ(got.conflicts, std::vector<std::string>{});
    EXPECT_EQ(shown(got.commit, "%P|%an"), onto + ' ' + head + "|orchd");
    EXPECT_EQ(mirror->read_file(got.commit, "file")->value(), "uno\ntwo\nthree\n");
    EXPECT_EQ(mirror->read_file(got.commit, "m")->value(), "m\n");
    EXPECT_EQ(mirror->patch_id(theirs, head, "docs").value(), mirror->patch_id(onto, got.commit, "docs").value());
    EXPECT_EQ(rebase(head, onto).commit, got.commit) << "made again it is the very same";
    EXPECT_EQ(rebase(head, theirs).commit, head) << "it has that already";
    const auto against = commit("sed -i s/eins/ein/ file; git commit -qam against");
    EXPECT_EQ(rebase(head, against).conflicts, std::vector<std::string>{"file"});
    // What it had merged is taken out again: its own change stays, without that.
    const auto back = mirror->rebase(head, first, theirs);
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(back->conflicts, std::vector<std::string>{"file"}) << "the resolution is about what is not there any more";
}

TEST_F(RewriteTest, AMergeThatChangedMoreThanItsSidesIsKept) {
    const auto theirs = commit("git checkout -q main; echo t >theirs; git add .; git commit -qm theirs");
    const auto head =
        commit("git checkout -qb task main~; echo mine >mine; git add .; git commit -qm mine; git merge -q --no-commit " +
               theirs + " >/dev/null; echo adapted >mine; git commit -qam merged");
    const auto onto = commit("git checkout -q main; echo m >m; git add .; git commit -qm m");
    const auto got = rebase(head, onto);
    EXPECT_EQ(mirror->read_file(got.commit, "mine")->value(), "adapted\n");
    const auto back = mirror->rebase(head, first, theirs);
    ASSERT_TRUE(back && back->conflicts.empty());
    EXPECT_EQ(shown(back->commit, "%P"), first);
    EXPECT_EQ(mirror->read_file(back->commit, "mine")->value(), "adapted\n");
    EXPECT_FALSE(mirror->read_file(back->commit, "theirs")->has_value()) << "which was taken out";
}

TEST_F(RewriteTest, WhatTheTargetWasSetBackFromIsLeftOut) {
    const auto dropped = commit("echo d >dropped; git add .; git commit -qm dropped");
    const auto head = commit("git checkout -qb task; echo x >x; git add .; git commit -qm x");
    const auto got = mirror->rebase(head, first, dropped);
    ASSERT_TRUE(got && got->conflicts.empty());
    EXPECT_EQ(shown(got->commit, "%s|%P"), "x|" + first);
    EXPECT_FALSE(mirror->read_file(got->commit, "dropped")->has_value());
}

TEST_F(RewriteTest, RenamesAndModesFollow) {
    const auto head = commit("git checkout -qb task; sed -i s/three/drei/ file; chmod +x file; git commit -qam x");
    const auto onto = commit("git checkout -q main; git mv file renamed; git commit -qm base");
    const auto got = rebase(head, onto);
    EXPECT_EQ(mirror->read_file(got.commit, "renamed")->value(), "one\ntwo\ndrei\n");
    EXPECT_EQ(sh(folder / "m.git", "git ls-tree " + got.commit + " renamed | cut -c1-6"), "100755");
}

TEST_F(RewriteTest, WrittenFileIsACommitOfOursOnTop) {
    ASSERT_TRUE(mirror->fetch(forge.path));
    const auto made = mirror->commit_file(first, "docs/work-items/HELLO-1/13-test-report.md", "report\n", "Test report");
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(shown(*made, "%P|%an <%ae>|%cn|%s"), first + "|orchd <orchd@localhost>|orchd|Test report");
    EXPECT_EQ(shown(*made, "%cd"), shown(first, "%cd"));
    EXPECT_EQ(mirror->read_file(*made, "docs/work-items/HELLO-1/13-test-report.md")->value(), "report\n");
    EXPECT_EQ(mirror->changed_paths(first, *made)->size(), 1u);
    EXPECT_EQ(mirror->commit_file(first, "docs/work-items/HELLO-1/13-test-report.md", "report\n", "Test report").value(),
              *made);
    EXPECT_EQ(mirror->commit_file(*made, "docs/work-items/HELLO-1/13-test-report.md", "report\n", "Again").value(), *made)
        << "nothing to write";
}

TEST_F(RewriteTest, WrittenFileReplacesALinkThatStandsInItsWay) {
    const auto head = commit("ln -s /etc docs; git add .; git commit -qm link");
    const auto made = mirror->commit_file(head, "docs/a", "x", "m");
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(mirror->read_file(*made, "docs/a")->value(), "x");
}

TEST_F(RewriteTest, FileOutsideTheTreeIsRefused) {
    ASSERT_TRUE(mirror->fetch(forge.path));
    for (const auto* path : {"../x", "/x", ".git/config", "a/../b"})
        EXPECT_FALSE(mirror->commit_file(first, path, "x", "m")) << path;
}

}  // namespace
}  // namespace orchd::git
