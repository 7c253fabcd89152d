// R33: the local forge, a bare repository on disk.
#include <gtest/gtest.h>

#include <filesystem>

#include "forge/forge.h"
#include "git/scene.h"

namespace orchd::forge {
namespace {

class LocalForgeTest : public testing::Test {
protected:
    LocalForgeTest() {
        project.name = "hello";
        project.forge_path = repository.path;
        auto opened = open(project, {.timeout_s = 60});
        EXPECT_TRUE(opened) << opened.error().text;
        forge = std::move(*opened);
        mirror = std::move(*git::open_mirror(folder / "m.git", {.timeout_s = 60}));
        EXPECT_TRUE(forge->fetch(*mirror));
    }
    scene::Folder folder;
    scene::Forge repository{folder};
    settings::Project project;
    std::unique_ptr<Forge> forge;
    std::unique_ptr<git::Mirror> mirror;
    const std::string first = repository.at("main");
};

TEST_F(LocalForgeTest, TakesATaskFromPushToMergeAndConfirmsIt) {
    const auto task = mirror->commit_file(first, "x", "x", "x").value();
    ASSERT_TRUE(forge->push(*mirror, "task/HELLO-1", task, ""));
    EXPECT_EQ(forge->head("task/HELLO-1")->value(), task);
    EXPECT_FALSE(forge->contains(*mirror, "main", task).value());
    ASSERT_TRUE(forge->merge(*mirror, "main", task, first));
    EXPECT_TRUE(forge->merge(*mirror, "main", task, first)) << "R12: merging is idempotent";
    EXPECT_TRUE(forge->contains(*mirror, "main", task).value());
    EXPECT_EQ(repository.at("main"), task);
}

TEST_F(LocalForgeTest, RefusesToMergeOverATargetThatMoved) {
    const auto task = mirror->commit_file(first, "x", "x", "x").value();
    ASSERT_TRUE(forge->push(*mirror, "task/HELLO-1", task, ""));
    const auto moved = repository.commit("echo y >y; git add .; git commit -qm y; git push -q origin main");
    EXPECT_EQ(forge->merge(*mirror, "main", task, first).error().code, Errc::conflict);
    EXPECT_EQ(repository.at("main"), moved);
}

TEST_F(LocalForgeTest, R12ARepositoryIsOneHoweverTheProjectsSpellIt) {
    std::filesystem::create_directory_symlink(repository.path, folder / "symlink.git");
    std::filesystem::create_directory_symlink(folder.path(), folder / "symlink");
    for (const auto* spelt : {"forge.git", "forge.git/", "./forge.git", "person/../forge.git//", "symlink.git", "symlink.git/.",
                              "symlink/forge.git"}) {
        project.forge_path = folder / spelt;
        EXPECT_EQ(repository_of(project), "local:" + repository.path);
    }
    project.forge_path = folder / "person";
    EXPECT_NE(repository_of(project), "local:" + repository.path);
}

TEST_F(LocalForgeTest, R12ARepositoryThatIsOutOfSightGoesByThePathsWords) {
    for (const auto* spelt :
         {"/nowhere/hello.git", "/nowhere/hello.git/", "/nowhere//hello.git/.", "/nowhere/else/../hello.git"}) {
        project.forge_path = spelt;
        EXPECT_EQ(repository_of(project), "local:/nowhere/hello.git") << spelt;
    }
}

TEST_F(LocalForgeTest, SaysWhatItCannotOpen) {
    project.forge_kind = "gitea";
    const auto other = open(project, {});
    EXPECT_EQ(other.error().code, Errc::invalid_argument);
    EXPECT_NE(other.error().text.find("'gitea'"), std::string::npos);
    project.forge_kind = "local";
    project.forge_path = folder / "nowhere.git";
    EXPECT_NE(open(project, {}).error().text.find(project.forge_path), std::string::npos);
}

}  // namespace
}  // namespace orchd::forge
