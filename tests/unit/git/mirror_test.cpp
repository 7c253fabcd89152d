// The mirror: fetch, references, push, questions about commits.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "git/git.h"
#include "git/lock.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

class MirrorTest : public testing::Test {
protected:
    MirrorTest() { mirror = open(); }
    std::unique_ptr<Mirror> open() {
        auto opened = open_mirror(folder / "mirrors/hello.git", {.timeout_s = 60});
        EXPECT_TRUE(opened) << opened.error().text;
        return opened ? std::move(*opened) : nullptr;
    }
    void fetch() {
        const auto done = mirror->fetch(forge.path);
        ASSERT_TRUE(done) << done.error().text;
    }
    scene::Folder folder;
    scene::Forge forge{folder};
    std::unique_ptr<Mirror> mirror;
    const std::string first = forge.at("main");
};

TEST_F(MirrorTest, FollowsTheForgesBranchesAndForgetsRemovedOnes) {
    const auto two = forge.commit("git checkout -qb topic; echo x >x; git add .; git commit -qm x; git push -q origin topic");
    fetch();
    EXPECT_EQ(mirror->forge_head("main")->value(), first);
    EXPECT_EQ(mirror->forge_head("topic")->value(), two);
    EXPECT_FALSE(mirror->head("topic")->has_value()) << "our own branches are not the forge's";
    sh(forge.person, "git push -q origin :topic");
    fetch();
    EXPECT_FALSE(mirror->forge_head("topic")->has_value());
}

TEST_F(MirrorTest, IsReadableByTheUserOfARunWhateverTheUmask) {
    const auto before = ::umask(0077);
    const auto other = open_mirror(folder / "other/o.git", {});
    const auto fetched = (*other)->fetch(forge.path);
    ::umask(before);
    ASSERT_TRUE(fetched);
    EXPECT_EQ(sh(folder / "other/o.git", "find . ! -name orchd.lock ! -perm -0044"), "");
}

TEST_F(MirrorTest, HalfMadeByACrashIsMadeAnew) {
    const auto path = folder / "mirrors/again.git";
    scene::write(path + ".new/HEAD", "garbage");
    const auto opened = open_mirror(path, {});
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_TRUE((*opened)->fetch(forge.path));
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(MirrorTest, MadeByManyAtOnceIsOne) {
    std::vector<std::thread> makers;
    std::atomic<int> good = 0;
    for (int i = 0; i < 6; ++i)
        makers.emplace_back([&] {
            auto opened = open_mirror(folder / "mirrors/race.git", {});
            if (opened && (*opened)->fetch(forge.path)) ++good;
        });
    for (auto& m : makers) m.join();
    EXPECT_EQ(good, 6) << "and concurrent fetches wait for each other";
}

TEST_F(MirrorTest, LockFilesOfAKilledGitBlockNothing) {
    fetch();
    for (const auto* name : {"refs/remotes/forge/main.lock", "refs/heads/mine.lock", "packed-refs.lock", "HEAD.lock"})
        scene::write(mirror->path() + '/' + name, "");
    scene::write(forge.path + "/refs/heads/mine.lock", "");
    const auto two = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main");
    fetch();
    EXPECT_EQ(mirror->forge_head("main")->value(), two);
    EXPECT_TRUE(mirror->set_head("mine", two, ""));
    const auto pushed = mirror->push(forge.path, "mine", two, "");
    EXPECT_TRUE(pushed) << pushed.error().text;
}

TEST_F(MirrorTest, ReferencesArePackedBeforeTheyAreManyFiles) {
    fetch();
    sh(folder.path(),
       "for r in mirrors/hello.git forge.git; do echo >$r/packed-refs.new; for i in $(seq 100); do "
       "git -C $r update-ref refs/heads/done/$i " +
           first + "; done; done");
    ASSERT_TRUE(mirror->push(forge.path, "task/HELLO-1", first, ""));
    ASSERT_TRUE(mirror->set_head("task/HELLO-1", first, ""));
    for (const auto& repository : {mirror->path(), forge.path}) {
        EXPECT_LT(std::stoi(sh(repository, "find refs -type f | wc -l")), 10) << repository;
        EXPECT_EQ(sh(repository, "git for-each-ref refs/heads/done | wc -l"), "100");
    }
    EXPECT_EQ(mirror->head("done/7")->value(), first);
}

TEST_F(MirrorTest, WhatItPushedItselfIsNotFetchedAgain) {
    fetch();
    const auto two = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main");
    fetch();
    ASSERT_TRUE(mirror->push(forge.path, "task/HELLO-1", first, ""));
    ASSERT_TRUE(mirror->push(forge.path, "task/HELLO-1", two, first));
    EXPECT_EQ(mirror->forge_head("task/HELLO-1")->value(), two);
    const auto others = RepositoryLock::take(mirror->path(), 1);
    ASSERT_TRUE(others);
    auto impatient = open_mirror(mirror->path(), {.timeout_s = 0});
    EXPECT_TRUE((*impatient)->fetch(forge.path)) << "nothing is new, so nothing is written";
    sh(forge.person, "git push -q origin HEAD:refs/heads/other");
    EXPECT_EQ((*impatient)->fetch(forge.path).error().code, Errc::unavailable) << "there is something to be written";
}

TEST_F(MirrorTest, SetsABranchOnlyFromWhatItIs) {
    fetch();
    const auto two = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main");
    fetch();
    EXPECT_TRUE(mirror->set_head("task/HELLO-1", first, ""));
    EXPECT_EQ(mirror->set_head("task/HELLO-1", two, "").error().code, Errc::conflict);
    EXPECT_EQ(mirror->set_head("task/HELLO-1", two, two).error().code, Errc::conflict);
    EXPECT_TRUE(mirror->set_head("task/HELLO-1", two, first));
    EXPECT_EQ(mirror->head("task/HELLO-1")->value(), two);
}

TEST_F(MirrorTest, RemembersWhatTheTargetWasSetBackFrom) {
    mirror = std::move(*open_mirror(folder / "mirrors/hello.git", {.timeout_s = 60, .target = "main"}));
    const auto two = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main");
    fetch();
    const auto task = forge.commit("git checkout -qb t; echo y >y; git add .; git commit -qm y; git push -q origin t");
    EXPECT_TRUE(mirror->fetch(forge.path));
    EXPECT_EQ(mirror->fork_point("main", task).value(), two);
    sh(forge.path, "git update-ref refs/heads/main " + first);
    fetch();
    EXPECT_EQ(mirror->merge_base(first, task).value(), first);
    EXPECT_EQ(mirror->fork_point("main", task).value(), two) << "what came before is nobody's own";
    EXPECT_EQ(mirror->fork_point("main", two).value(), two);
    sh(forge.path, "git update-ref -d refs/heads/main");
    fetch();
    EXPECT_FALSE(mirror->fork_point("main", task));
    sh(forge.path, "git update-ref refs/heads/main " + two);
    fetch();
    EXPECT_EQ(sh(mirror->path(), "git for-each-ref refs/dropped"), "") << "it is back";
    EXPECT_EQ(mirror->fork_point("main", task).value(), two);
    const auto alien = forge.commit("git checkout -q --orphan a; git commit -qm a; git push -q origin HEAD:alien");
    fetch();
    EXPECT_EQ(mirror->fork_point("main", alien).error().code, Errc::refused);
}

// A branch merged what main is by now, and before that what main was set back from: it stands on neither.
TEST_F(MirrorTest, ABranchThatHoldsWhatWasTakenOutDoesNotStandOnTheTarget) {
    mirror = std::move(*open_mirror(folder / "mirrors/hello.git", {.timeout_s = 60, .target = "main"}));
    const auto bad = forge.commit("echo bad >bad; git add .; git commit -qm bad; git push -q origin main");
    fetch();
    const auto good =
        forge.commit("git reset -q --hard HEAD^; echo m >m; git add .; git commit -qm m; git push -qf origin main");
    fetch();
    for (const auto* merges : {"bad main", "main bad"}) {
        const std::string both = std::string(merges) == "bad main" ? bad + ' ' + good : good + ' ' + bad;
        const auto head =
            forge.commit("git checkout -q --detach " + first + "; echo mine >mine; git add .; git commit -qm mine; for c in " +
                         both + "; do git merge -q --no-edit $c; done; git push -qf origin HEAD:refs/heads/task/HELLO-1");
        fetch();
        EXPECT_EQ(mirror->fork_point("main", head).value(), bad) << merges;
        const auto rebased = mirror->rebase(head, good, bad);
        ASSERT_TRUE(rebased && rebased->conflicts.empty()) << merges;
        EXPECT_FALSE(mirror->is_ancestor(bad, rebased->commit).value()) << merges;
        EXPECT_EQ(mirror->fork_point("main", rebased->commit).value(), good) << merges;
        EXPECT_FALSE(mirror->read_file(rebased->commit, "bad")->has_value()) << merges;
        EXPECT_EQ(mirror->read_file(rebased->commit, "m")->value(), "m\n") << merges;
        EXPECT_EQ(mirror->read_file(rebased->commit, "mine")->value(), "mine\n") << merges;
    }
}

// main was set back from two lines, and the branch holds both: the one that it began on, and the one that it merged.
TEST_F(MirrorTest, ABranchIsRidOfEachLineThatWasTakenOut) {
    mirror = std::move(*open_mirror(folder / "mirrors/hello.git", {.timeout_s = 60, .target = "main"}));
    const auto taken_out = [&](const std::string& change) {
        const auto bad = forge.commit("git checkout -q --detach " + first + "; " + change +
                                      "; git add .; git commit -qm bad; git push -qf origin HEAD:refs/heads/main");
        fetch();
        sh(forge.path, "git update-ref refs/heads/main " + first);
        fetch();
        return bad;
    };
    const auto one = taken_out("echo 1 >bad1; echo one >shared");
    for (const auto* other : {"echo 2 >bad2", "echo 2 >bad2; echo two >shared"}) {
        const auto two = taken_out(other);
        const auto good = forge.commit("git checkout -q --detach " + first +
                                       "; echo m >m; git add .; git commit -qm m; git push -qf origin HEAD:refs/heads/main");
        fetch();
        const auto merge =
            "git merge -q --no-edit " + two + " >/dev/null || { echo one >shared; git add .; git commit -qm r; }; ";
        for (const auto& script :
             {merge + "echo mine >mine", "echo mine >mine; git add .; git commit -qm mine; " + merge + "echo x >x"}) {
            const auto head =
                forge.commit("git checkout -q --detach " + one + "; " + script +
                             "; git add .; git commit -qm last; git push -qf origin HEAD:refs/heads/task/HELLO-1");
            fetch();
            const auto base = mirror->fork_point("main", head).value();
            EXPECT_EQ(mirror->fork_point("main", head).value(), base) << "made again it is the very same";
            EXPECT_TRUE(mirror->is_ancestor(one, base).value() && mirror->is_ancestor(two, base).value());
            const auto rebased = mirror->rebase(head, good, base);
            ASSERT_TRUE(rebased) << rebased.error().text;
            if (std::string(other).find("shared") != std::string::npos) {
                EXPECT_EQ(rebased->conflicts, std::vector<std::string>{"shared"}) << "what is whose nobody can tell";
                continue;
            }
            EXPECT_EQ(rebased->conflicts, std::vector<std::string>{});
            EXPECT_EQ(mirror->fork_point("main", rebased->commit).value(), good);
            for (const auto* file : {"bad1", "bad2", "shared"})
                EXPECT_FALSE(mirror->read_file(rebased->commit, file)->has_value()) << file;
            EXPECT_EQ(mirror->read_file(rebased->commit, "mine")->value(), "mine\n");
            EXPECT_NE(mirror->patch_id(base, head, "docs").value(), "empty");
            EXPECT_EQ(mirror->patch_id(base, base, "docs").value(), "empty");
        }
    }
}

TEST_F(MirrorTest, PushesOverExactlyWhatItExpectsAndOnlyOnce) {
    fetch();
    const auto two = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main");
    fetch();
    ASSERT_TRUE(mirror->push(forge.path, "task/HELLO-1", two, ""));
    EXPECT_EQ(forge.at("task/HELLO-1"), two);
    EXPECT_TRUE(mirror->push(forge.path, "task/HELLO-1", two, "")) << "up to date is success";
    EXPECT_EQ(mirror->push(forge.path, "task/HELLO-1", first, "").error().code, Errc::conflict);
    EXPECT_EQ(forge.at("task/HELLO-1"), two);
    EXPECT_TRUE(mirror->push(forge.path, "task/HELLO-1", first, two)) << "a rewritten branch replaces what is named";
    EXPECT_EQ(forge.at("task/HELLO-1"), first);
}

TEST_F(MirrorTest, TellsAForgeThatIsNotThereFromAConflict) {
    EXPECT_EQ(mirror->fetch(folder / "nowhere.git").error().code, Errc::refused);
    EXPECT_NE(mirror->push(folder / "nowhere.git", "b", first, "").error().code, Errc::conflict);
}

TEST_F(MirrorTest, WorksWithAForgeOfAnotherOwner) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a repository away";
    sh(folder.path(), "chown -R 65534 forge.git");
    fetch();
    const auto pushed = mirror->push(forge.path, "task/HELLO-1", first, "");
    EXPECT_TRUE(pushed) << pushed.error().text;
    EXPECT_EQ(Bare(forge.path, {}).head("task/HELLO-1")->value(), first);
}

TEST_F(MirrorTest, ReadsFilesOfACommitAndNothingElse) {
    const auto two = forge.commit(
        "mkdir -p a/b; printf 'x\\0y' >a/b/c; ln -s /etc/passwd link; head -c 1048577 /dev/zero >large; git add .; "
        "git commit -qm x; git push -q origin main");
    fetch();
    EXPECT_EQ(mirror->read_file(two, "a/b/c")->value(), std::string("x\0y", 3));
    EXPECT_FALSE(mirror->read_file(two, "link")->has_value());
    EXPECT_FALSE(mirror->read_file(two, "a/b")->has_value());
    EXPECT_FALSE(mirror->read_file(two, "a/*/c")->has_value());
    EXPECT_FALSE(mirror->read_file(two, "none")->has_value());
    EXPECT_EQ(mirror->read_file(two, "large").error().code, Errc::invalid_argument);
    EXPECT_EQ(mirror->changed_paths(first, two).value(), (std::vector<std::string>{"a/b/c", "large", "link"}));
}

TEST_F(MirrorTest, KnowsAncestryAndMergeBases) {
    const auto side = forge.commit("git checkout -qb side; echo x >x; git add .; git commit -qm x");
    const auto main =
        forge.commit("git checkout -q main; echo y >y; git add .; git commit -qm y; git push -q origin main side");
    const auto alien = forge.commit("git checkout -q --orphan alien; git commit -qm alien; git push -q origin alien");
    fetch();
    EXPECT_TRUE(mirror->is_ancestor(first, side).value());
    EXPECT_FALSE(mirror->is_ancestor(side, main).value());
    EXPECT_EQ(mirror->merge_base(side, main).value(), first);
    EXPECT_EQ(mirror->merge_base(alien, main).error().code, Errc::no_such);
    EXPECT_FALSE(mirror->is_ancestor(std::string(40, 'a'), main)) << "an unknown commit is an error, not a no";
}

TEST_F(MirrorTest, CodeIdentityIsKeptByACleanRebaseAndByArtefactsAndBrokenByAnyOtherChange) {
    const auto id = [&](const std::string& base, const std::string& head) {
        fetch();
        const auto got = mirror->patch_id(base, head, "docs/work-items/HELLO-1");
        EXPECT_TRUE(got) << got.error().text;
        return got ? *got : "";
    };
    const auto head = forge.commit(
        "git checkout -qb task; printf 'if x:\\n    y\\n' >code; git add .; git commit -qm x; git push -q origin HEAD:before");
    const auto base = forge.commit("git checkout -q main; echo m >m; git add .; git commit -qm m");
    const auto rebased = forge.commit("git checkout -q task; git rebase -q main; git push -q origin HEAD main");
    const auto approved = id(first, head);
    EXPECT_EQ(id(base, rebased), approved);
    const auto reviewed = forge.commit(
        "mkdir -p docs/work-items/HELLO-1; echo ok >docs/work-items/HELLO-1/12-review.md; "
        "git add .; git commit -qm r; git push -q origin HEAD");
    EXPECT_EQ(id(base, reviewed), approved);
    for (const auto* change :
         {"printf 'if x:\\ny\\n' >code", "chmod +x code", "rm code; ln -s m code", "printf '\\0one' >data",
          "printf '\\0two' >data", "mkdir -p docs/work-items/HELLO-10; echo x >docs/work-items/HELLO-10/x"}) {
        const auto changed = forge.commit(std::string(change) + "; git add .; git commit -qm c; git push -qf origin HEAD");
        EXPECT_NE(id(base, changed), approved) << change;
        sh(forge.person, "git reset -q --hard " + reviewed);
    }
    EXPECT_EQ(id(base, base), "empty");
}

TEST_F(MirrorTest, BinaryFilesThatDifferHaveDifferentIdentities) {
    const auto one = forge.commit("printf '\\0one' >data; git add .; git commit -qm c; git push -q origin HEAD:one");
    const auto two = forge.commit("git reset -q --hard " + first +
                                  "; printf '\\0two' >data; git add .; git commit -qm c; git push -q origin HEAD:two");
    fetch();
    EXPECT_NE(mirror->patch_id(first, one, "docs").value(), mirror->patch_id(first, two, "docs").value());
}

TEST(BareTest, ForwardsATargetByCompareAndSwapAndOnlyForward) {
    scene::Folder folder;
    scene::Forge forge(folder);
    const auto first = forge.at("main");
    const auto task = forge.commit("git checkout -qb task; echo x >x; git add .; git commit -qm x; git push -q origin task");
    const auto side =
        forge.commit("git checkout -q main; echo y >y; git add .; git commit -qm y; git push -q origin HEAD:side");
    const Bare bare(forge.path, {});
    EXPECT_EQ(bare.fast_forward("main", task, side).error().code, Errc::conflict) << "not a descendant";
    EXPECT_FALSE(bare.contains("main", task).value());
    ASSERT_TRUE(bare.fast_forward("main", task, first));
    EXPECT_EQ(forge.at("main"), task);
    EXPECT_TRUE(bare.contains("main", task).value());
    EXPECT_TRUE(bare.fast_forward("main", task, first)) << "merged already is success";
    EXPECT_EQ(bare.fast_forward("main", side, first).error().code, Errc::conflict) << "the target moved";
    EXPECT_FALSE(bare.contains("main", std::string(40, 'a')).value()) << "a commit that never came";
    EXPECT_EQ(bare.contains("none", task).error().code, Errc::no_such);
}

}  // namespace
}  // namespace orchd::git
