// What `orchctl project add` writes is what the units read (R06).
#include "orchctl/project_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

#include "orchctl/project_check.h"
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

TEST(ProjectCommand, IsSplitAtBlanksAlone) {
    EXPECT_EQ(words_of("  ./test  --all 'x y' "), (std::vector<std::string>{"./test", "--all", "'x", "y'"}));
    EXPECT_TRUE(words_of(" ").empty());
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
    ForgeHome home{.folder = std::filesystem::path(folder.path("x")).parent_path(), .user = ::getpwuid(::geteuid())->pw_name};
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
