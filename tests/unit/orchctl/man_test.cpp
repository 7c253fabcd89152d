// R44: every program and unit has a man page that formats without a warning, and orchctl(1) leaves no command out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <filesystem>
#include <regex>

#include "core/front_matter.h"
#include "orchctl/commands.h"
#include "sources.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;

const fs::path built = ORCHD_BUILT_MAN;

bool is_page(const fs::path& path) { return std::regex_search(path.filename().string(), std::regex("\\.[1578]$")); }

// By name: "orchd-worker.service.8".
std::map<std::string, fs::path> pages() {
    std::map<std::string, fs::path> all;
    for (const auto& folder : {sources / "man", built}) {
        for (const auto& entry : fs::directory_iterator(folder)) {
            if (is_page(entry.path())) all[entry.path().filename().string()] = entry.path();
        }
    }
    return all;
}

TEST(ManPages, R44_EveryUnitHasOne) {
    const auto have = pages();
    int units = 0;
    for (const auto& entry : fs::directory_iterator(sources / "units")) {
        std::string name = entry.path().filename().string();
        if (name.ends_with(".in")) name.resize(name.size() - 3);
        if (!std::regex_search(name, std::regex("^orchd.*\\.(service|socket|slice|target|timer)$"))) continue;
        // One file for the four handlers of ends; org.orchd1.service is the bus's file, no unit.
        if (name == "orchd-finish@.service") name = "orchd-finish-ok@.service";
        EXPECT_TRUE(have.contains(name + ".8")) << name;
        ++units;
    }
    EXPECT_GE(units, 10);
}

TEST(ManPages, R44_EveryProgramHasOne) {
    const auto have = pages();
    const std::string text = contents(sources / "src/daemons/meson.build");
    const std::regex program("'(orchd-[a-z-]+)': '");
    int programs = 0;
    for (std::sregex_iterator found(text.begin(), text.end(), program), end; found != end; ++found, ++programs) {
        EXPECT_TRUE(have.contains((*found)[1].str() + ".8")) << (*found)[1];
    }
    EXPECT_GE(programs, 7);
    EXPECT_TRUE(have.contains("orchctl.1"));
}

TEST(ManPages, R44_EveryPageFormatsWithoutAWarning) {
    if (std::system("command -v groff >/dev/null") != 0) GTEST_SKIP() << "groff is not installed";
    for (const auto& [name, path] : pages()) {
        if (contents(path).starts_with(".so ")) continue;
        FILE* groff = ::popen(("groff -mandoc -Tutf8 -ww -z '" + path.string() + "' 2>&1").c_str(), "r");
        std::string said;
        for (char part[256]; std::fgets(part, sizeof part, groff) != nullptr;) said += part;
        EXPECT_EQ(::pclose(groff), 0) << name;
        EXPECT_EQ(said, "") << name;
    }
}

TEST(ManPages, R44_APageOfOursThatIsReferredToIsThere) {
    const auto have = pages();
    const std::regex reference(R"(\.Xr (orch\S*|org\.orchd1) ([0-9]))");
    const std::regex other(R"(\.so man[0-9]/(\S+))");
    for (const auto& [name, path] : have) {
        const std::string text = contents(path);
        for (std::sregex_iterator found(text.begin(), text.end(), reference), end; found != end; ++found) {
            EXPECT_TRUE(have.contains((*found)[1].str() + '.' + (*found)[2].str())) << name << " refers to " << (*found)[1];
        }
        std::smatch target;
        if (std::regex_search(text, target, other)) {
            EXPECT_TRUE(have.contains(target[1])) << name;
        }
    }
}

// Files that the package installs, or that make them: what people read where there are no sources.
std::vector<fs::path> told_texts() {
    std::vector<fs::path> all;
    for (const auto* folder : {"man", "units", "packaging", "packaging/sample"})
        for (const auto& entry : fs::directory_iterator(sources / folder))
            if (entry.is_regular_file() && entry.path().filename() != "meson.build") all.push_back(entry.path());
    return all;
}

TEST(ManPages, ADocumentThatIsPointedAtIsInstalled) {
    const std::regex installed("/usr/share/doc/orchd/([A-Za-z0-9_-]+\\.md)"), source("[^/a-z]docs/[a-z-]+\\.md");
    int pointers = 0;
    for (const auto& path : told_texts()) {
        const auto text = contents(path);
        EXPECT_FALSE(std::regex_search(text, source)) << path << " points at a document of the sources";
        for (std::sregex_iterator found(text.begin(), text.end(), installed), end; found != end; ++found, ++pointers)
            EXPECT_TRUE(fs::exists(sources / "docs" / (*found)[1].str())) << path << " points at " << (*found)[0];
    }
    EXPECT_GE(pointers, 3);
    EXPECT_THAT(contents(sources / "meson.build"), testing::HasSubstr("install_subdir('docs'"));
}

TEST(ManPages, R33_TheContractTellsOfEveryArtefactAndEveryValueItMaySay) {
    const auto page = contents(sources / "man/orchd-run-contract.7");
    for (int i = 0; i < static_cast<int>(enum_text<Artefact>.size()); ++i) {
        const auto& demand = demand_of(static_cast<Artefact>(i));
        for (const auto part :
             {to_text(demand.artefact), demand.key, demand.green, demand.red, demand.agreeing[0], demand.agreeing[1]})
            EXPECT_THAT(page, testing::HasSubstr(std::string(part))) << to_text(demand.artefact);
    }
}

// The page without its macros: ".It Cm task list Oo Fl -project Ar name Oc" is "task list … -project …".
void check_told(Command at, const std::string& path, const std::string& page) {
    for (const auto& command : at.below()) {
        const std::string words = path + (path.empty() ? "" : " ") + command.name();
        const bool family = !command.below().empty();
        if (!family) {
            EXPECT_THAT(page, testing::ContainsRegex("\\.It Cm " + words + "( |\n)"));
        }
        for (const auto& name : command.option_names()) {
            if (!name.starts_with("--")) continue;
            EXPECT_THAT(page, testing::ContainsRegex("Fl " + name.substr(1) + "( |\n)")) << words;
        }
        check_told(command, words, page);
    }
}

TEST(ManPages, R43_OrchctlsTellsOfEveryCommandAndOption) {
    Session session;
    const CommandTree tree(session);
    add_all(tree, session);
    check_told(tree.root(), "", contents(sources / "man/orchctl.1"));
}

}  // namespace
}  // namespace orchd::orchctl
