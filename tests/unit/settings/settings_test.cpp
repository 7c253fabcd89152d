// R39 (one table of settings), R17 (budgets that fit inside one another).
#include "settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstdlib>

#include "settings/env_file.h"
#include "settings/files.h"
#include "settings/project.h"
#include "settings/table.h"

namespace orchd::settings {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SettingsTest : public ::testing::Test {
protected:
    [[nodiscard]] Sources sources(std::vector<std::string> environment = {}) const {
        return {folder.path("orchd.toml"), folder.path("orchd.conf.d"), folder.path("default"), std::move(environment)};
    }
    [[nodiscard]] std::string problems(const std::string& toml) const {
        folder.write("orchd.toml", toml);
        const auto loaded = load(sources());
        return loaded ? "" : loaded.error().text;
    }
    static const Origin& origin(const Loaded& loaded, const std::string& key) {
        for (const auto& one : loaded.origins)
            if (one.key == key) return one;
        ADD_FAILURE() << "no origin of " << key;
        std::abort();
    }
    TemporaryFolder folder;
};

TEST_F(SettingsTest, R39_WithoutAnyFileEveryKeyHasItsDefault) {
    const auto loaded = load(sources());
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded->origins.size(), keys().size());
    const Settings defaults;
    for (const auto& key : keys()) {
        EXPECT_EQ(value_text(key, loaded->settings), value_text(key, defaults)) << key.name;
        EXPECT_EQ(origin(*loaded, std::string(key.name)).where, "default");
    }
}

TEST_F(SettingsTest, R39_EveryDefaultIsAllowedByItsOwnRow) {
    const Settings defaults;
    for (const auto& key : keys()) {
        const auto* number = std::get_if<std::int64_t Settings::*>(&key.field);
        if (number == nullptr) continue;
        EXPECT_GE(defaults.*(*number), key.least) << key.name;
        EXPECT_LE(defaults.*(*number), key.most) << key.name;
    }
}

TEST_F(SettingsTest, R39_EveryRowIsWholeAndItsNamesAreUnique) {
    std::set<std::string> names;
    for (const auto& key : keys()) {
        EXPECT_TRUE(names.insert(std::string(key.name)).second) << key.name;
        EXPECT_FALSE(key.text.empty()) << key.name;
        EXPECT_THAT(std::string(key.text), Not(EndsWith("."))) << key.name;
        EXPECT_EQ(key.unit == Unit::seconds, key.name.ends_with("_s")) << key.name;
        EXPECT_EQ(key.unit == Unit::bytes, key.name.ends_with("_bytes")) << key.name;
    }
    // Every field of Settings has a row: what no row names would never be read.
    std::size_t size = 0;
    for (const auto& key : keys()) {
        const bool flag = std::holds_alternative<bool Settings::*>(key.field);
        const bool list = std::holds_alternative<std::vector<std::string> Settings::*>(key.field);
        size += flag ? 1 : list ? sizeof(std::vector<std::string>) : sizeof(std::int64_t);
    }
    EXPECT_EQ((size + 7) / 8 * 8, sizeof(Settings));
}

TEST_F(SettingsTest, R39_EnvironmentNamesKeepTheirKnownSpelling) {
    for (const auto* name :
         {"ORCH_MAX_CONCURRENCY", "ORCH_REAPER_DEAD_TICKS", "ORCH_REAPER_MAX_RUNNING_S", "ORCH_TRANSITION_LEASE_ENABLED",
          "ORCH_IMPOSSIBLE_QUEUED_SANITIZE_ENABLED", "ORCH_PREMERGE_REBASE_ALWAYS"}) {
        const bool known = std::any_of(keys().begin(), keys().end(), [&](const Key& key) { return env_name(key) == name; });
        EXPECT_TRUE(known) << name;
    }
}

TEST_F(SettingsTest, R39_DropInsOverrideTheFileAndTheEnvironmentHasTheLastWord) {
    folder.write("orchd.toml", "max_concurrency = 2\nmax_steps = 2\nretry_cap = 2\nagain_cap = 2\n");
    folder.write("orchd.conf.d/10-first.toml", "max_steps = 3\nretry_cap = 3\nagain_cap = 3\n");
    folder.write("orchd.conf.d/20-second.toml", "\nretry_cap = 4\nagain_cap = 4\n");
    folder.write("orchd.conf.d/30-other.conf", "retry_cap = 99\n");
    folder.write("orchd.conf.d/.40-hidden.toml", "retry_cap = 98\n");
    folder.write("default", "# comment\nORCH_AGAIN_CAP=\"5\"\nPATH=/bin\n  ; other\nORCH_MERGE_TRIES='6'\n");
    const auto loaded = load(sources({"ORCH_MERGE_TRIES=7", "HOME=/root"}));
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded->settings.max_concurrency, 2);
    EXPECT_EQ(loaded->settings.max_steps, 3);
    EXPECT_EQ(loaded->settings.retry_cap, 4);
    EXPECT_EQ(loaded->settings.again_cap, 5);
    EXPECT_EQ(loaded->settings.merge_tries, 7);
    EXPECT_EQ(origin(*loaded, "max_concurrency").where, folder.path("orchd.toml:1"));
    EXPECT_EQ(origin(*loaded, "max_steps").where, folder.path("orchd.conf.d/10-first.toml:1"));
    EXPECT_EQ(origin(*loaded, "retry_cap").where, folder.path("orchd.conf.d/20-second.toml:2"));
    EXPECT_EQ(origin(*loaded, "again_cap").where, folder.path("default:2"));
    EXPECT_EQ(origin(*loaded, "merge_tries").where, "environment");
    EXPECT_EQ(origin(*loaded, "job_max_attempts").where, "default");
}

TEST_F(SettingsTest, R39_ValuesComeInEveryWrittenForm) {
    folder.write("orchd.toml", "bundle_max_bytes = \"512M\"\nrelease_max_bytes = 1073741824\npremerge_rebase_always = false\n");
    const auto loaded = load(sources({"ORCH_TRANSITION_LEASE_ENABLED=off"}));
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded->settings.bundle_max_bytes, 512 << 20);
    EXPECT_EQ(loaded->settings.release_max_bytes, 1 << 30);
    EXPECT_FALSE(loaded->settings.premerge_rebase_always);
    EXPECT_FALSE(loaded->settings.transition_lease_enabled);
    EXPECT_EQ(origin(*loaded, "release_max_bytes").value, "\"1G\"");
    EXPECT_EQ(origin(*loaded, "release_max_bytes").unit, "bytes");
}

TEST_F(SettingsTest, R39_AListIsAListInTheFileAndHasCommasInTheEnvironment) {
    folder.write("orchd.toml", "transition_lease_repos = [\"hello\", \"app-2\"]\n");
    const auto of_file = load(sources());
    ASSERT_TRUE(of_file) << of_file.error().text;
    EXPECT_EQ(of_file->settings.transition_lease_repos, (std::vector<std::string>{"hello", "app-2"}));
    EXPECT_EQ(origin(*of_file, "transition_lease_repos").value, "[\"hello\", \"app-2\"]");
    const auto of_environment = load(sources({"ORCH_TRANSITION_LEASE_REPOS=one, two"}));
    ASSERT_TRUE(of_environment) << of_environment.error().text;
    EXPECT_EQ(of_environment->settings.transition_lease_repos, (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(origin(*of_environment, "transition_lease_repos").env, "ORCH_TRANSITION_LEASE_REPOS");
    const auto empty = load(sources({"ORCH_TRANSITION_LEASE_REPOS="}));
    ASSERT_TRUE(empty) << empty.error().text;
    EXPECT_TRUE(empty->settings.transition_lease_repos.empty());
    EXPECT_EQ(origin(*empty, "transition_lease_repos").value, "[]");
    for (const auto* wrong : {"\"hello\"", "4", "[\"Not A Name\"]", "[\"\"]", "[4]"})
        EXPECT_THAT(problems("transition_lease_repos = " + std::string(wrong) + "\n"),
                    HasSubstr("is not allowed; it takes a list of project names"))
            << wrong;
}

TEST_F(SettingsTest, R39_AListOfProjectsCoversThoseItNamesAllOrTheOneThatIsOrchdItself) {
    Project hello, self;
    hello.name = "hello";
    self.name = "orchd";
    self.self = true;
    EXPECT_TRUE(covers({"*"}, hello));
    EXPECT_TRUE(covers({"app", "hello"}, hello));
    EXPECT_FALSE(covers({"app"}, hello));
    EXPECT_FALSE(covers({"app"}, self));
    EXPECT_FALSE(covers({}, hello));
    EXPECT_TRUE(covers({}, self));
}

TEST_F(SettingsTest, R39_AnUnknownKeyIsRefusedWithFileLineAndTheNearestKnownOne) {
    EXPECT_EQ(problems("max_steps = 1\nmax_concurency = 2\n"),
              folder.path("orchd.toml:2: max_concurency: unknown key; did you mean max_concurrency?"));
    EXPECT_EQ(problems("colour = 2\n"), folder.path("orchd.toml:1: colour: unknown key"));
    EXPECT_EQ(problems("[reaper]\ndead_ticks = 2\n"),
              folder.path("orchd.toml:2: reaper.dead_ticks: unknown key; did you mean reaper_dead_ticks?"));
    EXPECT_EQ(problems("[reaper]\n"), folder.path("orchd.toml:1: reaper: unknown key"));
}

TEST_F(SettingsTest, R39_AValueThatIsNotAllowedIsRefusedWithWhatIs) {
    EXPECT_EQ(problems("\nmax_concurrency = 0\n"),
              folder.path("orchd.toml:2: max_concurrency: 0 is not allowed; it takes an integer from 1 to 1000"));
    EXPECT_THAT(problems("max_concurrency = \"4\"\n"), HasSubstr("max_concurrency: \"4\" is not allowed"));
    EXPECT_THAT(problems("max_concurrency = 4.5\n"), HasSubstr("a floating-point number is not allowed"));
    EXPECT_THAT(problems("max_concurrency = [4]\n"), HasSubstr("a list of other things than texts is not allowed"));
    EXPECT_THAT(problems("premerge_rebase_always = 1\n"), HasSubstr("1 is not allowed; it takes true or false"));
    EXPECT_THAT(problems("run_timeout_s = 1000000\n"), HasSubstr("it takes seconds from 1 to 86400"));
    for (const std::string size : {"2X", "2KM", "2MK", "K", "-2M"})
        EXPECT_THAT(problems("bundle_max_bytes = \"" + size + "\"\n"), HasSubstr("it takes a size from 1M to 1T")) << size;
    EXPECT_THAT(problems("bundle_max_bytes = \"9999999999999T\"\n"), HasSubstr("is not allowed"));
}

TEST_F(SettingsTest, R39_AFileThatIsNotTomlIsRefusedWithItsLine) {
    EXPECT_THAT(problems("max_steps = 1\nmax_concurrency =\n"), StartsWith(folder.path("orchd.toml:2: not TOML: ")));
}

TEST_F(SettingsTest, R39_EveryProblemOfEverySourceIsSaidAtOnce) {
    folder.write("orchd.toml", "max_concurrency = -1\nmax_stepz = 1\n");
    folder.write("orchd.conf.d/x.toml", "again_cap = true\n");
    folder.write("default", "ORCH_RETRY_CAPS=1\n");
    const auto loaded = load(sources({"ORCH_MERGE_TRIES=many"}));
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::invalid_argument);
    EXPECT_THAT(loaded.error().text,
                AllOf(HasSubstr("orchd.toml:1: max_concurrency: -1"), HasSubstr("orchd.toml:2: max_stepz: unknown key"),
                      HasSubstr("x.toml:1: again_cap: true is not allowed"),
                      HasSubstr("default:1: ORCH_RETRY_CAPS: unknown setting; did you mean ORCH_RETRY_CAP?"),
                      HasSubstr("environment: ORCH_MERGE_TRIES: \"many\" is not allowed; it takes an integer from 1 to 100")));
    EXPECT_EQ(std::count(loaded.error().text.begin(), loaded.error().text.end(), '\n'), 4);
}

TEST_F(SettingsTest, R39_AVariableOfOursThatIsNoSettingIsAWarningAndStopsNothing) {
    folder.write("default", "ORCH_RECONCILE_ENABLED=1\nORCH_MERGE_TRIES=7\nORCH_RETRY_CAPS=1\n");
    const auto loaded = load(sources({"ORCH_POST_DEPLOY_WINDOW_S=900", "ORCHID=1"}));
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded->settings.merge_tries, 7);
    EXPECT_THAT(loaded->warnings,
                testing::ElementsAre(folder.path("default:1: ORCH_RECONCILE_ENABLED: unknown setting"),
                                     folder.path("default:3: ORCH_RETRY_CAPS: unknown setting; did you mean ORCH_RETRY_CAP?"),
                                     "environment: ORCH_POST_DEPLOY_WINDOW_S: unknown setting"));
}

// What systemd 252 hands to a unit with such an EnvironmentFile=.
TEST_F(SettingsTest, R39_TheUnitsFileIsReadAsTheManagerReadsIt) {
    const std::string file =
        "# a comment \\\nGONE=with it\n"
        "A=\\\n3\n"
        "  B = two  words  \n"
        "C='single \\ \"line\nand another'\n"
        "D=\"double \\\" \\x \\\nline\"  \n"
        "no value\n; another comment\nE=\n"
        "F=a\\ b\\\n  c\n"
        "G=\"one\"' and'\" two\"\n"
        "H=it's\n"
        "I=last";
    folder.write("default", file);
    const auto variables = read_env_file(folder.path("default"));
    ASSERT_TRUE(variables) << variables.error().text;
    std::string said;
    for (const auto& [name, value, where] : *variables)
        said += where.substr(where.rfind(':') + 1) + ":" + name + "=[" + value + "]\n";
    EXPECT_EQ(
        said,
        "3:A=[3]\n5:B=[two  words]\n6:C=[single \\ \"line\nand another]\n8:D=[double \" \\x line]\n12:E=[]\n13:F=[a b  c]\n"
        "15:G=[one and two]\n16:H=[it's]\n17:I=[last]\n");
    folder.write("default", "ORCH_MAX_STEPS=\\\n3\n");
    EXPECT_EQ(load(sources())->settings.max_steps, 3);
}

TEST_F(SettingsTest, R39_AFileThatCannotBeReadIsNoMissingFile) {
    folder.write("orchd.toml/inside", "");
    const auto loaded = load(sources());
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().text, HasSubstr(folder.path("orchd.toml")));
}

TEST_F(SettingsTest, R17_ARunsLimitMustFitIntoTheCeilingAndBothKeysAreNamed) {
    EXPECT_THAT(problems("run_timeout_s = 20000\n"),
                AllOf(HasSubstr("run_timeout_s (20000, " + folder.path("orchd.toml:1") + ")"),
                      HasSubstr("does not fit into reaper_max_running_s (14400, default)")));
    // Git works before and after the run: what prepare and finish may spend in it counts.
    EXPECT_THAT(problems("run_timeout_s = 13800\n"), HasSubstr("18 x git_timeout_s (300"));
    EXPECT_THAT(problems("run_timeout_s = 14000\ngit_timeout_s = 23\n"), HasSubstr("18 x git_timeout_s (23"));
    EXPECT_EQ(problems("run_timeout_s = 14000\ngit_timeout_s = 22\n"), "");
}

TEST_F(SettingsTest, R17_OtherNestedTimesAreHeldApartToo) {
    EXPECT_THAT(problems("backoff_base_s = 600\n"),
                AllOf(HasSubstr("backoff_base_s (600"), HasSubstr("does not fit into backoff_cap_s (300, default)")));
    EXPECT_THAT(problems("run_timeout_s = 1\ngit_timeout_s = 1\nreaper_max_running_s = 4\n"),
                HasSubstr("recovery_interval_s (5, default) does not fit into reaper_max_running_s (4"));
}

TEST_F(SettingsTest, R39_TheExampleFileLoadsAndSaysTheDefaults) {
    EXPECT_EQ(problems(example_file()), "");
    std::string uncommented;
    std::istringstream lines(example_file());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#') && !line.starts_with("# ")) uncommented += line.substr(1);
        uncommented += '\n';
    }
    folder.write("orchd.toml", uncommented);
    const auto loaded = load(sources());
    ASSERT_TRUE(loaded) << loaded.error().text;
    const Settings defaults;
    for (const auto& key : keys()) {
        EXPECT_THAT(origin(*loaded, std::string(key.name)).where, StartsWith(folder.path("orchd.toml:"))) << key.name;
        EXPECT_EQ(value_text(key, loaded->settings), value_text(key, defaults)) << key.name;
    }
}

TEST_F(SettingsTest, R39_TheManPageNamesEveryKeyWithItsEnvironmentAndDefault) {
    const auto rows = man_rows();
    for (const auto& key : keys()) {
        EXPECT_THAT(rows, HasSubstr(".It Va " + std::string(key.name) + "\n"));
        EXPECT_THAT(rows, HasSubstr(".Ev " + env_name(key)));
        EXPECT_THAT(rows, HasSubstr(std::string(key.text)));
    }
}

}  // namespace
}  // namespace orchd::settings
