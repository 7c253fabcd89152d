// What kind of error git's words are.
#include "git/refusal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "git/git.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

class RefusalTest : public testing::Test {
protected:
    RefusalTest() {
        auto opened = open_mirror(folder / "m.git", {.timeout_s = 60});
        EXPECT_TRUE(opened);
        mirror = std::move(*opened);
        two = forge.commit("echo x >x; git add .; git commit -qm x; git push -q origin main");
        EXPECT_TRUE(mirror->fetch(forge.path));
        EXPECT_TRUE(mirror->push(forge.path, "task/HELLO-1", two, ""));
        beside = forge.commit(
            "git checkout -q main~; echo y >y; git add .; git commit -qm y; git push -q origin HEAD:refs/heads/topic");
        EXPECT_TRUE(mirror->fetch(forge.path));
    }
    Status rewrite() { return mirror->push(forge.path, "task/HELLO-1", beside, two); }

    scene::Folder folder;
    scene::Forge forge{folder};
    std::unique_ptr<Mirror> mirror;
    std::string two, beside;
};

TEST_F(RefusalTest, ARuleOfTheReceivingSideIsARefusalInItsWords) {
    sh(forge.path, "git config receive.denyNonFastforwards true");
    const auto pushed = rewrite();
    ASSERT_FALSE(pushed);
    EXPECT_EQ(pushed.error().code, Errc::refused) << pushed.error().text;
    EXPECT_NE(pushed.error().text.find("denying non-fast-forward"), std::string::npos) << pushed.error().text;
    EXPECT_EQ(forge.at("task/HELLO-1"), two);
    sh(forge.path, "git config receive.denyNonFastforwards false");
    EXPECT_TRUE(rewrite());
}

TEST_F(RefusalTest, WhatIsMoreThanTheReceivingSideTakesIsARefusal) {
    sh(forge.path, "git config receive.maxInputSize 10");
    const auto pushed = rewrite();
    ASSERT_FALSE(pushed);
    EXPECT_EQ(pushed.error().code, Errc::refused) << pushed.error().text;
}

TEST_F(RefusalTest, ABranchInTheFoldersPlaceIsARefusal) {
    sh(forge.path, "git update-ref -d refs/heads/task/HELLO-1; git branch task main");
    for (const auto& commit : {two, beside}) {
        const auto pushed = mirror->push(forge.path, "task/HELLO-2", commit, "");
        ASSERT_FALSE(pushed);
        EXPECT_EQ(pushed.error().code, Errc::refused) << pushed.error().text;
        EXPECT_NE(pushed.error().text.find("refs/heads/task"), std::string::npos) << pushed.error().text;
    }
}

TEST_F(RefusalTest, NoRepositoryIsARefusal) {
    std::filesystem::create_directory(folder / "none.git");
    const auto fetched = mirror->fetch(folder / "none.git");
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code, Errc::refused) << fetched.error().text;
}

TEST_F(RefusalTest, DeletesThatAreDeniedAreARule) {
    sh(forge.path, "git config receive.denyDeletes true");
    const Bare bare(forge.path, {});
    EXPECT_EQ(bare.remove("task/HELLO-1", two).error().code, Errc::not_permitted);
    EXPECT_EQ(forge.at("task/HELLO-1"), two);
}

TEST_F(RefusalTest, PermissionIsARefusal) {
    const scene::AsNobody whom_modes_bind(folder);
    const auto file = mirror->commit_file(two, "z", "z\n", "z");
    ASSERT_TRUE(file) << file.error().text;
    sh(forge.path, "chmod -w objects objects/*");
    const auto pushed = mirror->push(forge.path, "task/HELLO-1", *file, two);
    sh(forge.path, "chmod +w objects objects/*");
    ASSERT_FALSE(pushed);
    EXPECT_EQ(pushed.error().code, Errc::refused) << pushed.error().text;
    EXPECT_TRUE(mirror->push(forge.path, "task/HELLO-1", *file, two));
}

TEST(GitsWords, TellWhetherTimeHelps) {
    struct Case {
        const char* words;
        Errc kind;
    };
    for (const auto& c : std::initializer_list<Case>{
             {"remote: error: insufficient permission for adding an object to repository database objects; error: remote "
              "unpack failed: unpacker error; ! [remote rejected] abc -> task/X-1 (unpacker error)",
              Errc::refused},
             {"remote: fatal: Unable to create temporary file '/srv/git/x.git/./objects/pack/tmp_pack_XXXXXX': Permission "
              "denied",
              Errc::refused},
             {"! [remote rejected] abc -> task/X-1 (pre-receive hook declined)", Errc::refused},
             {"! [remote rejected] abc -> task/X-1 (non-fast-forward)", Errc::refused},
             {"error: object 1234: badTimezone: invalid author/committer line - bad time zone; fatal: fsck error in packed "
              "object",
              Errc::refused},
             {"fatal: not a git repository: '/srv/git/x.git'", Errc::refused},
             {"fatal: mismatched algorithms: client sha1; server sha256", Errc::refused},
             {"remote: fatal: pack exceeds maximum allowed size; error: remote unpack failed: unpack-objects abnormal exit; ! "
              "[remote rejected] abc -> task/X-1 (unpacker error)",
              Errc::refused},
             {"fatal: bad config line 3 in file /srv/git/x.git/config", Errc::refused},
             {"! [remote rejected] abc -> task/X-1 (failed to update ref)", Errc::unavailable},
             {"fatal: Unable to create '/srv/git/x.git/refs/heads/main.lock': File exists", Errc::unavailable},
             {"error: file write error: No space left on device; ! [remote rejected] abc -> x (unpacker error)",
              Errc::no_space},
             {"fatal: Out of memory, malloc failed: Cannot allocate memory", Errc::unavailable},
             {"", Errc::unavailable}})
        EXPECT_EQ(kind_of(c.words), c.kind) << c.words;
}

}  // namespace
}  // namespace orchd::git
