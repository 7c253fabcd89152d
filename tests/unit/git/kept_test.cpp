// Repositories as people keep them: what of one cannot be worked with, and says so.
#include <gtest/gtest.h>

#include "git/git.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;
using testing::Test;

constexpr const char* artefact = "docs/work-items/HELLO-1/10-analysis.md";
const std::vector<std::string> artefacts{artefact, "docs/work-items/HELLO-1/12-review.md"};

class KeptTest : public Test {
protected:
    std::unique_ptr<Mirror> mirror(bool own_history = false) {
        auto opened = open_mirror(folder / "m.git", {.timeout_s = 60, .target = "main", .own_history = own_history});
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }
    // What stands in an artefact's way after the script; both of the mirror and of the repository itself.
    std::string obstacle(const std::string& script) {
        const auto commit = forge.commit(script + "; git add -A; git commit -qm x; git push -qf origin HEAD:main");
        auto m = mirror();
        EXPECT_TRUE(m->fetch(forge.path));
        const auto found = m->obstacle(commit, artefacts);
        EXPECT_TRUE(found) << found.error().text;
        EXPECT_EQ(Bare(forge.path, {}).obstacle(commit, artefacts).value(), found.value());
        return found->value_or("");
    }
    // An old import: a mode with a leading zero, and a time zone that there is not.
    std::string old_import() {
        sh(forge.path,
           "blob=$(echo x | git hash-object -w --stdin); sub=$(python3 -c \"import sys; sys.stdout.buffer.write(b'100644 a\\0' "
           "+ "
           "bytes.fromhex('$blob'))\" | git hash-object -t tree -w --stdin --literally);"
           "top=$(python3 -c \"import sys; sys.stdout.buffer.write(b'040000 dir\\0' + bytes.fromhex('$sub'))\" | git "
           "hash-object -t "
           "tree -w --stdin --literally);"
           "bad=$(printf \"tree $top\\nauthor o <o@l> 1700000000 +0000\\ncommitter o <o@l> 1700000000 +051800\\n\\nold\\n\" | "
           "git "
           "hash-object -t commit -w --stdin --literally);"
           "good=$(git commit-tree -p $bad -m now main^{tree}); git update-ref refs/heads/main $good");
        return forge.at("main");
    }
    scene::Folder folder;
    scene::Forge forge{folder};
};

TEST_F(KeptTest, AnOrdinaryTreeHasNothingInTheWay) {
    EXPECT_EQ(obstacle("echo x >x"), "");
    EXPECT_EQ(obstacle("mkdir -p docs/work-items; echo x >docs/work-items/x"), "");
    EXPECT_EQ(obstacle("printf '*.o\\n/build/\\n' >.gitignore"), "");
    EXPECT_EQ(obstacle("printf '*.md\\n!docs/**/*.md\\n' >.gitignore"), "");
}

TEST_F(KeptTest, WhatIsIgnoredOrStandsInTheWayIsNamed) {
    EXPECT_EQ(obstacle("echo docs/ >.gitignore"), std::string(artefact) +
                                                      " is ignored (.gitignore:1:docs/), so that it is in no "
                                                      "commit that 'git add' makes");
    EXPECT_NE(
        obstacle("printf '*.log\\n!10-*\\n*review*\\n' >.gitignore").find("12-review.md is ignored (.gitignore:3:*review*)"),
        std::string::npos);
    EXPECT_NE(obstacle("git rm -q .gitignore; mkdir docs; echo '*.md' >docs/.gitignore").find("docs/.gitignore:1:*.md"),
              std::string::npos);
    EXPECT_NE(obstacle("git rm -rq docs; mkdir d; echo x >d/x; ln -s d docs").find("docs is a symbolic link"),
              std::string::npos);
    EXPECT_NE(obstacle("rm docs; echo x >docs").find("docs is a file"), std::string::npos);
    EXPECT_NE(obstacle("git rm -q docs; mkdir docs; ln -s ../d docs/work-items").find("docs/work-items is a symbolic link"),
              std::string::npos);
    const auto head = forge.commit(
        "git rm -rq docs; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),docs; git commit -qm sub; "
        "git push -q origin HEAD:main");
    auto m = mirror();
    ASSERT_TRUE(m->fetch(forge.path));
    EXPECT_NE(m->obstacle(head, artefacts)->value_or("").find("docs is a submodule"), std::string::npos);
}

TEST_F(KeptTest, AShallowRepositoryIsRefusedAsWhatItIs) {
    forge.commit("for i in 1 2 3; do echo $i >x; git add x; git commit -qm $i; done; git push -q origin main");
    sh(folder.path(), "git clone -q --bare --depth 2 file://" + forge.path + " shallow.git");
    const auto fetched = mirror()->fetch(folder / "shallow.git");
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code, Errc::refused);
    EXPECT_NE(fetched.error().text.find("shallow"), std::string::npos) << fetched.error().text;
}

TEST_F(KeptTest, HistoryThatGitRefusesIsTakenOnlyWhereItsOwnerSaysSo) {
    const auto head = old_import();
    const auto refused = mirror()->fetch(forge.path);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused) << refused.error().text;
    EXPECT_NE(refused.error().text.find("accept_history"), std::string::npos) << refused.error().text;
    auto m = mirror(true);
    const auto taken = m->fetch(forge.path);
    ASSERT_TRUE(taken) << taken.error().text;
    EXPECT_EQ(m->forge_head("main")->value(), head);
    EXPECT_TRUE(m->push(forge.path, "task/HELLO-1", head, ""));
}

}  // namespace
}  // namespace orchd::git
