// R43: what a person types, and what an exit status means.
#include "orchctl/cli.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <boost/json.hpp>

#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

using ::testing::HasSubstr;

struct Ended {
    int status;
    std::string out, err;
};
Ended orchctl(const std::vector<std::string>& words) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = run(words);
    auto out = testing::internal::GetCapturedStdout();
    return {status, std::move(out), testing::internal::GetCapturedStderr()};
}

// Every command of the tree, as its words: "task", "task list", …
void gather(Command at, const std::vector<std::string>& path, std::vector<std::vector<std::string>>& all) {
    for (const auto& command : at.below()) {
        auto words = path;
        words.push_back(command.name());
        all.push_back(words);
        gather(command, words, all);
    }
}
std::vector<std::vector<std::string>> every_command() {
    Session session;
    std::vector<std::vector<std::string>> all;
    const CommandTree tree(session);
    add_all(tree, session);
    gather(tree.root(), {}, all);
    return all;
}
std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

TEST(CommandLine, R43_HasEveryCommandOfThisRelease) {
    std::vector<std::string> have;
    for (const auto& words : every_command()) have.push_back(joined(words));
    for (const auto* wanted : {"status",
                               "queue",
                               "task list",
                               "task show",
                               "task create",
                               "task approve",
                               "task reject",
                               "task cancel",
                               "task retry",
                               "task release",
                               "task back",
                               "task edit",
                               "job list",
                               "job show",
                               "job cancel",
                               "job retry",
                               "lease list",
                               "lease release",
                               "reap",
                               "dep add",
                               "dep remove",
                               "dep tree",
                               "logs",
                               "events",
                               "pause",
                               "resume",
                               "project add",
                               "project list",
                               "project check",
                               "project grant-deploy",
                               "project edit",
                               "project remove",
                               "project disable",
                               "project enable",
                               "config show",
                               "config check",
                               "db check",
                               "completion bash",
                               "webhook list",
                               "webhook show",
                               "webhook replay",
                               "db backup",
                               "db list",
                               "db restore",
                               "why",
                               "doctor"}) {
        EXPECT_THAT(have, testing::Contains(wanted));
    }
}

TEST(CommandLine, R43_EveryCommandHasHelpAndRefusesAnUnknownOption) {
    for (auto words : every_command()) {
        words.emplace_back("--help");
        const auto help = orchctl(words);
        EXPECT_EQ(help.status, 0) << joined(words);
        EXPECT_THAT(help.out, HasSubstr("Usage: orchctl")) << joined(words);
        EXPECT_THAT(help.out, HasSubstr("--json")) << joined(words);
        words.back() = "--no-such-option";
        const auto refused = orchctl(words);
        EXPECT_EQ(refused.status, 2) << joined(words);
        EXPECT_THAT(refused.err, HasSubstr("has no option --no-such-option")) << joined(words);
    }
}

TEST(CommandLine, R43_SaysItsVersion) {
    const auto version = orchctl({"--version"});
    EXPECT_EQ(version.status, 0);
    EXPECT_EQ(version.out, "orchctl " ORCHD_VERSION "\n");
}

TEST(CommandLine, R43_AWrongWordIsBadUsageWithTheNearestRightOne) {
    const auto command = orchctl({"taks", "list"});
    EXPECT_EQ(command.status, 2);
    EXPECT_THAT(command.err, HasSubstr("'orchctl' has no command taks; did you mean task?"));
    EXPECT_EQ(command.out, "");
    EXPECT_THAT(orchctl({"task", "aprove", "HELLO-1"}).err,
                HasSubstr("'orchctl task' has no command aprove; did you mean approve?"));
    EXPECT_THAT(orchctl({"task", "list", "--projct", "x"}).err,
                HasSubstr("'orchctl task list' has no option --projct; did you mean --project?"));
    EXPECT_THAT(orchctl({"task", "list", "--jsn"}).err, HasSubstr("did you mean --json?"));
    EXPECT_THAT(orchctl({"xyzzy"}).err, testing::Not(HasSubstr("did you mean")));
}

TEST(CommandLine, R43_MissingWordsAreBadUsage) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"task"},
                                                  {"task", "approve"},
                                                  {"task", "create", "HELLO-1"},
                                                  {"task", "reject", "HELLO-1"},
                                                  {"task", "reject", "HELLO-1", "--reason", ""},
                                                  {"task", "reject", "HELLO-1", " "},
                                                  {"task", "reject", "HELLO-1", "no", "--reason", "no"},
                                                  {"task", "cancel", "HELLO-1", "--reason", " "},
                                                  {"task", "back", "HELLO-1", "no"},
                                                  {"task", "back", "HELLO-1", "--to", "review"},
                                                  {"task", "back", "HELLO-1", "--to", "review", "--reason", ""},
                                                  {"task", "edit", "HELLO-1"},
                                                  {"task", "edit", "HELLO-1", "--priority", "10"},
                                                  {"project", "check", "hello", "--only", "ci"},
                                                  {"project", "check", "--try"},
                                                  {"project", "edit", "hello", "--set"},
                                                  {"lease", "release", "HELLO-1"},
                                                  {"lease", "release", "HELLO-1", "--reason", ""},
                                                  {"pause", "task:HELLO-1", "--reason", ""},
                                                  {"pause", "--reason", "\t"},
                                                  {"job", "show"},
                                                  {"job", "show", "seven"},
                                                  {"job", "list", "--limit", "0"},
                                                  {"logs"},
                                                  {"project", "add", "hello"},
                                                  {"task", "create", "HELLO-1", "x", "--priority", "10"},
                                                  {"task", "create", "HELLO-1", "x", "--body", "a", "--body-file", "b"},
                                                  {"task", "show", "HELLO-1", "HELLO-2"}}) {
        const auto ended = orchctl(words);
        EXPECT_EQ(ended.status, 2) << joined(words);
        EXPECT_THAT(ended.err, HasSubstr("orchctl: ")) << joined(words);
    }
}

// Where standard output is a device that is full.
int with_full_output(const std::vector<std::string>& words, std::string& err) {
    testing::internal::CaptureStderr();
    std::fflush(stdout);
    const int kept = ::dup(STDOUT_FILENO), full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ::dup2(full, STDOUT_FILENO);
    const int status = run(words);
    ::dup2(kept, STDOUT_FILENO);
    ::close(kept);
    ::close(full);
    err = testing::internal::GetCapturedStderr();
    return status;
}

TEST(CommandLine, R43_AnAnswerThatCannotBeWrittenIsAFailure) {
    auto all = every_command();
    for (auto& words : all) words.emplace_back("--help");
    for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"},
                                                  {"--version"},
                                                  {"config", "show"},
                                                  {"config", "show", "--json"},
                                                  {"completion", "bash"}})
        all.push_back(words);
    for (const auto& words : all) {
        std::string err;
        EXPECT_EQ(with_full_output(words, err), 1) << joined(words);
        EXPECT_THAT(err, HasSubstr("cannot be written: No space left on device")) << joined(words);
    }
}

TEST(CommandLine, R43_ErrorsAreJsonWhereJsonWasAskedFor) {
    const auto ended = orchctl({"--json", "logs", "no work item"});
    EXPECT_EQ(ended.status, 2);
    const auto answer = boost::json::parse(ended.err);
    EXPECT_EQ(answer.at("error"), "invalid_argument");
    EXPECT_THAT(std::string(answer.at("text").as_string()), HasSubstr("a work item is named as"));
}

TEST(CommandLine, R43_OptionsOfTheRootMayStandAnywhere) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"--json", "config", "show"}, {"config", "--json", "show"}, {"config", "show", "--json"}}) {
        const auto ended = orchctl(words);
        EXPECT_EQ(ended.status, 0) << ended.err;
        EXPECT_TRUE(boost::json::parse(ended.out).is_array());
    }
}

TEST(CommandLine, R39_ConfigShowTellsEveryKeyAndWhereItComesFrom) {
    ::setenv("ORCH_MERGE_TRIES", "7", 1);
    const auto ended = orchctl({"config", "show", "--json"});
    ::unsetenv("ORCH_MERGE_TRIES");
    ASSERT_EQ(ended.status, 0) << ended.err;
    bool found = false;
    const auto answer = boost::json::parse(ended.out);
    for (const auto& item : answer.as_array()) {
        const auto& key = item.as_object();
        for (const auto* name : {"key", "value", "unit", "env", "from", "text"}) EXPECT_TRUE(key.contains(name)) << name;
        if (key.at("key") != "merge_tries") continue;
        found = true;
        EXPECT_EQ(key.at("value"), 7);
        EXPECT_EQ(key.at("env"), "ORCH_MERGE_TRIES");
        EXPECT_EQ(key.at("from"), "environment");
    }
    EXPECT_TRUE(found);
}

TEST(CommandLine, R39_ConfigCheckFailsWithTheProblemAndItsPlace) {
    ::setenv("ORCH_MERGE_TRY", "7", 1);
    const auto ended = orchctl({"config", "check"});
    ::unsetenv("ORCH_MERGE_TRY");
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.out, HasSubstr("environment: ORCH_MERGE_TRY: unknown setting; did you mean ORCH_MERGE_TRIES?"));
}

TEST(CommandLine, ADatabaseThatIsNotThereIsNotFound) {
    const auto ended = orchctl({"db", "check", "--database", "/nowhere/orchd.db"});
    EXPECT_EQ(ended.status, 3);
    EXPECT_THAT(ended.err, HasSubstr("/nowhere/orchd.db"));
}

// What bash offers after the words, the last of which is being typed.
std::vector<std::string> offered(const std::vector<std::string>& words) {
    const auto script = orchctl({"completion", "bash"}).out;
    std::string line;
    for (const auto& word : words) line += " '" + word + "'";
    const std::string program = script + "\nCOMP_WORDS=(" + line + "); COMP_CWORD=" + std::to_string(words.size() - 1) +
                                "; _orchctl; printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    const std::string file = testing::TempDir() + "completion.bash";
    FILE* out = std::fopen(file.c_str(), "w");
    std::fwrite(program.data(), 1, program.size(), out);
    std::fclose(out);
    FILE* bash = ::popen(("bash " + file).c_str(), "r");
    std::vector<std::string> lines;
    char line_buffer[256];
    while (std::fgets(line_buffer, sizeof line_buffer, bash) != nullptr) {
        lines.emplace_back(line_buffer);
        lines.back().pop_back();
    }
    EXPECT_EQ(::pclose(bash), 0);
    return lines;
}

TEST(Completion, R43_OffersEveryCommandInItsPlace) {
    for (auto words : every_command()) {
        const auto last = words.back();
        words.back() = last.substr(0, 1);
        words.insert(words.begin(), "orchctl");
        EXPECT_THAT(offered(words), testing::Contains(last)) << joined(words);
    }
}

TEST(Completion, R43_OffersOptionsOfTheCommandAndOfTheRoot) {
    EXPECT_THAT(offered({"orchctl", "task", "list", "--p"}), testing::ElementsAre("--project"));
    EXPECT_THAT(offered({"orchctl", "--json", "task", "list", "--j"}), testing::ElementsAre("--json"));
    EXPECT_THAT(offered({"orchctl", "task", "approve", "HELLO-1", "--h"}), testing::ElementsAre("--help"));
}

}  // namespace
}  // namespace orchd::orchctl
