// Upkeep: packing, what goes with it and what never does, and that nobody has the mirror open meanwhile.
#include <gtest/gtest.h>
#include <chrono>

#include "git/git.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

class UpkeepTest : public testing::Test {
protected:
    // So many fetches that the mirror is worth packing, each of which brings a pack.
    void gathers() {
        for (int n = 0; n < 21; ++n) {
            forge.commit("git checkout -q heap 2>/dev/null || git checkout -qb heap; echo " + std::to_string(n) +
                         " >n; git add .; git commit -qm heap; git push -qf origin heap; git checkout -q main");
            fetch();
        }
        heap = sh(path, "git rev-parse refs/remotes/forge/heap");
    }
    void fetch() {
        auto mirror = open_mirror(path, options);
        ASSERT_TRUE(mirror) << mirror.error().text;
        const auto done = (*mirror)->fetch(forge.path);
        ASSERT_TRUE(done) << done.error().text;
    }
    void forgets_heap() {
        sh(forge.person, "git push -q origin :heap");
        fetch();
    }
    void ages() const {
        const auto then = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 30);
        for (const auto& file : std::filesystem::recursive_directory_iterator(path + "/objects"))
            if (file.is_regular_file()) std::filesystem::last_write_time(file, then);
    }
    bool tidied(bool idle) {
        const auto done = tidy_objects(
            path, [=] { return Result<bool>(idle); }, options);
        EXPECT_TRUE(done) << done.error().text;
        return done.value_or(false);
    }
    bool has(const std::string& commit) const {
        return sh(path, "git cat-file -e " + commit + " 2>/dev/null && echo yes || echo no") == "yes";
    }
    int packs() const { return std::stoi(sh(path, "ls objects/pack | grep -c 'pack$' || true")); }

    const Options options{.timeout_s = 120};
    scene::Folder folder;
    scene::Forge forge{folder};
    const std::string path = folder / "mirrors/hello.git";
    std::string heap;
};

TEST_F(UpkeepTest, LittleIsLeftAsItLies) {
    fetch();
    EXPECT_FALSE(tidied(true));
    EXPECT_EQ(packs(), 1);
}

TEST_F(UpkeepTest, WhatNobodyCanNeedGoesOnceItIsOld) {
    gathers();
    forgets_heap();
    ages();
    EXPECT_TRUE(tidied(true));
    EXPECT_FALSE(has(heap));
    EXPECT_EQ(packs(), 1);
    EXPECT_TRUE(has(forge.at("main")));
    EXPECT_EQ(sh(path, "git fsck --full --no-dangling"), "");
}

TEST_F(UpkeepTest, WhatIsYoungStays) {
    gathers();
    forgets_heap();
    EXPECT_TRUE(tidied(true));
    EXPECT_TRUE(has(heap));
}

TEST_F(UpkeepTest, NothingGoesWhileSomebodyMayNeedIt) {
    gathers();
    const auto borrowed = folder / "clone";
    ASSERT_TRUE(make_clone({path, borrowed, "task/HELLO-1", heap}));
    forgets_heap();
    ages();
    EXPECT_FALSE(tidied(false));
    EXPECT_TRUE(has(heap));
    EXPECT_EQ(sh(borrowed, "git fsck --full --no-dangling && git status --porcelain"), "");
}

TEST_F(UpkeepTest, NobodyHasTheMirrorOpenMeanwhileAndNobodyIsDisturbed) {
    gathers();
    const Options brief{.timeout_s = 1};
    {
        const auto open = open_mirror(path, options);
        const auto refused = tidy_objects(
            path, [] { return Result<bool>(true); }, brief);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::unavailable);
        EXPECT_TRUE(has(heap));
    }
    Errc met{};
    const auto done = tidy_objects(
        path,
        [&] {
            if (const auto open = open_mirror(path, brief); !open) met = open.error().code;
            return Result<bool>(true);
        },
        options);
    EXPECT_TRUE(done);
    EXPECT_EQ(met, Errc::unavailable);
    EXPECT_TRUE(open_mirror(path, options));
}

TEST_F(UpkeepTest, BranchesAreNamedByTheirPlaceAndBeginning) {
    for (const auto* name : {"task/HELLO-1", "task/HELLO-2", "topic"})
        forge.commit("git push -q origin main:refs/heads/" + std::string(name));
    fetch();
    sh(path, "git update-ref refs/heads/task/HELLO-2 " + forge.at("main"));
    EXPECT_EQ(branch_names(path, "remotes/forge", "task/", options).value(),
              (std::vector<std::string>{"task/HELLO-1", "task/HELLO-2"}));
    EXPECT_EQ(branch_names(path, "heads", "task/", options).value(), std::vector<std::string>{"task/HELLO-2"});
}

TEST_F(UpkeepTest, ABranchIsRemovedOnlyFromWhereItIsExpected) {
    const auto first = forge.at("main");
    const auto second = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main:refs/heads/task/HELLO-1");
    const Bare bare(forge.path, options);
    EXPECT_EQ(bare.remove("task/HELLO-1", first).error().code, Errc::conflict);
    EXPECT_EQ(forge.at("task/HELLO-1"), second);
    EXPECT_TRUE(bare.remove("task/HELLO-1", second));
    EXPECT_TRUE(bare.remove("task/HELLO-1", second)) << "gone already";
    EXPECT_FALSE(bare.head("task/HELLO-1")->has_value());
}

}  // namespace
}  // namespace orchd::git
