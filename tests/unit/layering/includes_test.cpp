// The direction of dependency (docs/architecture.md): no source file includes a header of a folder above its own.
#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;
using Folders = std::set<std::string>;

// folder -> the folders whose headers it may include, besides its own.
const std::map<std::string, Folders> arrows{
    {"pch", {}},  // of the standard library and Boost.JSON alone; included by the build
    {"core", {}},
    {"store", {"core"}},
    {"host", {"core"}},
    {"settings", {"core"}},
    {"net", {"core"}},
    {"git", {"core", "host"}},  // git's commands are host's child processes
    {"forge", {"core", "git", "settings"}},
    {"tracker", {"core", "settings"}},
    {"engine", {"core", "store", "settings", "git", "forge", "tracker"}},
    {"views", {"core", "store", "settings", "engine"}},
    {"control", {"core", "store", "host", "settings", "engine", "views"}},
    {"listener", {"core", "store", "host", "net", "settings", "views"}},
    {"daemons", {"core", "store", "host", "net", "listener", "settings", "git", "forge", "tracker", "engine", "control"}},
    {"orchctl", {"core", "store", "host", "settings", "git", "forge", "engine", "daemons"}},
};

// What the text of one file of `folder` includes that it may not.
Folders wrong_arrows(const std::string& folder, std::istream& text) {
    static const std::regex include(R"rx(^\s*#\s*include\s*[<"]([a-z]+)/[^">]+[">])rx");
    Folders wrong;
    for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (!std::regex_search(line, match, include)) continue;
        const std::string& to = match[1];
        if (arrows.contains(to) && to != folder && !arrows.at(folder).contains(to)) wrong.insert(to);
    }
    return wrong;
}

TEST(Layering, EveryFolderOfTheSourcesHasItsPlace) {
    for (const auto& entry : fs::directory_iterator(ORCHD_SOURCES)) {
        if (!entry.is_directory()) continue;
        EXPECT_TRUE(arrows.contains(entry.path().filename())) << entry.path();
    }
}

TEST(Layering, NoFileIncludesAFolderAboveItsOwn) {
    int files = 0;
    for (const auto& [folder, allowed] : arrows)
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(ORCHD_SOURCES) / folder)) {
            if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
            ++files;
            std::ifstream text(entry.path());
            for (const auto& to : wrong_arrows(folder, text)) ADD_FAILURE() << entry.path() << " includes " << to << '/';
        }
    EXPECT_GT(files, 30);
}

TEST(Layering, NoArrowsFormACycle) {
    std::map<std::string, int> depth;
    const auto measure = [&](const auto& self, const std::string& folder, std::size_t steps) -> int {
        EXPECT_LE(steps, arrows.size()) << folder << " stands on a cycle";
        if (steps > arrows.size()) return 0;
        int deepest = 0;
        for (const auto& to : arrows.at(folder)) deepest = std::max(deepest, 1 + self(self, to, steps + 1));
        return depth[folder] = deepest;
    };
    for (const auto& [folder, allowed] : arrows) measure(measure, folder, 0);
    EXPECT_EQ(depth["core"], 0);
}

TEST(Layering, AWrongArrowIsSeen) {
    std::istringstream upwards("#include \"engine/ports.h\"\n");
    EXPECT_EQ(wrong_arrows("store", upwards), Folders{"engine"});
    std::istringstream in_brackets("  #  include <host/host.h>\n");
    EXPECT_EQ(wrong_arrows("engine", in_brackets), Folders{"host"});
    std::istringstream fine(
        "#include <string>\n#include \"core/error.h\"\n#include \"engine/spec.h\"\n#include <sys/stat.h>\n");
    EXPECT_EQ(wrong_arrows("engine", fine), Folders{});
}

}  // namespace
