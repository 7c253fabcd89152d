// Bundles that runs leave: good ones are taken without moving a branch, all others are refused with their reason.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "git/run_side.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;
constexpr std::uint64_t cap = 1u << 20;

class BundleTest : public testing::Test {
protected:
    BundleTest() {
        auto opened = open_mirror(folder / "m.git", {.timeout_s = 60});
        EXPECT_TRUE(opened);
        mirror = std::move(*opened);
        EXPECT_TRUE(mirror->fetch(forge.path));
        sh(folder.path(), "git clone -q forge.git run; cd run; git checkout -qb task/HELLO-1");
    }
    // Runs the script in the run's clone, bundles first..task/HELLO-1 and says what the branch is.
    std::string bundle(const std::string& script) {
        return sh(run, script + "\ngit bundle create -q " + file + " main..task/HELLO-1\ngit rev-parse task/HELLO-1");
    }
    Result<std::string> import(std::uint64_t max = cap) { return mirror->import_bundle(file, "task/HELLO-1", max); }
    void expect_unfit(const std::string& why) {
        const auto got = import();
        ASSERT_FALSE(got) << *got;
        EXPECT_EQ(got.error().code, Errc::invalid_argument) << got.error().text;
        EXPECT_NE(got.error().text.find(why), std::string::npos) << got.error().text;
    }
    // A bundle of hand-made objects: `script` runs in the clone and prints the branch's new commit.
    void expect_bad_object(const std::string& script, const std::string& why) {
        sh(run,
           "git update-ref refs/heads/task/HELLO-1 $(" + script + "); git bundle create -q " + file + " main..task/HELLO-1");
        expect_unfit(why);
    }
    std::size_t packs() {
        return static_cast<std::size_t>(std::stoi(sh(folder / "m.git", "ls objects/pack | grep -c 'pack$' || :")));
    }

    scene::Folder folder;
    scene::Forge forge{folder};
    const std::string run = folder / "run", file = folder / "bundle", commit_x = "echo x >x; git add .; git commit -qm x";
    std::unique_ptr<Mirror> mirror;
};

// A run is not asked again for what is the matter with the mirror.
TEST_F(BundleTest, WhatTheMirrorCannotTakeIsNoFaultOfTheBundle) {
    const auto commit = bundle(commit_x);
    sh(folder / "m.git",
       "mv objects/pack p; for p in p/*.pack; do [ ! -e $p ] || git unpack-objects -q <$p; done; : >objects/pack");
    const auto refused = import();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().code, Errc::invalid_argument) << refused.error().text;
    EXPECT_NE(refused.error().text.find("Not a directory"), std::string::npos) << refused.error().text;
    sh(folder / "m.git", "rm objects/pack; mkdir objects/pack");
    EXPECT_EQ(import().value_or(""), commit);
}

TEST_F(BundleTest, IsTakenWithoutMovingAnyBranchAndMayBeTakenAgain) {
    const auto commit = bundle(commit_x);
    for (int i = 0; i < 2; ++i) {
        const auto got = import();
        ASSERT_TRUE(got) << got.error().text;
        EXPECT_EQ(*got, commit);
    }
    EXPECT_FALSE(mirror->head("task/HELLO-1")->has_value());
    EXPECT_EQ(mirror->read_file(commit, "x")->value(), "x\n");
}

TEST_F(BundleTest, WrittenByTheRunsSideIsReadByOurs) {
    const auto base = forge.at("main");
    Gathering what{.clone = {mirror->path(), run, "task/HELLO-1", base}, .bench = folder / "bench"};
    ASSERT_TRUE(gather(what, nullptr));
    EXPECT_FALSE(write_bundle(what, base, file).value()) << "no new commit, no file";
    EXPECT_FALSE(std::filesystem::exists(file));
    const auto commit = sh(run, commit_x + "; git rev-parse HEAD");
    const auto gathered = gather(what, nullptr);
    ASSERT_TRUE(gathered) << gathered.error().text;
    EXPECT_EQ(gathered->head, commit);
    ASSERT_TRUE(write_bundle(what, commit, file).value());
    EXPECT_EQ(import().value(), commit);
}

TEST_F(BundleTest, ManySmallPacksBecomeOneAndLoseNothing) {
    const auto kept = sh(mirror->path(),
                         "for i in $(seq 40); do echo $i | git hash-object -w --stdin | tee -a ids | "
                         "git pack-objects -q objects/pack/pack >/dev/null; done; git prune-packed; cat ids");
    const auto commit = bundle(commit_x);
    EXPECT_EQ(import().value(), commit);
    EXPECT_LT(packs(), 10u);
    EXPECT_EQ(sh(mirror->path(), "git cat-file --batch-check='%(objectname)' <ids"), kept);
}

TEST_F(BundleTest, ThatIsNotThereIsToldFromOneThatIsNotFit) { EXPECT_EQ(import().error().code, Errc::no_such); }

TEST_F(BundleTest, LargerThanTheLimitIsRefused) {
    bundle("head -c 300000 /dev/urandom >x; git add .; git commit -qm x");
    EXPECT_EQ(import(1000).error().code, Errc::invalid_argument);
    EXPECT_TRUE(import());
}

TEST_F(BundleTest, ThatIsNoRegularFileIsRefusedAtOnce) {
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    expect_unfit("no regular file");
    std::filesystem::remove(file);
    std::filesystem::create_symlink("/etc/passwd", file);
    expect_unfit("no regular file");
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    expect_unfit("no regular file");
}

TEST_F(BundleTest, WithoutTheBranchOrWithAForeignHeaderIsRefused) {
    sh(run, commit_x + "; git branch other; git bundle create -q " + file + " main..other");
    expect_unfit("does not hold refs/heads/task/HELLO-1");
    scene::write(file, "");
    expect_unfit("does not begin");
    scene::write(file, "# v3 git bundle\n@filter=blob:none\n\n");
    expect_unfit("does not begin");
    scene::write(file, "# v2 git bundle\n--upload-pack=touch /tmp/x refs/heads/task/HELLO-1\n\nPACK");
    expect_unfit("object id");
    scene::write(file, "# v2 git bundle\n" + std::string(100'000, 'a'));
    expect_unfit("header does not end");
}

TEST_F(BundleTest, ThatBuildsOnWhatIsNotHereIsRefused) {
    sh(run, "echo y >y; git add .; git commit -qm y; git branch hidden; " + commit_x + "; git bundle create -q " + file +
                " hidden..task/HELLO-1");
    expect_unfit("builds on");
}

TEST_F(BundleTest, CutOffOrBentInTheMiddleIsRefusedAndNothingOfItIsKept) {
    bundle("seq 10000 >x; git add .; git commit -qm x");
    const auto whole = scene::read(file);
    const auto before = packs();
    scene::write(file, whole.substr(0, whole.size() - 100));
    expect_unfit("");
    auto bent = whole;
    bent[bent.size() - 200] = static_cast<char>(bent[bent.size() - 200] ^ 1);
    scene::write(file, bent);
    expect_unfit("");
    EXPECT_EQ(packs(), before);
}

TEST_F(BundleTest, WithMissingObjectsIsRefused) {
    // The pack holds the commit alone: its tree is said to be there already.
    const auto commit = bundle(commit_x);
    sh(run, "{ printf '# v2 git bundle\\n%s refs/heads/task/HELLO-1\\n\\n' " + commit + "; echo " + commit +
                " | git pack-objects -q --stdout; } >" + file);
    expect_unfit("");
}

TEST_F(BundleTest, WithObjectsThatFsckRefusesIsRefused) {
    expect_bad_object(
        "tree=$(git ls-tree main | sed 's/file/.git/' | git mktree); "
        "git commit-tree -p main -m bad $tree",
        "");
    expect_bad_object(
        "printf 'tree %s\\nparent %s\\nauthor a <a> 0 +0000\\ncommitter no-mail 0 +0000\\n\\nx\\n' "
        "$(git rev-parse main^{tree} main) | git hash-object -t commit --literally -w --stdin",
        "");
    expect_bad_object(
        "printf '[submodule \"x\"]\\n path = x\\n url = --upload-pack=touch\\n' >.gitmodules; git add .gitmodules; "
        "git commit-tree -p main -m bad $(git write-tree)",
        "gitmodulesUrl");
}

TEST_F(BundleTest, WhoseBranchIsNoCommitIsRefused) {
    sh(run, commit_x +
                "; git tag -am t t; git bundle create -q b main..t task/HELLO-1; "
                "sed -i \"s|^[0-9a-f]* refs/heads/task/HELLO-1$|$(git rev-parse t) refs/heads/task/HELLO-1|\" b; mv b " +
                file);
    expect_unfit("no commit");
}

TEST_F(BundleTest, ObjectsBorrowedFromElsewhereTravelInTheBundleOrNotAtAll) {
    // A clone whose alternates point at a foreign repository: what it can read there is its own affair, and is checked as all
    // is.
    sh(folder.path(), "git init -q secret; cd secret; echo s >s; git add .; git commit -qm s");
    const auto commit =
        bundle("echo " + folder / "secret/.git/objects" +
               " >.git/objects/info/alternates; "
               "git commit -q --allow-empty -m merge; git reset -q --soft $(git commit-tree -p main -m x main^{tree})");
    EXPECT_EQ(import().value(), commit);
}

}  // namespace
}  // namespace orchd::git
