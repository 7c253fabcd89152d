// R17: the units' static ceilings lie above whatever the settings and project files allow.
#include <gtest/gtest.h>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "settings/budgets.h"
#include "settings/files.h"
#include "settings/table.h"

namespace orchd::settings {
namespace {

// The value of KEY= in a unit's file, "1d 5min" in seconds.
std::int64_t seconds(const std::string& unit, const std::string& key) {
    const std::map<std::string, std::int64_t> units{{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    std::ifstream in(std::string(ORCHD_UNITS) + '/' + unit);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key + '=')) continue;
        std::istringstream parts(line.substr(key.size() + 1));
        std::int64_t sum = 0, number = 0;
        for (std::string name; parts >> number >> name;) sum += number * units.at(name);
        return sum;
    }
    ADD_FAILURE() << unit << " has no " << key;
    return 0;
}

GitUser user_of(std::string_view unit) {
    if (unit.starts_with("orchd-prepare")) return GitUser::prepare;
    return unit.starts_with("orchd-step") ? GitUser::step : GitUser::finish;
}

TEST(Ceilings, R17_OfARunIsAboveTheReapers) {
    EXPECT_GT(seconds("sandbox.inc", "RuntimeMaxSec"), find_key("reaper_max_running_s")->most);
}

TEST(Ceilings, R17_OfTheTrustedUnitsShipAsTheDefaultsMakeThem) {
    for (const auto& limit : start_limits({})) {
        auto file = std::string(limit.unit) + ".in";
        for (const auto* end : {"finish-ok", "finish-fail", "deploy-ok", "deploy-fail"})  // one body
            if (file.find(end) != std::string::npos) file = "orchd-finish@.service.in";
        EXPECT_EQ(seconds(file, "TimeoutStartSec"), limit.seconds) << limit.unit;
    }
}

TEST(Ceilings, R17_OfTheTrustedUnitsHoldTheirCallsOfGitAndFitIntoTheRuns) {
    for (const std::int64_t git_s : {1, 300, 600}) {
        for (const std::int64_t tries : {1, 5, 100}) {
            Settings settings;
            settings.git_timeout_s = git_s;
            settings.merge_tries = tries;
            for (const auto& limit : start_limits(settings)) {
                EXPECT_LE(limit.seconds, settings.reaper_max_running_s + 300) << limit.unit;
                EXPECT_GE(limit.seconds, git_budget_s(user_of(limit.unit), settings) + 60) << limit.unit;
            }
            settings.reaper_max_running_s = 20;
            for (const auto& limit : start_limits(settings)) EXPECT_LE(limit.seconds, 320) << limit.unit;
        }
    }
}

// What a process may spend in git is what it keeps to by itself (git/budget.h): the longest run that the settings admit, with
// that before and after it, ends before the ceiling.
TEST(Ceilings, R17_HoldTheLongestRunWithAllOfGitAroundIt) {
    TemporaryFolder folder;
    for (const std::int64_t git_s : {1, 300, 600}) {
        std::int64_t longest = 0;
        for (const std::int64_t run_s : {1, 3600, 9000, 9001, 13800, 14382, 14383, 14400}) {
            folder.write("orchd.toml",
                         "run_timeout_s = " + std::to_string(run_s) + "\ngit_timeout_s = " + std::to_string(git_s) + "\n");
            const auto loaded = load({folder.path("orchd.toml"), folder.path("none.d"), "", {}});
            if (!loaded) continue;
            longest = run_s;
            const auto& s = loaded->settings;
            EXPECT_LE(s.run_timeout_s + git_budget_s(GitUser::prepare, s) + git_budget_s(GitUser::finish, s),
                      s.reaper_max_running_s);
        }
        EXPECT_EQ(longest, git_s == 1 ? 14382 : git_s == 300 ? 9000 : 3600);
    }
}

TEST(Ceilings, R17_AreWrittenAsDropIns) {
    EXPECT_NE(limit_dropin({"orchd-step@.service", 77}).find("[Service]\nTimeoutStartSec=77s\n"), std::string::npos);
}

TEST(Ceilings, R17_OfADeployHoldsTheLongestHookAndItsStatus) {
    constexpr std::int64_t longest_hook = 3000, status = 60;  // [deploy] timeout_s; what the launcher gives `status`
    EXPECT_GT(seconds("orchd-deploy@.service.in", "TimeoutStartSec"), longest_hook + status);
}

}  // namespace
}  // namespace orchd::settings
