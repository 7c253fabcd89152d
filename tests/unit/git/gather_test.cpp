// What a run left in its clone: what is its work, and what is told instead.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>

#include "git/run_side.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

class GatherTest : public testing::Test {
protected:
    GatherTest() {
        forge.commit(
            "mkdir dir; echo in >dir/in; echo x >tool.sh; chmod +x tool.sh; git add .; git commit -qm second; git push -q "
            "origin main");
    }

    // A clone of what the forge's main is; on another branch than main.
    void checked_out() {
        mirror = open_mirror(folder / "m.git", {.timeout_s = 60}).value();
        ASSERT_TRUE(mirror->fetch(forge.path));
        first = forge.at("main");
        const auto made = make_clone({folder / "m.git", clone, "task/HELLO-1", first});
        ASSERT_TRUE(made) << made.error().text;
        auto snapshot = take_snapshot(clone);
        ASSERT_TRUE(snapshot) << snapshot.error().text;
        checkout = std::move(*snapshot);
    }
    [[nodiscard]] Gathering gathering() const {
        return {.clone = {folder / "m.git", clone, "task/HELLO-1", first},
                .base = {},
                .bench = folder / "bench",
                .artefacts = "docs/work-items/HELLO-1",
                .author = "orchd developer",
                .message = "What the developer left",
                .product_is_a_patch = is_developer};
    }
    // The run does this in its clone, and ends.
    Gathered after(const std::string& script) {
        if (first.empty()) checked_out();
        sh(clone, script);
        auto left = gather(gathering(), &checkout);
        EXPECT_TRUE(left) << left.error().text;
        auto got = left ? *left : Gathered{};
        bundled(got);
        return got;
    }
    // Whatever it is, it arrives.
    void bundled(const Gathered& left) {
        const auto file = folder / "bundle";
        std::filesystem::remove(file);
        const auto written = write_bundle(gathering(), left.head, file);
        ASSERT_TRUE(written) << written.error().text;
        EXPECT_EQ(*written, left.head != first);
        if (!*written) return;
        EXPECT_EQ(mirror->import_bundle(file, "task/HELLO-1", 1 << 26).value_or("not taken"), left.head);
    }
    // "A file", "M file", "D file" for each difference of what is brought in.
    std::string brought(const Gathered& left) {
        return sh(folder / "bench", "git diff --name-status --no-renames " + first + ' ' + left.head + " | tr '\\t' ' '");
    }
    std::string file(const Gathered& left, const std::string& path) {
        return sh(folder / "bench", "git show " + left.head + ':' + path);
    }
    static bool says(const std::vector<std::string>& lines, const std::string& text) {
        return std::ranges::any_of(lines, [&](const auto& line) { return line.find(text) != line.npos; });
    }
    static std::string all(const Gathered& left) {
        std::string text;
        for (const auto& line : left.reasons) text += "reason: " + line + '\n';
        for (const auto& line : left.told) text += "told: " + line + '\n';
        return text;
    }

    scene::Folder folder;
    scene::Forge forge{folder};
    const std::string clone = folder / "clone";
    std::string first;
    std::unique_ptr<Mirror> mirror;
    Snapshot checkout;
    bool is_developer = true;
};

const std::string commit_work = "echo work >work; git add work; git commit -qm work; ";

TEST_F(GatherTest, NothingDoneIsNothingNew) {
    const auto left = after("git status; touch file; cat file");
    EXPECT_EQ(left.head, first);
    EXPECT_EQ(all(left), "");
}

TEST_F(GatherTest, ExactlyWhatDiffersIsCommittedUnderTheGivenName) {
    const auto left =
        after("echo new >new; rm file; echo more >>dir/in; chmod -x tool.sh; ln -s /nowhere link; git rm -q --cached tool.sh");
    EXPECT_EQ(brought(left), "M dir/in\nD file\nA link\nA new\nM tool.sh");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
    EXPECT_EQ(sh(folder / "bench", "git log -1 --format='%an|%s|%P' " + left.head),
              "orchd developer|What the developer left|" + first);
}

TEST_F(GatherTest, ARunsOwnCommitsStayAsTheyAre) {
    const auto left = after(commit_work);
    EXPECT_EQ(left.head, sh(clone, "git rev-parse HEAD"));
    EXPECT_EQ(all(left), "");
}

TEST_F(GatherTest, AFileInPlaceOfAFolderAndTheOtherWayRound) {
    EXPECT_EQ(brought(after("rm -r dir; echo f >dir; rm file; mkdir file; echo i >file/in")),
              "A dir\nD dir/in\nD file\nA file/in");
}

TEST_F(GatherTest, ALinkInPlaceOfAFolderIsThatLink) {
    EXPECT_EQ(brought(after("mkdir ../elsewhere; cp dir/in ../elsewhere; rm -r dir; ln -s ../elsewhere dir")),
              "A dir\nD dir/in");
}

TEST_F(GatherTest, NothingOfTheClonesSettingsCounts) {
    const auto left = after(
        "mkdir -p .git/hooks .git/info h; printf '#!/bin/sh\\ntouch ../ran; cat' >.git/hooks/pre-commit; chmod +x "
        ".git/hooks/pre-commit; "
        "cp .git/hooks/pre-commit h/run; git config core.hooksPath h; git config core.fsmonitor ../clone/h/run; "
        "git config filter.f.clean ../clone/h/run; git config filter.f.process ../clone/h/run; echo '* filter=f' "
        ">.git/info/attributes; "
        "git config commit.gpgSign true; git config core.worktree /; git config core.bare true; git config core.ignoreCase "
        "true; "
        "git config core.excludesFile /dev/stdin; git config extensions.worktreeConfig true; "
        "echo >.git/index.lock; echo >.git/HEAD.lock; echo new >new");
    EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
    EXPECT_EQ(brought(left), "A h/run\nA new");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
}

TEST_F(GatherTest, ASettingsFileThatIsNoneIsNoObstacle) {
    EXPECT_EQ(brought(after(commit_work + "echo '[[[' >.git/config; echo new >new")), "A new\nA work");
}

TEST_F(GatherTest, BitsThatHideChangesFromGitHideNone) {
    const auto left = after(
        "git update-index --assume-unchanged file; git update-index --skip-worktree dir/in; echo x >file; echo y >dir/in");
    EXPECT_EQ(brought(left), "M dir/in\nM file");
}

TEST_F(GatherTest, ASparseCheckoutRemovesNothing) {
    const auto left = after("git sparse-checkout set --no-cone /file; echo x >file; test ! -e dir");
    EXPECT_EQ(brought(left), "M file");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
}

TEST_F(GatherTest, LineEndsOfFilesThatNobodyTouchedStay) {
    forge.commit(
        "printf 'a\\r\\nb\\r\\n' >win.txt; cp win.txt two.txt; git add .; git commit -qm crlf; echo '*.txt text' "
        ">.gitattributes; "
        "git add .gitattributes; git commit -qm attributes; git push -q origin main");
    EXPECT_EQ(brought(after("git status --short; echo new >new.c")), "A new.c");
    // Written anew by a change of branches, and as they were.
    EXPECT_EQ(
        brought(after(
            "git checkout -q HEAD~2 -- .; git reset -q; rm two.txt; git checkout -q -f HEAD; cp win.txt x; mv x win.txt")),
        "A new.c");
    EXPECT_EQ(brought(after("printf 'c\\r\\n' >>win.txt")), "A new.c\nM win.txt");
}

TEST_F(GatherTest, TheRunsOwnAddOfEverythingLeavesThemToo) {
    forge.commit(
        "printf 'a\\r\\nb\\r\\n' >win.txt; git add .; git commit -qm crlf; echo '*.txt text' >.gitattributes; "
        "git add .gitattributes; git commit -qm attributes; git push -q origin main");
    EXPECT_EQ(brought(after("git status --short; echo new >new.c; git add --all; git commit -qm all")), "A new.c");
}

TEST_F(GatherTest, FileNamesOfAnyBytes) {
    const auto left =
        after("touch \"$(printf 'a\\nb')\" \"$(printf '\\377\\001')\" ' lead' '\"quoted\"' -- '-dash' '*' ':(top)'");
    EXPECT_EQ(sh(folder / "bench", "git ls-tree -z --name-only " + left.head + " | tr '\\0' '\\n' | wc -l"), "11");
    EXPECT_EQ(all(left), "told: committed what the run left uncommitted\n");
}

TEST_F(GatherTest, WhatGitHasNoNameForIsAReasonAndTheRestIsTaken) {
    const auto left = after("mkdir -p sub/.GIT; echo x >sub/.GIT/config; echo new >new");
    EXPECT_EQ(brought(left), "A new");
    EXPECT_TRUE(says(left.reasons, "sub/.GIT/config could not be taken in")) << all(left);
}

TEST_F(GatherTest, WhatItsOwnerLockedIsTaken) {
    checked_out();
    const scene::AsNobody whom_modes_bind(folder);
    const auto left = after("mkdir locked; echo x >locked/x; echo s >secret; chmod 0 locked secret; chmod 0 file");
    EXPECT_EQ(brought(left), "A locked/x\nA secret");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
}

TEST_F(GatherTest, PipesAndSocketsAreToldUnlessTheyAreIgnored) {
    auto left = after("mkdir -p .git/info; mkfifo pipe; mkfifo hidden.tmp; echo '*.tmp' >>.git/info/exclude; echo new >new");
    EXPECT_EQ(brought(left), "A new");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
    EXPECT_TRUE(says(left.told, "pipe: pipes")) << all(left);
    EXPECT_FALSE(says(left.told, "hidden"));
    left = after("rm file; mkfifo file");
    EXPECT_TRUE(says(left.reasons, "file is a pipe")) << all(left);
}

TEST_F(GatherTest, WhatIsIgnoredIsLeftButForTheArtefacts) {
    forge.commit("printf 'docs/\\n*.o\\n' >.gitignore; git add .; git commit -qm ignore; git push -q origin main");
    const auto left = after(
        "mkdir -p docs/work-items/HELLO-1 docs/other; echo r >docs/work-items/HELLO-1/10-analysis.md; "
        "echo x >docs/other/x; echo x >x.o");
    EXPECT_EQ(brought(left), "A docs/work-items/HELLO-1/10-analysis.md");
    EXPECT_TRUE(says(left.told, ".gitignore")) << all(left);
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
}

TEST_F(GatherTest, ARepositoryInsideIsAReasonWithOrWithoutCommits) {
    const auto left = after(
        "echo work >work; git init -q empty; echo t >empty/f; git init -q full; cd full; echo t >f; git add .; git commit -qm "
        "f");
    EXPECT_EQ(brought(left), "A work");
    EXPECT_TRUE(says(left.reasons, "empty is a repository")) << all(left);
    EXPECT_TRUE(says(left.reasons, "full is a repository")) << all(left);
}

TEST_F(GatherTest, ARepositoryInsideThatTheRunCommittedIsTakenOutAgain) {
    const auto left = after(
        "git init -q full; (cd full; echo t >f; git add .; git commit -qm f); echo work >work; git add --all 2>/dev/null; git "
        "commit -qm all");
    EXPECT_EQ(brought(left), "A work");
    EXPECT_TRUE(says(left.reasons, "full is a repository")) << all(left);
}

TEST_F(GatherTest, AWorktreeInsideIsAReasonAndSoIsItsBranch) {
    const auto left = after(
        "echo work >work; git worktree add -q .worktrees/x -b side 2>/dev/null; cd .worktrees/x; echo y >y; git add .; git "
        "commit -qm side");
    EXPECT_EQ(brought(left), "A work");
    EXPECT_TRUE(says(left.reasons, ".worktrees/x is a repository")) << all(left);
    EXPECT_TRUE(says(left.reasons, "side has commits")) << all(left);
}

TEST_F(GatherTest, ChangesInAWorktreeBesideAreAReason) {
    EXPECT_EQ(all(after("git worktree add -q ../x -b side 2>/dev/null")), "");
    EXPECT_TRUE(says(after("echo y >../x/y").reasons, "/x has changes that are in no commit"));
}

TEST_F(GatherTest, SubmodulesStayAsTheyAre) {
    forge.commit(
        "printf '[submodule \"s\"]\\n\\tpath = s\\n\\turl = ../s.git\\n' >.gitmodules; git add .gitmodules; "
        "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),s; git commit -qm sub; git push -q origin main");
    auto left = after("echo new >new; rmdir s");
    EXPECT_EQ(brought(left), "A new");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
    left = after("git init -q s; cd s; echo x >x; git add .; git commit -qm other");
    EXPECT_TRUE(says(left.reasons, "the submodule s is at")) << all(left);
}

TEST_F(GatherTest, ABranchOfItsOwnIsTaken) {
    const auto left = after("git checkout -q -b feature/greeting; " + commit_work + "echo more >more");
    EXPECT_EQ(brought(left), "A more\nA work");
    EXPECT_TRUE(says(left.told, "feature/greeting was taken")) << all(left);
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
}

TEST_F(GatherTest, ADetachedHeadIsTaken) {
    const auto left = after("git checkout -q --detach; " + commit_work + "echo more >more");
    EXPECT_EQ(brought(left), "A more\nA work");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
}

TEST_F(GatherTest, UncommittedChangesOnADetachedHeadAreTaken) {
    EXPECT_EQ(brought(after("git checkout -q --detach; echo more >more")), "A more");
}

TEST_F(GatherTest, TheOneBranchBesideIsTakenWhereTheTasksOwnHasNothing) {
    const auto left = after("git checkout -q -b side; " + commit_work + "git checkout -q task/HELLO-1");
    EXPECT_EQ(brought(left), "A work");
    EXPECT_EQ(left.reasons, std::vector<std::string>{});
    is_developer = false;
    EXPECT_EQ(after(":").head, first) << "a reviewer's trials are no work";
    EXPECT_TRUE(says(after(":").told, "side has commits"));
}

TEST_F(GatherTest, BranchesWithDifferentWorkAreAReason) {
    const auto left = after("git checkout -q -b one; " + commit_work +
                            "git checkout -q -b two task/HELLO-1; echo 2 >two; git add .; git commit -qm two; "
                            "git checkout -q task/HELLO-1");
    EXPECT_EQ(left.head, first);
    EXPECT_TRUE(says(left.reasons, "one has commits")) << all(left);
    EXPECT_TRUE(says(left.reasons, "two has commits")) << all(left);
}

TEST_F(GatherTest, ABranchBesideWhoseWorkIsThereInOtherCommitsIsNone) {
    EXPECT_EQ(all(after("git checkout -q -b wip; " + commit_work +
                        "echo more >>work; git commit -qam more; git checkout -q task/HELLO-1; "
                        "git merge -q --squash wip >/dev/null; git commit -qm squashed")),
              "");
}

TEST_F(GatherTest, TheTasksBranchAndHeadWithDifferentWorkAreAReason) {
    const auto left =
        after(commit_work + "git checkout -q --detach HEAD~1; echo other >other; git add .; git commit -qm other");
    EXPECT_EQ(brought(left), "A work");
    EXPECT_TRUE(says(left.reasons, "different commits")) << all(left);
}

TEST_F(GatherTest, UncommittedChangesElsewhereThanOnTheBranchAreAReason) {
    const auto left = after(commit_work + "git checkout -q --detach HEAD~1; echo other >other");
    EXPECT_EQ(brought(left), "A work");
    EXPECT_TRUE(says(left.reasons, "uncommitted changes on top of")) << all(left);
}

TEST_F(GatherTest, AStashIsAReasonUnlessItsChangesAreThere) {
    EXPECT_TRUE(says(after("echo x >file; git stash -q").reasons, "a stash"));
    EXPECT_FALSE(says(after("git stash apply -q; git commit -qam applied").reasons, "a stash"));
}

TEST_F(GatherTest, AMergeLeftInConflictIsAReason) {
    const auto left = after(
        "echo mine >file; git commit -qam mine; git checkout -q -b o HEAD~1; echo theirs >file; git commit -qam theirs; "
        "git checkout -q task/HELLO-1; git merge -q o >/dev/null || :; echo new >new");
    EXPECT_EQ(brought(left), "M file");
    EXPECT_EQ(file(left, "file"), "mine");
    EXPECT_TRUE(says(left.reasons, "conflicts are left in file")) << all(left);
}

TEST_F(GatherTest, AMergeThatIsResolvedAndNotCommittedIsCommittedAsOne) {
    const auto left = after(
        "echo mine >file; git commit -qam mine; git checkout -q -b o HEAD~1; echo theirs >file; git commit -qam theirs; "
        "git checkout -q task/HELLO-1; git merge -q o >/dev/null || :; echo both >file; git add file");
    EXPECT_EQ(file(left, "file"), "both");
    EXPECT_EQ(sh(folder / "bench", "git rev-parse " + left.head + "^2"), sh(clone, "git rev-parse o"));
    EXPECT_EQ(left.reasons, std::vector<std::string>{}) << all(left);
}

TEST_F(GatherTest, MarksOfAConflictAreAReasonWhoeverCommitsThem) {
    const std::string conflict =
        "echo mine >file; git commit -qam mine; git checkout -q -b o HEAD~1; echo theirs >file; git commit -qam theirs; "
        "git checkout -q task/HELLO-1; git merge -q o >/dev/null || :; git add file; ";
    auto left = after(conflict);
    EXPECT_EQ(file(left, "file"), "mine");
    EXPECT_TRUE(says(left.reasons, "marks of a conflict are left in file")) << all(left);
    left = after("git commit -qm merged");
    EXPECT_TRUE(says(left.reasons, "marks of a conflict were committed in file")) << all(left);
    left = after("echo 'file conflict-marker-size=32' >.gitattributes");
    EXPECT_EQ(left.reasons, std::vector<std::string>{}) << all(left);
}

TEST_F(GatherTest, ARebaseOrCherryPickOnItsWayIsAReason) {
    const std::string diverged =
        "echo mine >file; git commit -qam mine; git branch o HEAD~1; git checkout -q o; echo theirs >file; git commit -qam "
        "theirs; ";
    auto left = after(diverged + "git checkout -q task/HELLO-1; git rebase -q o >/dev/null 2>&1 || :; echo new >new");
    EXPECT_EQ(file(left, "file"), "mine") << "what the branch had";
    EXPECT_TRUE(says(left.reasons, "a rebase was left unfinished")) << all(left);
    left = after("git rebase --abort; git cherry-pick o >/dev/null 2>&1 || :");
    EXPECT_TRUE(says(left.reasons, "conflicts are left in file")) << all(left);
}

TEST_F(GatherTest, HistoryThatWasRewrittenBelowTheStartIsAReason) {
    const auto left = after("echo x >file; git commit -q --amend -am rewritten");
    EXPECT_EQ(left.head, first);
    EXPECT_TRUE(says(left.reasons, "does not build on " + first)) << all(left);
}

TEST_F(GatherTest, ABranchThatWasSetBackIsAReason) {
    const auto left = after("git reset -q --hard HEAD~1");
    EXPECT_EQ(left.head, first);
    EXPECT_TRUE(says(left.reasons, "was set back")) << all(left);
}

TEST_F(GatherTest, WhatTheForgeHasAlreadyIsNoWorkOfTheRun) {
    checked_out();
    forge.commit("echo far >far; git add .; git commit -qm far; git push -q origin main");
    ASSERT_TRUE(mirror->fetch(forge.path));
    auto left = after("git fetch -q; git checkout -q -b main origin/main");
    EXPECT_EQ(left.head, first) << "looked at, not worked on";
    EXPECT_EQ(all(left), "");
    left = after("git checkout -q task/HELLO-1; git merge -q --ff-only origin/main");
    EXPECT_EQ(brought(left), "A far") << "brought up to date";
    left = after("echo mine >>file; git commit -qam mine");
    EXPECT_EQ(brought(left), "A far\nM file");
}

TEST_F(GatherTest, AMergeOfTheTargetThatTheRunResolvedIsTakenAsItIs) {
    checked_out();
    forge.commit("echo theirs >>file; git commit -qam theirs; git push -q origin main");
    ASSERT_TRUE(mirror->fetch(forge.path));
    const auto left = after(
        "echo mine >>file; git commit -qam mine; git fetch -q; git merge -q origin/main >/dev/null || { "
        "printf 'one\\ntwo\\nthree\\ntheirs\\nmine\\n' >file; git add file; git commit -qm resolved; }");
    EXPECT_EQ(left.head, sh(clone, "git rev-parse HEAD"));
    EXPECT_EQ(all(left), "");
}

TEST_F(GatherTest, WithoutItsGitFolderTheFilesAreComparedWithTheCheckout) {
    auto left = after("rm -rf .git; echo new >new; rm file");
    EXPECT_EQ(brought(left), "D file\nA new");
    EXPECT_EQ(left.reasons, std::vector<std::string>{}) << all(left);
    left = after("echo nothing >.git");
    EXPECT_EQ(brought(left), "D file\nA new");
    left = after("rm .git; git init -q");
    EXPECT_EQ(brought(left), "D file\nA new");
}

TEST_F(GatherTest, AnotherRepositoryInItsPlaceIsAReason) {
    const auto left = after("rm -rf .git; git init -q; git add .; git commit -qm all");
    EXPECT_TRUE(says(left.reasons, "does not build on")) << all(left);
}

TEST_F(GatherTest, AGitFolderElsewhereIsFollowed) {
    EXPECT_EQ(brought(after("mv .git ../g; echo 'gitdir: ../g' >.git; " + commit_work)), "A work");
}

TEST_F(GatherTest, ACloneThatIsGoneIsAReason) {
    const auto left = after("rm -rf ../clone");
    EXPECT_EQ(left.head, first);
    EXPECT_TRUE(says(left.reasons, "removed its clone")) << all(left);
}

TEST_F(GatherTest, CommitsThatAreNotThereAreAReason) {
    const auto left = after(commit_work + "rm -rf .git/objects/??");
    EXPECT_EQ(brought(left), "A work") << "by its file";
    EXPECT_TRUE(says(left.reasons, "is not in the clone")) << all(left);
}

TEST_F(GatherTest, OfALauncherThatWasKilledTheCommitsAreTaken) {
    checked_out();
    sh(clone, "git checkout -q --detach; " + commit_work + "echo more >more; touch .git/index.lock");
    const auto left = gather(gathering(), nullptr);
    ASSERT_TRUE(left) << left.error().text;
    EXPECT_EQ(brought(*left), "A work");
    EXPECT_TRUE(says(left->reasons, "ended before")) << all(*left);
}

TEST_F(GatherTest, LargeFilesAndManyFiles) {
    const auto left = after("head -c 40000000 /dev/zero >large; mkdir many; cd many; seq 2000 | split -l 1 -a 4 -");
    EXPECT_EQ(left.reasons, std::vector<std::string>{}) << all(left);
    EXPECT_EQ(sh(folder / "bench", "git diff --name-only " + first + ' ' + left.head + " | wc -l"), "2001");
}

}  // namespace
}  // namespace orchd::git
