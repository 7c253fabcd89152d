// A project's file is changed in its text, and put in place whole or not at all (R06).
#include "orchctl/project_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "settings/files.h"

namespace orchd::orchctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* hello = R"(# Ours.
[project]
name = "hello"   # as its file
prefix = "HELLO"

[forge]
path = "/srv/git/hello.git"

[roles.analyst]
command = ["/bin/true"]
[roles.architect]
command = ["/bin/true"]
[roles.developer]
command = [
    "/bin/agent",  # of é people
    "--all",
]
timeout_s = 900
[roles.reviewer]
command = ["/bin/true"]
)";

std::string changed(const std::string& key, const std::optional<std::string>& value, const std::string& text = hello) {
    const auto done = with_key(text, key, value);
    return done ? *done : "refused: " + done.error().text;
}
std::string with(const std::string& from, const std::string& to) {
    std::string text = hello;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(ProjectEdit, SetsAKeyAndLeavesTheRestAsItStands) {
    EXPECT_EQ(changed("project.prefix", "HALLO"), with("\"HELLO\"", "\"HALLO\""));
    EXPECT_EQ(changed("roles.developer.timeout_s", "60"), with("timeout_s = 900", "timeout_s = 60"));
    EXPECT_EQ(changed("project.target", "trunk"), with("[project]\n", "[project]\ntarget = \"trunk\"\n"));
    EXPECT_EQ(changed("project.self", "true"), with("[project]\n", "[project]\nself = true\n"));
    EXPECT_EQ(changed("forge.repository", "acme/hello"), with("[forge]\n", "[forge]\nrepository = \"acme/hello\"\n"));
    EXPECT_EQ(changed("roles.developer.memory", "\"2G\""), with("[roles.developer]\n", "[roles.developer]\nmemory = \"2G\"\n"));
}

TEST(ProjectEdit, SetsACommandFromItsWordsOrAsAList) {
    EXPECT_EQ(changed("ci.command", "./test --say 'a b'"),
              std::string(hello) + "\n[ci]\ncommand = [\"./test\", \"--say\", \"a b\"]\n");
    EXPECT_EQ(changed("ci.command", R"(["./test"])"), std::string(hello) + "\n[ci]\ncommand = [\"./test\"]\n");
    EXPECT_THAT(changed("roles.developer.command", "/bin/agent"), HasSubstr("command = [\"/bin/agent\"]\ntimeout_s = 900"));
    EXPECT_THAT(changed("ci.command", "./test | tee"), HasSubstr("ci.command: there is no shell"));
}

TEST(ProjectEdit, TakesAKeyOut) {
    EXPECT_EQ(changed("roles.developer.timeout_s", std::nullopt), with("timeout_s = 900\n", ""));
    EXPECT_EQ(changed("project.target", std::nullopt), hello) << "what is not there is out already";
    EXPECT_THAT(changed("roles.developer.command", std::nullopt), HasSubstr("[roles.developer]\ntimeout_s = 900"));
}

TEST(ProjectEdit, TakesATableOutWithItsLastKey) {
    EXPECT_EQ(changed("forge.path", std::nullopt), with("[forge]\npath = \"/srv/git/hello.git\"\n", ""));
    EXPECT_EQ(changed("ci.command", std::nullopt, std::string(hello) + "[ci]\ncommand = [\n  \"./test\",\n]\n"), hello);
    EXPECT_EQ(changed("ci.command", std::nullopt, "ci = { command = [\"./test\"] }\n" + std::string(hello)), hello);
}

TEST(ProjectEdit, RefusesWhatItDoesNotUnderstand) {
    for (const auto* key :
         {"", "target", "project.", ".target", "project..target", "Project.target", "project.target ", "project.a-b"})
        EXPECT_THAT(changed(key, "x"), HasSubstr("is no key of a project's file")) << key;
    EXPECT_THAT(changed("roles.developer", "x"), HasSubstr("is a table"));
    EXPECT_THAT(changed("project.target", "trunk", "project = { name = \"hello\" }\n"), HasSubstr("orchctl project edit"));
    EXPECT_THAT(changed("project.target", "trunk", "project.name = \"hello\"\n"), HasSubstr("orchctl project edit"));
    EXPECT_THAT(changed("project.target", "trunk", "[project\n"), HasSubstr("line 1"));
    // Whatever a value is, it is one value: no second key comes with it.
    EXPECT_THAT(changed("project.target", "\"a\"\nself = true"), Not(HasSubstr("\nself = true")));
}

class ProjectTextTest : public ::testing::Test {
protected:
    ProjectTextTest() { folder.write("hello.toml", hello); }
    [[nodiscard]] ProjectText read() const {
        auto project = read_project_text(folder.path(), "hello");
        EXPECT_TRUE(project);
        return *project;
    }
    [[nodiscard]] std::string text() const {
        std::ifstream in(folder.path("hello.toml"));
        return {std::istreambuf_iterator<char>(in), {}};
    }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
    }
    TemporaryFolder folder;
    settings::Settings settings;
};

TEST_F(ProjectTextTest, IsReplacedWholeWithItsMode) {
    ASSERT_EQ(::chmod(folder.path("hello.toml").c_str(), 0640), 0);
    const auto done = replace_project_text(read(), changed("project.target", "trunk"), settings);
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(text(), changed("project.target", "trunk"));
    struct stat seen {};
    ASSERT_EQ(::stat(folder.path("hello.toml").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0640U);
    EXPECT_EQ(files(), 1U);
}

TEST_F(ProjectTextTest, StaysWhereTheUnitsWouldRefuseWhatWasWritten) {
    for (const auto& wrong : {with("HELLO", "hello"), with("name = \"hello\"", "name = \"other\""),
                              with("[forge]", "[forgery]"), changed("project.colour", "red"), std::string("[project")}) {
        const auto done = replace_project_text(read(), wrong, settings);
        ASSERT_FALSE(done);
        EXPECT_EQ(text(), hello);
        EXPECT_EQ(files(), 1U);
    }
}

TEST_F(ProjectTextTest, StaysWhereAPrefixIsAnothersOrSomebodyWasFaster) {
    std::string other = with("\"hello\"", "\"other\"");
    folder.write("other.toml", other.replace(other.find("HELLO"), 5, "OTHER"));
    const auto taken = replace_project_text(read(), changed("project.prefix", "OTHER"), settings);
    ASSERT_FALSE(taken);
    EXPECT_THAT(taken.error().text, HasSubstr("\"OTHER\" belongs to other"));
    const auto before = read();
    folder.write("hello.toml", changed("project.target", "theirs"));
    const auto late = replace_project_text(before, changed("project.target", "mine"), settings);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::conflict);
    EXPECT_EQ(text(), changed("project.target", "theirs"));
    EXPECT_FALSE(remove_project_text(before));
}

TEST_F(ProjectTextTest, IsKeptBesideWhenItIsRemoved) {
    const auto kept = remove_project_text(read());
    ASSERT_TRUE(kept) << kept.error().text;
    EXPECT_TRUE(std::filesystem::equivalent(*kept, folder.path("hello.toml.removed"))) << *kept;
    EXPECT_TRUE(settings::load_projects(folder.path(), settings).good.empty());
    EXPECT_EQ(read_project_text(folder.path(), "hello").error().code, Errc::no_such);
    EXPECT_EQ(read_project_text(folder.path(), "../hello").error().code, Errc::no_such);
    EXPECT_EQ(files(), 1U);
    folder.write("hello.toml", "# another");
    const auto another = remove_project_text(read());
    ASSERT_TRUE(another) << another.error().text;
    EXPECT_TRUE(std::filesystem::equivalent(*another, folder.path("hello.toml.removed.2"))) << *another;
    EXPECT_EQ(files(), 2U) << "what was kept before stays";
}

}  // namespace
}  // namespace orchd::orchctl
