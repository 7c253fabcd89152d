// Hostile repositories and names: nothing of theirs runs, nothing unchecked stands in an argument list.
#include <gtest/gtest.h>

#include "git/git.h"
#include "scene.h"

namespace orchd::git {
namespace {

using scene::sh;

class HostileTest : public testing::Test {
protected:
    HostileTest() {
        auto opened = open_mirror(folder / "m.git", {.timeout_s = 60});
        EXPECT_TRUE(opened);
        mirror = std::move(*opened);
        EXPECT_TRUE(mirror->fetch(forge.path));
        scene::write(trap, "#!/bin/sh\n(echo $0 $*; tr \"\\0\" \" \" </proc/$PPID/cmdline) >>" + folder / "ran" + "\nexit 1\n");
        sh(folder.path(), "chmod +x trap");
    }
    void TearDown() override { EXPECT_FALSE(std::filesystem::exists(folder / "ran")) << scene::read(folder / "ran"); }
    // Every call there is, on this commit.
    void use_everything(const std::string& commit) {
        EXPECT_TRUE(mirror->fetch(forge.path));
        EXPECT_TRUE(mirror->read_file(commit, "file"));
        EXPECT_TRUE(mirror->changed_paths(first, commit));
        EXPECT_TRUE(mirror->patch_id(first, commit, "docs"));
        const auto made = mirror->commit_file(commit, "docs/x", "x", "$(touch " + folder / "ran" + ")");
        ASSERT_TRUE(made) << made.error().text;
        EXPECT_TRUE(mirror->set_head("task/HELLO-1", *made, ""));
        EXPECT_TRUE(mirror->push(forge.path, "task/HELLO-1", *made, ""));
        const auto base = forge.commit(
            "git checkout -qf main; echo y >y; git add y; git commit -qm y; git push -q --receive-pack='git -c "
            "core.hooksPath=/dev/null -c core.alternateRefsCommand=true receive-pack' origin main");
        EXPECT_TRUE(mirror->fetch(forge.path));
        const auto rebased = mirror->rebase(*made, base, mirror->merge_base(*made, base).value_or(""));
        ASSERT_TRUE(rebased) << rebased.error().text;
        EXPECT_TRUE(mirror->push(forge.path, "task/HELLO-1", rebased->commit, *made));
        EXPECT_TRUE(Bare(forge.path, {}).fast_forward("main", rebased->commit, base));
        EXPECT_TRUE(make_clone({mirror->path(), folder / "clone", "task/HELLO-1", commit}));
    }
    scene::Folder folder;
    scene::Forge forge{folder};
    std::unique_ptr<Mirror> mirror;
    const std::string first = forge.at("main"), trap = folder / "trap";
};

TEST_F(HostileTest, HooksAndProgramsOfTheRepositoriesSettingsDoNotRun) {
    for (const auto& repository : {forge.path, mirror->path()})
        sh(repository,
           "mkdir -p hooks; for h in pre-receive update post-receive post-update reference-transaction pre-push "
           "post-index-change "
           "fsmonitor-watchman proc-receive; do cp " +
               trap +
               " hooks/$h; done; git config core.hooksPath \"$PWD/hooks\"; "
               "git config core.fsmonitor " +
               trap + "; git config uploadpack.packObjectsHook " + trap + "; git config diff.external " + trap +
               "; git config core.alternateRefsCommand " + trap + "; git config gc.auto 1; git config core.sshCommand " + trap +
               "; git config filter.x.clean " + trap + "; git config filter.x.smudge " + trap + "; git config merge.x.driver " +
               trap + "; git config diff.x.command " + trap + "; git config diff.x.textconv " + trap);
    use_everything(first);
}

TEST_F(HostileTest, AttributesOfTheTreeSelectNoProgram) {
    const auto commit = forge.commit(
        "printf '* filter=x diff=x merge=x text eol=crlf ident export-subst\\n' >.gitattributes; "
        "git add .; git commit -qm a; git push -q origin HEAD:side");
    use_everything(commit);
}

TEST_F(HostileTest, SubmodulesAndLinksAreOnlyEntriesOfATree) {
    const auto commit =
        forge.commit("printf '[submodule \"s\"]\\n\\tpath = s\\n\\turl = ext::" + trap + "\\n\\tupdate = !" + trap +
                     "\\n' >m; git add m; "
                     "git update-index --add --cacheinfo 160000," +
                     first +
                     ",s; ln -s ../../outside out; git add out; mv m sub; "
                     "git commit -qm s; git push -q origin HEAD:side");
    use_everything(commit);
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "clone/out"));
}

TEST_F(HostileTest, ReplacementsAndGraftsChangeNothing) {
    const auto other = forge.commit("git checkout -qb other; echo evil >file; git commit -qam evil; git push -q origin other");
    ASSERT_TRUE(mirror->fetch(forge.path));
    sh(mirror->path(), "git replace " + first + ' ' + other);
    EXPECT_EQ(mirror->read_file(first, "file")->value(), "one\ntwo\nthree\n");
}

TEST_F(HostileTest, OnlyRepositoriesOfThisHostAreFetched) {
    for (const auto& url :
         {"ext::" + trap, std::string("--upload-pack=") + trap, std::string("ssh://-oProxyCommand=") + trap + "/x",
          std::string("http://localhost/x"), std::string("relative"), "/x\n" + trap})
        EXPECT_EQ(mirror->fetch(url).error().code, Errc::invalid_argument) << url;
    const auto odd = folder / "it's $(touch ran) `touch ran`; touch ran";
    std::filesystem::rename(forge.path, odd);
    const auto fetched = mirror->fetch(odd);
    EXPECT_TRUE(fetched) << fetched.error().text;
    EXPECT_TRUE(mirror->push(odd, "b", first, ""));
}

TEST_F(HostileTest, BranchesAndObjectIdsAreCheckedBeforeTheyStandInAnArgumentList) {
    for (const auto* bad : {"",     "-b",       "--upload-pack=x",
                            "a..b", "a b",      "a\nb",
                            "a\rb", "a\x1b[0m", "/a",
                            "a/",   "a//b",     ".a",
                            "a/.b", "a.lock",   "a.lock/b",
                            "a~1",  "a^",       "a:b",
                            "a?",   "a*",       "[a",
                            "a\\b", "@",        "a@{1}",
                            "a.",   "../a",     "\x7f"}) {
        EXPECT_EQ(mirror->head(bad).error().code, Errc::invalid_argument) << bad;
        EXPECT_EQ(mirror->push(forge.path, bad, first, "").error().code, Errc::invalid_argument) << bad;
    }
    for (const auto& bad :
         {std::string("HEAD"), std::string("--all"), std::string(39, 'a'), std::string(40, 'A'), std::string(40, 'g')}) {
        EXPECT_EQ(mirror->is_ancestor(bad, first).error().code, Errc::invalid_argument);
        EXPECT_EQ(mirror->rebase(first, bad, first).error().code, Errc::invalid_argument);
        EXPECT_EQ(mirror->commit_file(bad, "x", "x", "x").error().code, Errc::invalid_argument);
        EXPECT_EQ(Bare(forge.path, {}).fast_forward("main", bad, first).error().code, Errc::invalid_argument);
    }
}

TEST_F(HostileTest, BranchesWithOddNamesOnTheForgeAreFetchedAndPushed) {
    sh(forge.path, "git update-ref 'refs/heads/$(touch${IFS}ran)' main; git update-ref 'refs/heads/zoë;x' main");
    ASSERT_TRUE(mirror->fetch(forge.path));
    EXPECT_EQ(mirror->forge_head("zoë;x")->value(), first);
    EXPECT_TRUE(mirror->push(forge.path, "`touch${IFS}ran`", first, "")) << "valid for git, and only a name";
    EXPECT_TRUE(make_clone({mirror->path(), folder / "clone", "task/HELLO-1", first}));
}

TEST_F(HostileTest, WordsOfAForgeComeOutPrintable) {
    const auto bad = mirror->fetch(folder / "no\x1b[31mwhere\r.git");
    ASSERT_FALSE(bad);
    for (const char c : bad.error().text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20) << bad.error().text;
}

}  // namespace
}  // namespace orchd::git
