// What `orchctl project add` writes is what the units read (R06).
#include "orchctl/project_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

#include "git/scene.h"
#include "orchctl/project_check.h"
#include "orchctl/project_check_repository.h"
#include "settings/files.h"
#include "settings/project.h"

namespace orchd::orchctl {
namespace {

using ::testing::HasSubstr;

class ProjectFileTest : public ::testing::Test {
protected:
    static NewProject hello() {
        NewProject project;
        project.name = "hello";
        project.prefix = "HELLO";
        project.repository = "/srv/git/hello.git";
        project.agent = {"/usr/bin/agent", "--say", "a \"quoted\" \\ word"};
        project.ci = {"./test", "--fast"};
        project.test = {"./test"};
        project.staging = {"./stage"};
        project.build = {"./build"};
        project.hook = "/usr/libexec/orchd/deploy-systemd";
        project.hook_config = "/etc/orchd/deploy.d/hello.conf";
        return project;
    }
    [[nodiscard]] Status write(const NewProject& project) const { return write_project_file(project, folder.path(), settings); }
    TemporaryFolder folder;
    settings::Settings settings;
};

TEST_F(ProjectFileTest, R06_IsReadAsItWasMeant) {
    ASSERT_TRUE(write(hello()));
    const auto project = settings::load_project(folder.path("hello.toml"), settings);
    ASSERT_TRUE(project) << project.error().text;
    EXPECT_EQ(project->prefix, "HELLO");
    EXPECT_EQ(project->target, "main");
    EXPECT_EQ(project->forge_path, "/srv/git/hello.git");
    for (const auto role : {Role::analyst, Role::architect, Role::developer, Role::reviewer}) {
        EXPECT_EQ(project->workers.at(role).command, hello().agent);
    }
    EXPECT_EQ(project->workers.at(Role::ci).command, hello().ci);
    EXPECT_EQ(project->workers.at(Role::build).command, hello().build);
    EXPECT_EQ(project->deploy->hook, hello().hook);
    EXPECT_EQ(project->deploy->config, hello().hook_config);
    struct stat seen {};
    ASSERT_EQ(::stat(folder.path("hello.toml").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0644U);
}

TEST_F(ProjectFileTest, R06_WhatIsLeftOutHasNoTable) {
    NewProject project = hello();
    project.ci = project.test = project.staging = project.build = {};
    project.hook = project.hook_config = "";
    ASSERT_TRUE(write(project));
    const auto read = settings::load_project(folder.path("hello.toml"), settings);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->workers.size(), 4U);
    EXPECT_FALSE(read->deploy);
}

TEST_F(ProjectFileTest, R06_ATakenNameIsRefusedAndItsFileStays) {
    folder.write("hello.toml", "# mine\n");
    const auto written = write(hello());
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::conflict);
    EXPECT_THAT(written.error().text, HasSubstr("the name is taken"));
    EXPECT_EQ(std::filesystem::file_size(folder.path("hello.toml")), 7U);
}

TEST_F(ProjectFileTest, R06_ATakenPrefixIsRefusedNamingItsOwner) {
    ASSERT_TRUE(write(hello()));
    NewProject other = hello();
    other.name = "other";
    const auto written = write(other);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::conflict);
    EXPECT_THAT(written.error().text, HasSubstr("HELLO belongs to hello"));
    EXPECT_FALSE(std::filesystem::exists(folder.path("other.toml")));
}

TEST_F(ProjectFileTest, R06_WhatTheReaderWouldRefuseIsNeverWritten) {
    NewProject project = hello();
    project.prefix = "hello";
    project.repository = "hello.git";
    const auto written = write(project);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::invalid_argument);
    EXPECT_THAT(written.error().text, testing::AllOf(HasSubstr("project.prefix"), HasSubstr("forge.path")));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(ProjectFileTest, R06_ANameCannotLeadOutOfTheFolder) {
    NewProject project = hello();
    project.name = "../hello";
    const auto written = write(project);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::invalid_argument);
}

TEST(ProjectCommand, IsSplitAsItLooks) {
    const auto words = [](const char* command) {
        const auto split = words_of(command, "--ci");
        return split ? *split : std::vector<std::string>{"refused: " + split.error().text};
    };
    using Words = std::vector<std::string>;
    EXPECT_EQ(words("  ./test\t --all\n"), (Words{"./test", "--all"}));
    EXPECT_EQ(words("/bin/agent --say 'hello world'"), (Words{"/bin/agent", "--say", "hello world"}));
    EXPECT_EQ(words(R"(/bin/agent --say "it's here")"), (Words{"/bin/agent", "--say", "it's here"}));
    EXPECT_EQ(words(R"(/bin/agent --say="a \"b\" \\ c\d")"), (Words{"/bin/agent", R"(--say=a "b" \ c\d)"}));
    EXPECT_EQ(words(R"(a\ b '' "" c''d)"), (Words{"a b", "", "", "cd"}));
    EXPECT_EQ(words("a '$HOME | \"*\"'"), (Words{"a", "$HOME | \"*\""}));
    EXPECT_EQ(words("a x~y x#y {b} c=d !e"), (Words{"a", "x~y", "x#y", "{b}", "c=d", "!e"}));
}

TEST(ProjectCommand, IsRefusedWhereOnlyAShellWouldUnderstandIt) {
    for (const auto* command :
         {"./test | tee log", "./a && ./b", "./a; ./b", "./a > log", "./a < in", "./a $HOME", "./a `b`", "./a $(b)",
          "./a \"$HOME\"", "./a \"`b`\"", "./a *.c", "./a x?", "./a [ab]", "~/agent", "# ./a", "./a &"}) {
        const auto split = words_of(command, "--agent");
        ASSERT_FALSE(split) << command;
        EXPECT_EQ(split.error().code, Errc::invalid_argument);
        EXPECT_THAT(split.error().text, HasSubstr("--agent: there is no shell")) << command;
    }
    for (const auto* command : {"./a 'b", "./a \"b", "./a 'b\"", "./a \\", "", "  "})
        EXPECT_FALSE(words_of(command, "--agent")) << command;
}

class HostProblemsTest : public ::testing::Test {
protected:
    HostProblemsTest() {
        project.name = "hello";
        project.file = "hello.toml";
        project.forge_path = folder.path("hello.git");
    }
    void make_repository(const std::string& refs) const {
        folder.write("hello.git/HEAD", "ref: refs/heads/main\n");
        folder.write("hello.git/objects/info/x", "");
        std::filesystem::create_directories(folder.path("hello.git/refs/heads"));
        folder.write("hello.git/packed-refs", refs);
    }
    [[nodiscard]] std::string problem() const {
        const auto problems = host_problems(project, home);
        return problems.empty() ? "" : problems.front();
    }
    TemporaryFolder folder;
    ForgeHome home{.folder = std::filesystem::path(folder.path("x")).parent_path(),
                   .user = ::getpwuid(::geteuid())->pw_name,
                   .mirrors = folder.path("mirrors")};
    settings::Project project;
};

TEST_F(HostProblemsTest, R06_ARepositoryMustBeThereWithTheTargetBranch) {
    EXPECT_THAT(problem(), HasSubstr("hello.toml: forge.path: " + project.forge_path + " is not there"));
    folder.write("hello.git/x", "");
    EXPECT_THAT(problem(), HasSubstr("is no bare git repository"));
    make_repository("");
    EXPECT_THAT(problem(), HasSubstr("has no branch main yet"));
    make_repository("# pack-refs with: peeled\n0123 refs/heads/main\n");
    EXPECT_EQ(problem(), "");
    make_repository("");
    folder.write("hello.git/refs/heads/main", "0123\n");
    EXPECT_EQ(problem(), "");
}

TEST_F(HostProblemsTest, R06_ARepositoryMustBeWhereTheUnitsMayWriteAndTheirUsersToWrite) {
    make_repository("0123 refs/heads/main\n");
    ASSERT_EQ(problem(), "");
    home.user = "nobody";
    EXPECT_THAT(problem(), HasSubstr("may not be written by the user nobody: chown -R nobody:nobody " + project.forge_path));
    home.user = "no-such-user";
    EXPECT_THAT(problem(), HasSubstr("there is no user no-such-user"));
    home.folder = "/srv/elsewhere";
    EXPECT_THAT(problem(), HasSubstr("is not under /srv/elsewhere"));
}

class RepositoryTest : public ::testing::Test {
protected:
    RepositoryTest() {
        project.name = "hello";
        project.prefix = "HELLO";
        project.file = "hello.toml";
        project.forge_path = forge.path;
    }
    void commit(const std::string& script) { forge.commit(script + "; git add -A; git commit -qm x; git push -q origin main"); }
    [[nodiscard]] std::string found() const {
        const auto seen = look_at_repository(project, home);
        std::string text;
        for (const auto& problem : seen.problems) text += problem + '\n';
        for (const auto& note : seen.notes)
            if (note.find("only root can look") == std::string::npos) text += note + '\n';
        return text;
    }
    scene::Folder folder;
    scene::Forge forge{folder};
    ForgeHome home{.folder = folder.path(), .user = ::getpwuid(::geteuid())->pw_name, .mirrors = folder / "mirrors"};
    settings::Project project;
};

TEST_F(RepositoryTest, AnOrdinaryOneIsInOrder) { EXPECT_EQ(found(), ""); }

TEST_F(RepositoryTest, RulesThatForbidRebasedBranchesAreFoundAndMended) {
    scene::sh(forge.path, "git init -q --bare --shared=group .");
    EXPECT_THAT(found(), testing::AllOf(HasSubstr("receive.denyNonFastforwards"), HasSubstr("project check --fix hello")));
    if (::geteuid() != 0) GTEST_SKIP() << "only root mends";
    const auto mended = mend_repository(project, home);
    ASSERT_TRUE(mended) << mended.error().text;
    EXPECT_EQ(found(), "");
    EXPECT_EQ(scene::sh(forge.path, "find . -type d ! -perm -2070"), "");
}

TEST_F(RepositoryTest, AMirrorThatOthersWroteInIsFoundAndMended) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root writes there beside its user";
    const auto file = home.mirrors + "/hello.git/packed-refs";
    scene::sh(folder.path(), "mkdir -p mirrors; git clone -q --mirror forge.git mirrors/hello.git; chown 1 " + file);
    EXPECT_THAT(found(), testing::AllOf(HasSubstr("its mirror has what is not the user"), HasSubstr(file)));
    const auto mended = mend_repository(project, home);
    ASSERT_TRUE(mended) << mended.error().text;
    EXPECT_EQ(found(), "");
}

TEST_F(RepositoryTest, WhatStandsInTheWayOfTasksIsNamed) {
    scene::sh(forge.path, "git branch task main");
    EXPECT_THAT(found(), HasSubstr("a branch named task"));
    scene::sh(forge.path, "git branch -m task other");
    EXPECT_EQ(found(), "");
    scene::sh(forge.path, "git branch task/HELLO-7 main; git branch task/OTHER-1/x main");
    EXPECT_EQ(found(), "");
    scene::sh(forge.path, "git branch task/HELLO-1/sub main");
    EXPECT_THAT(found(), HasSubstr("a branch task/HELLO-1/sub, in the place of the branch of HELLO-1"));
    scene::sh(forge.path, "git branch -D task/HELLO-1/sub");
    commit("echo docs/ >.gitignore");
    EXPECT_THAT(found(), HasSubstr("artefacts of tasks cannot be committed: on main"));
    commit("echo '15-*' >.gitignore");
    EXPECT_THAT(found(), HasSubstr("15-staging-log.md is ignored"));
    project.target = "release";
    EXPECT_THAT(found(), HasSubstr("and no release"));
}

TEST_F(RepositoryTest, HooksThatDoNotRunAreNamed) {
    scene::write(forge.path + "/hooks/post-receive.sample", "#!/bin/sh\n");
    scene::write(forge.path + "/hooks/update", "#!/bin/sh\n");
    scene::write(forge.path + "/hooks/pre-receive.d/gitea", "#!/bin/sh\n");
    scene::sh(forge.path, "chmod +x hooks/post-receive.sample");
    EXPECT_THAT(found(), testing::AllOf(HasSubstr("is a Gitea's"), testing::Not(HasSubstr("only where people push"))));
    scene::sh(forge.path, "chmod +x hooks/update");
    EXPECT_THAT(found(), HasSubstr("only where people push: update"));
    scene::sh(forge.path, "mkdir elsewhere; mv hooks/update elsewhere/commit-msg; git config core.hooksPath elsewhere");
    EXPECT_THAT(found(), HasSubstr("only where people push: commit-msg"));
}

TEST_F(RepositoryTest, WhatIsNoRepositoryForTasksIsTold) {
    scene::sh(forge.path, "git config transfer.hideRefs refs/heads/task");
    EXPECT_THAT(found(), HasSubstr("transfer.hideRefs hides branches"));
    scene::sh(forge.path, "git config --unset transfer.hideRefs; git config receive.maxInputSize 100");
    EXPECT_THAT(found(), HasSubstr("receive.maxInputSize"));
    scene::sh(forge.path,
              "git config --unset receive.maxInputSize; mv objects ../borrowed; mkdir -p objects/info; echo /nowhere/objects "
              ">objects/info/alternates");
    EXPECT_THAT(found(), testing::AllOf(HasSubstr("/nowhere/objects"), testing::Not(HasSubstr("accept_history"))));
    scene::sh(forge.path, "rm -r objects; mv ../borrowed objects; printf '%040d\n' 7 >refs/heads/gone");
    EXPECT_THAT(found(), testing::AllOf(HasSubstr("objects of it are not there"), testing::Not(HasSubstr("accept_history"))));
    project.forge_path = forge.person + "/.git";
    EXPECT_THAT(found(), HasSubstr("it is of a work tree"));
    scene::sh(folder.path(),
              "git init -q --bare --object-format=sha256 -b main two.git; git init -q --object-format=sha256 t; cd t; "
              "echo x >x; git add .; git commit -qm x; git push -q ../two.git HEAD:main");
    project.forge_path = folder / "two.git";
    EXPECT_THAT(found(), HasSubstr("SHA-256"));
}

TEST_F(RepositoryTest, AShallowOneAndHistoryThatGitRefusesAreFound) {
    scene::sh(
        forge.path,
        "bad=$(printf \"tree $(git rev-parse main^{tree})\\nauthor o <o@l> 1700000000 +0000\\ncommitter o <o@l> 1700000000 "
        "+051800\\n\\nold\\n\" | git hash-object -t commit -w --stdin --literally); "
        "git update-ref refs/heads/main $(git commit-tree -p $bad -m now main^{tree})");
    EXPECT_THAT(found(), testing::AllOf(HasSubstr("refuse objects of its history"), HasSubstr("accept_history = true")));
    project.forge_accept_history = true;
    EXPECT_EQ(found(), "");
    scene::sh(folder.path(), "git clone -q --bare --depth 1 file://" + forge.path + " s.git");
    project.forge_path = folder / "s.git";
    EXPECT_THAT(found(), HasSubstr("it is a shallow clone"));
}

TEST_F(HostProblemsTest, R06_ProgramsThatUnitsAreHandedAreAnAdministratorsAlone) {
    make_repository("0123 refs/heads/main\n");
    const auto program = folder.write("agent", "#!/bin/sh\n");
    project.workers[Role::developer].command = {program};
    EXPECT_THAT(problem(), HasSubstr("roles.developer.command: " + program + " is no program"));
    ASSERT_EQ(::chmod(program.c_str(), 0777), 0);
    EXPECT_THAT(problem(), HasSubstr(::geteuid() == 0 ? "can be written by others" : "does not belong to root"));
    project.workers[Role::developer].command = {"/bin/true"};
    EXPECT_EQ(problem(), "");
    project.workers[Role::ci].command = {"./inside-the-clone"};
    EXPECT_EQ(problem(), "");
    project.deploy = settings::Project::Deploy{.hook = "/nowhere/hook", .config = "/nowhere/conf"};
    EXPECT_EQ(host_problems(project, home).size(), 2U);
}

}  // namespace
}  // namespace orchd::orchctl
