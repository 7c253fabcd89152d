// R06 (many projects), R40 (one bad file hides no good one), R17 (time limits fit into the host's).
#include "settings/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "settings/files.h"

namespace orchd::settings {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string agents = R"(
[roles.analyst]
command = ["/usr/share/orchd/sample/agent"]
[roles.architect]
command = ["/usr/share/orchd/sample/agent"]
[roles.developer]
command = ["/usr/share/orchd/sample/agent", "--fast"]
[roles.reviewer]
command = ["./tools/review"]
)";

std::string head(const std::string& name, const std::string& prefix) {
    return "[project]\nname = \"" + name + "\"\nprefix = \"" + prefix + "\"\n[forge]\npath = \"/srv/git/" + name + ".git\"\n";
}

class ProjectTest : public ::testing::Test {
protected:
    // What is wrong with hello.toml when it holds `text`.
    [[nodiscard]] std::string problems(const std::string& text) const {
        const auto project = load_project(folder.write("hello.toml", text), settings);
        return project ? "" : project.error().text;
    }
    [[nodiscard]] std::string problems_with(const std::string& more) const {
        return problems(head("hello", "HELLO") + agents + more);
    }
    TemporaryFolder folder;
    Settings settings;
};

TEST_F(ProjectTest, ATextWithANulIsRefused) {
    EXPECT_THAT(problems_with("[deploy]\nhook = \"/usr/bin/x\\u0000\"\n"), HasSubstr("NUL character"));
}

TEST_F(ProjectTest, ReadsEveryKey) {
    folder.write("developer.md", "Be good.");
    const auto file = folder.write("hello.toml", R"([project]
name = "hello"
prefix = "HELLO"
target = "trunk"
max_concurrency = 3
[forge]
kind = "local"
path = "/srv/git/hello.git"
[tracker]
kind = "local"
[roles.analyst]
command = ["/bin/a"]
[roles.architect]
command = ["/bin/a"]
[roles.reviewer]
command = ["/bin/a"]
[roles.developer]
command = ["/bin/a", "-x"]
prompt = "developer.md"
timeout_s = 900
memory = "2G"
tasks_max = 100
cpu_percent = 150
network = true
max_concurrency = 2
[ci]
command = ["./test", "--all"]
[test]
command = ["./test"]
timeout_s = 60
[staging]
command = ["./stage"]
[build]
command = ["./build"]
[deploy]
hook = "/usr/libexec/orchd/deploy-systemd"
config = "/etc/orchd/deploy.d/hello.conf"
timeout_s = 100
)");
    const auto project = load_project(file, settings);
    ASSERT_TRUE(project) << project.error().text;
    EXPECT_EQ(project->name, "hello");
    EXPECT_EQ(project->prefix, "HELLO");
    EXPECT_EQ(project->target, "trunk");
    EXPECT_EQ(project->max_concurrency, 3);
    EXPECT_EQ(project->forge_path, "/srv/git/hello.git");
    EXPECT_EQ(project->file, file);
    const auto& developer = project->workers.at(Role::developer);
    EXPECT_EQ(developer.command, (std::vector<std::string>{"/bin/a", "-x"}));
    EXPECT_EQ(developer.prompt_file, folder.path("developer.md"));
    EXPECT_EQ(developer.timeout_s, 900);
    EXPECT_EQ(developer.memory_bytes, 2ULL << 30);
    EXPECT_EQ(developer.tasks_max, 100);
    EXPECT_EQ(developer.cpu_percent, 150);
    EXPECT_TRUE(developer.network);
    EXPECT_EQ(developer.max_concurrency, 2);
    EXPECT_EQ(project->workers.at(Role::ci).command, (std::vector<std::string>{"./test", "--all"}));
    EXPECT_EQ(project->workers.at(Role::retest).timeout_s, 60);
    EXPECT_FALSE(project->workers.contains(Role::tester));
    ASSERT_TRUE(project->deploy);
    EXPECT_EQ(project->deploy->hook, "/usr/libexec/orchd/deploy-systemd");
    EXPECT_EQ(project->deploy->config, "/etc/orchd/deploy.d/hello.conf");
    EXPECT_EQ(project->deploy->timeout_s, 100);
}

TEST_F(ProjectTest, R33R34SaysWhoseWebhooksAreItsOwn) {
    const auto outside = [](const std::string& repository, const std::string& plane) {
        return "repository = \"" + repository + "\"\n[tracker]\nkind = \"plane\"\nproject = \"" + plane + "\"\n";
    };
    const std::string one = "4AF68566-94a4-4eb3-94aa-50dc9427067b", other = "4af68566-94a4-4eb3-94aa-50dc9427067c";
    folder.write("a.toml",
                 head("a", "A") + outside("Acme/app", one) + "[tracker.states]\napproved = \"Freigegeben\"\n" + agents);
    folder.write("b.toml", head("b", "B") + outside("acme/APP", other) + agents);
    folder.write("c.toml", head("c", "C") + outside("acme/other", one) + agents);
    folder.write("d.toml", head("d", "D") + agents);
    const auto projects = load_projects(folder.path(""), settings);
    ASSERT_EQ(projects.good.size(), 2U);
    EXPECT_EQ(project_of_repository(projects, "acme/app")->name, "a");
    EXPECT_EQ(project_of_repository(projects, ""), nullptr);
    EXPECT_EQ(project_of_repository(projects, "acme/other"), nullptr);
    EXPECT_EQ(project_of_tracker(projects, one)->name, "a");
    EXPECT_EQ(project_of_tracker(projects, other), nullptr);
    EXPECT_EQ(projects.good[0].tracker_project, "4af68566-94a4-4eb3-94aa-50dc9427067b");
    EXPECT_EQ(projects.good[0].tracker_states.approved, "Freigegeben");
    EXPECT_EQ(projects.good[0].tracker_states.to_analyse, "To Analyse");
    EXPECT_EQ(projects.good[1].tracker_kind, "local");
    ASSERT_EQ(projects.problems.size(), 2U);
    EXPECT_THAT(projects.problems[0].text, HasSubstr("forge.repository: \"acme/APP\" belongs to a"));
    EXPECT_THAT(projects.problems[1].text, HasSubstr("tracker.project: \"4af68566-94a4-4eb3-94aa-50dc9427067b\" belongs to a"));
}

TEST_F(ProjectTest, RefusesATrackerThatNobodyCouldFind) {
    EXPECT_THAT(problems_with("[tracker]\nkind = \"jira\""), HasSubstr("it takes \"local\" or \"plane\""));
    EXPECT_THAT(problems_with("[tracker]\nkind = \"plane\""), HasSubstr("tracker.project: missing"));
    EXPECT_THAT(problems_with("[tracker]\nkind = \"plane\"\nproject = \"HELLO\""), HasSubstr("UUID"));
    EXPECT_THAT(problems_with("[tracker]\nproject = \"4af68566-94a4-4eb3-94aa-50dc9427067b\""), HasSubstr("unknown key"));
    EXPECT_THAT(problems_with("[tracker]\nkind = \"plane\"\nproject = \"4af68566-94a4-4eb3-94aa-50dc9427067b\"\n"
                              "[tracker.states]\napproved = \"To Analyse\""),
                HasSubstr("same state"));
    for (const std::string name : {"app", "/app", "acme/", "a/b/c", "acme/a b", "acme/$(id)"})
        EXPECT_THAT(problems("[project]\nname = \"hello\"\nprefix = \"HELLO\"\n[forge]\npath = \"/x.git\"\nrepository = \"" +
                             name + "\"\n" + agents),
                    HasSubstr("OWNER/NAME"))
            << name;
}

TEST_F(ProjectTest, R40HalfATableIsRefusedAndEndsNoProcess) {
    EXPECT_THAT(problems("[project]\n[\nname = 1\n"), HasSubstr("hello.toml:2: not TOML"));
}

TEST_F(ProjectTest, WhatIsLeftOutHasItsDefault) {
    const auto project = load_project(folder.write("hello.toml", head("hello", "HELLO") + agents), settings);
    ASSERT_TRUE(project) << project.error().text;
    EXPECT_EQ(project->target, "main");
    EXPECT_EQ(project->max_concurrency, 0);
    EXPECT_EQ(project->workers.at(Role::developer).memory_bytes, 0U);
    EXPECT_FALSE(project->workers.at(Role::developer).network);
    EXPECT_FALSE(project->deploy);
    EXPECT_EQ(project->workers.size(), 4U);
}

TEST_F(ProjectTest, AnUnknownKeyOrTableIsRefusedWithLineAndTheNearestKnownOne) {
    EXPECT_EQ(problems(head("hello", "HELLO") + "pth = \"/x\"\n" + agents),
              folder.path("hello.toml:6: forge.pth: unknown key; did you mean forge.path?"));
    EXPECT_THAT(problems_with("[roles.developr]\ncommand = [\"/bin/a\"]\n"),
                HasSubstr("roles.developr: unknown table; did you mean roles.developer?"));
    EXPECT_THAT(problems_with("[ci]\ncomand = [\"./test\"]\n"),
                AllOf(HasSubstr("ci.comand: unknown key; did you mean ci.command?"), HasSubstr("ci.command: missing")));
    EXPECT_THAT(problems_with("[stagin]\ncommand = [\"./test\"]\n"), HasSubstr("stagin: unknown table; did you mean staging?"));
    EXPECT_THAT(problems("name = \"x\"\n" + head("hello", "HELLO") + agents), HasSubstr("hello.toml:1: name: unknown key"));
}

TEST_F(ProjectTest, ChecksNeverHaveANetworkOrAPrompt) {
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./test\"]\nnetwork = true\n"), HasSubstr("ci.network: unknown key"));
    EXPECT_THAT(problems_with("[test]\ncommand = [\"./test\"]\nprompt = \"x\"\n"), HasSubstr("test.prompt: unknown key"));
}

TEST_F(ProjectTest, NamesAndPrefixesHaveTheirShape) {
    EXPECT_THAT(problems(head("Hello", "HELLO") + agents), HasSubstr("project.name: \"Hello\" is not allowed; it takes [a-z]"));
    EXPECT_THAT(problems(head("hallo", "HELLO") + agents), HasSubstr("\"hallo\" is not the name of its file"));
    EXPECT_THAT(problems(head("hello", "hello") + agents),
                HasSubstr("project.prefix: \"hello\" is not allowed; it takes [A-Z]"));
    EXPECT_THAT(problems(agents), AllOf(HasSubstr("project: missing"), HasSubstr("project.name: missing"),
                                        HasSubstr("project.prefix: missing"), HasSubstr("forge.path: missing")));
}

TEST_F(ProjectTest, ATargetIsABranchThatNoTaskOwns) {
    for (const std::string bad : {"-x", "a b", "a..b", "task/HELLO-1", "a.lock", "/a", "a/", "a//b", "$(id)", "a\\u0007b", "@",
                                  ".a", "a/.b", "a.lock/b"}) {
        const auto text = "[project]\nname = \"hello\"\nprefix = \"HELLO\"\ntarget = \"" + bad +
                          "\"\n[forge]\npath = \"/srv/git/hello.git\"\n" + agents;
        EXPECT_THAT(problems(text), HasSubstr("hello.toml:4: project.target: ")) << bad;
    }
}

TEST_F(ProjectTest, ACommandIsAnArgumentVectorThatNamesItsProgram) {
    EXPECT_THAT(problems_with("[ci]\ncommand = \"./test\"\n"),
                HasSubstr("ci.command: \"./test\" is not allowed; it takes a list of texts"));
    EXPECT_THAT(problems_with("[ci]\ncommand = []\n"), HasSubstr("ci.command: an empty list is not allowed"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"\"]\n"), HasSubstr("ci.command: a list is not allowed"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"a\\u0000b\"]\n"), HasSubstr("ci.command: a list is not allowed"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"make\", \"test\"]\n"), HasSubstr("\"make\" is not allowed first"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./../test\"]\n"), HasSubstr("\"./../test\" is not allowed first"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./test\", 4]\n"), HasSubstr("a list of other things than texts"));
}

TEST_F(ProjectTest, LimitsHaveTheirRangeAndUnit) {
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./t\"]\nmemory = \"2 gigs\"\n"),
                HasSubstr("ci.memory: \"2 gigs\" is not allowed; it takes a size from 1M"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./t\"]\ntasks_max = 0\n"), HasSubstr("ci.tasks_max: 0 is not allowed"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./t\"]\ncpu_percent = \"50%\"\n"),
                HasSubstr("ci.cpu_percent: \"50%\" is not"));
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./t\"]\ntimeout_s = -1\n"), HasSubstr("ci.timeout_s: -1 is not allowed"));
    EXPECT_THAT(problems_with("[roles.tester]\ncommand = [\"./t\"]\nnetwork = \"yes\"\n"),
                HasSubstr("roles.tester.network: \"yes\" is not allowed; it takes true or false"));
}

TEST_F(ProjectTest, R17_ATimeLimitThatDoesNotFitIntoTheCeilingIsRefusedNamingBothKeys) {
    EXPECT_THAT(problems_with("[ci]\ncommand = [\"./t\"]\ntimeout_s = 14000\n"),
                AllOf(HasSubstr("ci.timeout_s: 14000 + 18 x git_timeout_s (300)"),
                      HasSubstr("does not fit into reaper_max_running_s (14400)")));
    EXPECT_EQ(problems_with("[ci]\ncommand = [\"./t\"]\ntimeout_s = 9000\n"), "");
    EXPECT_NE(problems_with("[ci]\ncommand = [\"./t\"]\ntimeout_s = 13800\n"), "");
}

TEST_F(ProjectTest, AnAgentThatItsStageNeedsIsMissed) {
    EXPECT_THAT(problems(head("hello", "HELLO")),
                AllOf(HasSubstr("roles.analyst: missing"), HasSubstr("roles.architect: missing"),
                      HasSubstr("roles.developer: missing"), HasSubstr("roles.reviewer: missing")));
}

TEST_F(ProjectTest, APromptStandsBesideTheFile) {
    EXPECT_THAT(problems_with("[roles.tester]\ncommand = [\"/bin/a\"]\nprompt = \"tester.md\"\n"),
                HasSubstr("roles.tester.prompt: " + folder.path("tester.md") + " is not there"));
    EXPECT_THAT(problems_with("[roles.tester]\ncommand = [\"/bin/a\"]\nprompt = \"../tester.md\"\n"),
                HasSubstr("it takes the name of a file beside this one"));
}

TEST_F(ProjectTest, ADeployHookIsAbsoluteAndNeedsABuild) {
    const std::string build = "[build]\ncommand = [\"./build\"]\n";
    EXPECT_THAT(problems_with(build + "[deploy]\nhook = \"deploy\"\n"), HasSubstr("deploy.hook: \"deploy\" is not allowed"));
    EXPECT_THAT(problems_with(build + "[deploy]\nhook = \"/x/../y\"\n"), HasSubstr("deploy.hook: \"/x/../y\" is not allowed"));
    EXPECT_THAT(problems_with(build + "[deploy]\n"), HasSubstr("deploy.hook: missing"));
    EXPECT_THAT(problems_with("[deploy]\nhook = \"/hook\"\n"), HasSubstr("deploy: needs the table [build]"));
    EXPECT_EQ(problems_with(build + "[deploy]\nhook = \"/hook\"\n"), "");
}

TEST_F(ProjectTest, R31_AProjectThatIsOrchdItselfIsNotDeployedByItsOwnPipeline) {
    const std::string build = "[build]\ncommand = [\"./build\"]\n";
    const auto self = [&](const std::string& more) {
        auto text = head("hello", "HELLO");
        text.replace(text.find("[forge]"), 0, "self = true\n");
        return problems(text + agents + more);
    };
    EXPECT_THAT(self(build + "[deploy]\nhook = \"/hook\"\n"),
                HasSubstr("deploy: a project that is marked self has none: its own pipeline would restart what runs it"));
    EXPECT_EQ(self(build), "");
}

TEST_F(ProjectTest, OnlyKnownForgesAndTrackers) {
    EXPECT_THAT(problems_with("[tracker]\nkind = \"jira\"\n"), HasSubstr("tracker.kind: \"jira\" is unknown"));
    EXPECT_THAT(problems("[project]\nname = \"hello\"\nprefix = \"HELLO\"\n[forge]\nkind = \"git\"\npath = \"git\"\n" + agents),
                AllOf(HasSubstr("forge.kind: \"git\" is unknown"), HasSubstr("forge.path: \"git\" is not allowed")));
}

TEST_F(ProjectTest, AKeyWhereATableBelongsIsSaidSo) {
    EXPECT_THAT(problems("ci = true\n" + head("hello", "HELLO") + agents),
                HasSubstr("hello.toml:1: ci: true is not allowed; it takes a table, written [ci]"));
}

TEST_F(ProjectTest, R40_OneBadFileHidesNoGoodOne) {
    folder.write("projects.d/bad.toml", "this is not TOML");
    folder.write("projects.d/one.toml", head("one", "ONE") + agents);
    folder.write("projects.d/two.toml", head("two", "TWO") + agents);
    folder.write("projects.d/README", "no project");
    const auto projects = load_projects(folder.path("projects.d"), settings);
    ASSERT_EQ(projects.good.size(), 2U);
    ASSERT_EQ(projects.problems.size(), 1U);
    EXPECT_EQ(projects.problems[0].file, folder.path("projects.d/bad.toml"));
    EXPECT_THAT(projects.problems[0].text, HasSubstr("bad.toml:1: not TOML"));
    ASSERT_NE(find(projects, "two"), nullptr);
    EXPECT_EQ(find(projects, "two"), owner_of(projects, "TWO"));
    EXPECT_EQ(find(projects, "bad"), nullptr);
    EXPECT_EQ(owner_of(projects, "BAD"), nullptr);
}

TEST_F(ProjectTest, R06_APrefixBelongsToOneProject) {
    folder.write("projects.d/one.toml", head("one", "ONE") + agents);
    folder.write("projects.d/two.toml", head("two", "ONE") + agents);
    const auto projects = load_projects(folder.path("projects.d"), settings);
    ASSERT_EQ(projects.good.size(), 1U);
    EXPECT_EQ(projects.good[0].name, "one");
    ASSERT_EQ(projects.problems.size(), 1U);
    EXPECT_THAT(projects.problems[0].text, AllOf(HasSubstr("two.toml"), HasSubstr("\"ONE\" belongs to one")));
}

TEST_F(ProjectTest, WithoutTheFolderThereIsNoProjectAndNoProblem) {
    const auto projects = load_projects(folder.path("nowhere"), settings);
    EXPECT_TRUE(projects.good.empty());
    EXPECT_TRUE(projects.problems.empty());
}

}  // namespace
}  // namespace orchd::settings
