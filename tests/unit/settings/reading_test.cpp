// One reading of the settings for every process of a boot: a slip of the pen stops nothing that was right before it.
#include "settings/reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "settings/files.h"
#include "settings/table.h"

namespace orchd::settings {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = Condition::State;

std::string project(const std::string& name, const std::string& prefix, const std::string& more = "") {
    std::string text =
        "[project]\nname = \"" + name + "\"\nprefix = \"" + prefix + "\"\n[forge]\npath = \"/srv/git/" + name + ".git\"\n";
    for (const auto* role : {"analyst", "architect", "developer", "reviewer"})
        text += "[roles." + std::string(role) + "]\ncommand = [\"/bin/a\"]\n";
    return text + more;
}

class ReadingTest : public ::testing::Test {
protected:
    ReadingTest() { std::filesystem::create_directories(folder.path("run")); }
    [[nodiscard]] Places places() const {
        return {{folder.path("orchd.toml"), folder.path("orchd.conf.d"), folder.path("default"), {}},
                folder.path("projects.d"),
                folder.path("run/last-good.json"),
                boot};
    }
    [[nodiscard]] Reading look() const { return read(places()); }
    // What the worker does with each reading.
    Reading worker_looks() {
        auto reading = read(places());
        now.utc_ms += 1000;
        const auto kept = keep(reading, places(), now);
        EXPECT_TRUE(kept) << kept.error().text;
        return reading;
    }
    static std::vector<std::string> names(const std::vector<Project>& projects) {
        std::vector<std::string> all;
        for (const auto& p : projects) all.push_back(p.name);
        return all;
    }
    void settings(const std::string& text) const { folder.write("orchd.toml", text); }
    std::string boot = "boot-1";
    Now now{.utc_ms = 5000, .boot_ms = 5000, .boot_id = "boot-1"};
    TemporaryFolder folder;
};

TEST_F(ReadingTest, WhatStandsInTheFilesIsInForceWhoeverWroteDownWhat) {
    settings("merge_tries = 7\n");
    EXPECT_EQ(look().settings.merge_tries, 7);
    EXPECT_EQ(look().condition, Condition());
    worker_looks();
    settings("merge_tries = 8\n");
    EXPECT_EQ(look().settings.merge_tries, 8);
    EXPECT_EQ(look().condition.state, State::in_force);
    EXPECT_EQ(said_of(look().condition), "");
}

TEST_F(ReadingTest, AMisspeltKeyLeavesTheLastGoodInForceForEverybody) {
    settings("merge_tries = 7\ntransition_lease_repos = [\"a\"]\nrelease_max_bytes = \"3G\"\nreaper_enabled = false\n");
    worker_looks();
    settings("merge_trys = 8\n");
    for (const auto& reading : {worker_looks(), look()}) {
        EXPECT_EQ(reading.condition.state, State::kept);
        EXPECT_EQ(reading.settings.merge_tries, 7);
        EXPECT_THAT(reading.settings.transition_lease_repos, ElementsAre("a"));
        EXPECT_EQ(reading.settings.release_max_bytes, 3LL << 30);
        EXPECT_FALSE(reading.settings.reaper_enabled);
        EXPECT_EQ(reading.condition.generation, 1);
        EXPECT_THAT(said_of(reading.condition),
                    HasSubstr("the last good ones stay in force: " +
                              folder.path("orchd.toml:1: merge_trys: unknown key; did you mean merge_tries?")));
    }
}

TEST_F(ReadingTest, WhatIsMendedIsTakenByTheNextReadingWithoutAnybodyElse) {
    settings("merge_tries = 7\n");
    worker_looks();
    settings("merge_tries = many\n");
    EXPECT_EQ(look().condition.state, State::kept);
    settings("merge_tries = 9\n");
    EXPECT_EQ(look().condition.state, State::in_force);
    EXPECT_EQ(look().settings.merge_tries, 9);
}

TEST_F(ReadingTest, AWorkerThatStartsAnewUnderAMisspeltKeyTakesTheLastGoodAndKeepsIt) {
    settings("merge_tries = 7\n");
    worker_looks();
    settings("x = 1\n");
    EXPECT_EQ(worker_looks().settings.merge_tries, 7);
    EXPECT_EQ(worker_looks().settings.merge_tries, 7);
    EXPECT_EQ(worker_looks().condition.good_at, 6000);
}

TEST_F(ReadingTest, WhereThereWasNoGoodOneInThisBootThereIsNone) {
    settings("x = 1\n");
    auto reading = worker_looks();
    EXPECT_EQ(reading.condition.state, State::none);
    EXPECT_FALSE(std::filesystem::exists(places().last_good));
    EXPECT_THAT(said_of(reading.condition), HasSubstr("nothing is begun until they are mended: "));
    settings("");
    worker_looks();
    settings("x = 1\n");
    boot = "boot-2";
    EXPECT_EQ(look().condition.state, State::none);
}

TEST_F(ReadingTest, AGenerationIsAChange) {
    settings("merge_tries = 7\n");
    EXPECT_EQ(worker_looks().condition.generation, 1);
    EXPECT_EQ(worker_looks().condition.generation, 1);
    folder.write("projects.d/a.toml", project("a", "A"));
    EXPECT_EQ(worker_looks().condition.generation, 2);
    settings("# the same\nmerge_tries = 7\n");
    EXPECT_EQ(worker_looks().condition.generation, 2);
    settings("merge_tries = 8\n");
    EXPECT_EQ(worker_looks().condition.generation, 3);
}

TEST_F(ReadingTest, ABadProjectFileStandsAloneAndItsLastGoodIsForWhatIsUnderWay) {
    folder.write("developer.md", "");
    folder.write("projects.d/a.toml", project("a", "A", "[ci]\ncommand = [\"./old\"]\n"));
    folder.write("projects.d/b.toml", project("b", "B"));
    worker_looks();
    folder.write("projects.d/a.toml", project("a", "A", "[cii]\ncommand = [\"./new\"]\n"));
    for (auto reading : {worker_looks(), look()}) {
        EXPECT_EQ(reading.condition.state, State::in_force);
        EXPECT_THAT(names(reading.projects.good), ElementsAre("b"));
        ASSERT_EQ(reading.projects.problems.size(), 1U);
        EXPECT_THAT(reading.projects.problems[0].text, HasSubstr("a.toml:14: cii: unknown table; did you mean ci?"));
        go_on_with_kept_projects(reading.projects);
        EXPECT_THAT(names(reading.projects.good), ElementsAre("a", "b"));
        EXPECT_EQ(find(reading.projects, "a")->workers.at(Role::ci).command, std::vector<std::string>{"./old"});
        EXPECT_THAT(reading.projects.kept, IsEmpty());
    }
    folder.write("projects.d/a.toml", project("a", "A", "[ci]\ncommand = [\"./new\"]\n"));
    EXPECT_EQ(find(look().projects, "a")->workers.at(Role::ci).command, std::vector<std::string>{"./new"});
}

TEST_F(ReadingTest, AKeptProjectNeedsNeitherItsPromptNorRoomInNewSettings) {
    folder.write("projects.d/prompt.md", "Be good.");
    folder.write("projects.d/a.toml", project("a", "A", "[roles.tester]\ncommand = [\"/bin/a\"]\nprompt = \"prompt.md\"\n"));
    folder.write("projects.d/b.toml", project("b", "B", "[ci]\ncommand = [\"./t\"]\ntimeout_s = 9000\n"));
    EXPECT_THAT(worker_looks().projects.problems, IsEmpty());
    std::filesystem::remove(folder.path("projects.d/prompt.md"));
    settings("git_timeout_s = 400\n");
    EXPECT_THAT(names(look().projects.kept), ElementsAre("a", "b"));
}

TEST_F(ReadingTest, AProjectThatIsTakenAwayIsNotKept) {
    folder.write("projects.d/a.toml", project("a", "A"));
    worker_looks();
    std::filesystem::remove(folder.path("projects.d/a.toml"));
    EXPECT_THAT(worker_looks().projects.kept, IsEmpty());
    EXPECT_THAT(worker_looks().projects.problems, IsEmpty());
}

TEST_F(ReadingTest, SettingsAndProjectsAreKeptApart) {
    settings("merge_tries = 7\n");
    worker_looks();
    settings("x = 1\n");
    folder.write("projects.d/a.toml", project("a", "A"));
    const auto reading = worker_looks();
    EXPECT_THAT(names(reading.projects.good), ElementsAre("a"));
    EXPECT_EQ(reading.condition.generation, 2);
    folder.write("projects.d/a.toml", "x");
    EXPECT_THAT(names(look().projects.kept), ElementsAre("a"));
    EXPECT_EQ(look().settings.merge_tries, 7);
}

TEST_F(ReadingTest, AVariableThatIsNoSettingIsAWarningOfTheCondition) {
    folder.write("default", "ORCH_RECONCILE_ENABLED=1\n");
    const auto condition = worker_looks().condition;
    EXPECT_EQ(condition.state, State::in_force);
    EXPECT_THAT(condition.warnings, ElementsAre(folder.path("default:1: ORCH_RECONCILE_ENABLED: unknown setting")));
}

TEST_F(ReadingTest, WhatOthersMayWriteIsNotBelieved) {
    settings("merge_tries = 7\n");
    worker_looks();
    settings("x = 1\n");
    const auto file = places().last_good;
    struct stat seen {};
    ASSERT_EQ(::stat(file.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0640U);
    ASSERT_EQ(::chmod(file.c_str(), 0660), 0);
    EXPECT_EQ(look().condition.state, State::none);
    EXPECT_EQ(read_last_good(file, boot).error().code, Errc::not_permitted);
}

TEST_F(ReadingTest, AWorkerThatHoldsGoodOnesWritesThemDownAgainWhereTheyWereTakenAway) {
    settings("merge_tries = 7\n");
    auto reading = worker_looks();
    std::filesystem::remove(places().last_good);
    settings("x = 1\n");
    reading.condition.state = State::kept;  // as it goes on by what it has
    ASSERT_TRUE(keep(reading, places(), now));
    EXPECT_EQ(look().condition.state, State::kept);
    EXPECT_EQ(look().settings.merge_tries, 7);
}

TEST_F(ReadingTest, WhatIsTornOrNoneOfOursIsNotBelieved) {
    settings("x = 1\n");
    for (const auto* text : {"", "{", "[]", "{\"generation\":1}", "{\"generation\":\"1\",\"boot_id\":\"boot-1\"}"}) {
        folder.write("run/last-good.json", text);
        ASSERT_EQ(::chmod(places().last_good.c_str(), 0640), 0);
        EXPECT_EQ(look().condition.state, State::none) << text;
    }
    settings("");
    EXPECT_EQ(worker_looks().condition.generation, 1);
}

TEST_F(ReadingTest, EveryValueIsWrittenDownAndReadAgain) {
    Settings odd;
    for (const auto& key : keys()) {
        if (const auto* flag = std::get_if<bool Settings::*>(&key.field)) odd.*(*flag) = !(odd.*(*flag));
        if (const auto* number = std::get_if<std::int64_t Settings::*>(&key.field)) odd.*(*number) = key.most;
        if (const auto* list = std::get_if<std::vector<std::string> Settings::*>(&key.field)) odd.*(*list) = {"a", "b-c"};
    }
    const auto again = settings_of_text(settings_text(odd));
    for (const auto& key : keys()) EXPECT_EQ(value_text(key, again), value_text(key, odd)) << key.name;
    // A later version: what it does not know, or allows no more, is its default.
    EXPECT_EQ(settings_text(settings_of_text("gone = 1\nmerge_tries = 100000\n")), settings_text(Settings()));
}

}  // namespace
}  // namespace orchd::settings
