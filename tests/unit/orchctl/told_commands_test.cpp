// Whatever our own texts tell people to type is a command that orchctl reads: hints and errors of every program, man pages,
// documents, the catalogue, the sample.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>

#include "orchctl/commands.h"
#include "orchctl/project_file.h"
#include "sources.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;

constexpr char something = '\1';  // what a program puts in when it says so

struct Told {
    std::string where, text;  // the words behind "orchctl "
    bool quoted = false;      // as a name in a sentence: 'orchctl task list' shows what there is
};

// Ends at the quote that it began with, or where an unquoted sentence goes on.
Told cut(const std::string& where, const std::string& text, std::size_t begin) {
    const char before = begin > 0 ? text[begin - 1] : ' ';
    const auto from = begin + std::string_view("orchctl ").size();
    Told told{where, {}, before == '\'' || before == '`' || before == '"'};
    if (told.quoted) {
        told.text = text.substr(from, text.find(before, from) - from);
        return told;
    }
    static const std::regex end(R"(\n|[;,:)] |[.;,:]$|\)|  | \(| \||&&| <| >| #| which |`|\. |$)");
    std::smatch found;
    const std::string rest = text.substr(from);
    std::regex_search(rest, found, end);
    told.text = rest.substr(0, static_cast<std::size_t>(found.position(0)));
    if (std::ranges::count(told.text, '"') % 2 == 1) told.text.erase(told.text.rfind('"'));  // the end of what it stands in
    return told;
}

void take_all(const std::string& where, const std::string& text, std::vector<Told>& all) {
    static const std::regex mention(R"((^|[^A-Za-z0-9_./=-])orchctl )");
    for (std::sregex_iterator at(text.begin(), text.end(), mention), end; at != end; ++at)
        all.push_back(cut(where, text, static_cast<std::size_t>(at->position(0) + at->length(1))));
}

// The texts of a C++ file: literals that are put together, with `something` for each value between them.
std::vector<std::string> texts_of(const std::string& code) {
    std::vector<std::string> texts;
    std::string text;
    bool within = false, joined = false;  // within a text; what stands there now is joined to it
    int depth = 0;
    const auto end_text = [&] {
        if (within) texts.push_back(text);
        text.clear();
        within = joined = false;
        depth = 0;
    };
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        if (c == '/' && i + 1 < code.size() && code[i + 1] == '/') {
            i = std::min(code.find('\n', i), code.size() - 1);
        } else if (c == '\'' && i + 2 < code.size() && (code[i + 2] == '\'' || code[i + 1] == '\\')) {
            if (within && joined) text += code[i + 1];
            i = code.find('\'', i + 2);
        } else if (c == '"') {
            if (within && !joined && depth > 0) text += something;
            within = true;
            for (++i; i < code.size() && code[i] != '"'; ++i) {
                if (code[i] == '\\')
                    text += code[i + 1] == 'n' ? '\n' : code[i + 1], ++i;
                else
                    text += code[i];
            }
            joined = true;
        } else if (within && c == '+') {
            joined = true;
        } else if (within &&
                   (c == ';' || c == '{' || c == '}' || c == ',' || (c == '?' && depth == 0) || (c == ':' && depth == 0))) {
            if (depth == 0) end_text();
        } else if (within && c == '(') {
            ++depth;
        } else if (within && c == ')') {
            if (--depth < 0) end_text();
        } else if (within && joined && (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '*')) {
            text += something;  // a value between two literals
            const auto ends = [&](char next) {
                return std::string_view("+;,\"").find(next) != std::string_view::npos || (next == ')' && depth <= 0) ||
                       ((next == ':' || next == '?') && code[i] == ' ');
            };
            while (i + 1 < code.size() && !ends(code[i + 1])) {
                ++i;
                if (code[i] == '(') ++depth;
                if (code[i] == ')') --depth;
            }
            joined = false;
        }
    }
    end_text();
    return texts;
}

std::string without_macros(std::string line) {
    line = std::regex_replace(line, std::regex(R"((^|\n)\.(Dl|Li|Pp|D1) )"), "$1");
    line = std::regex_replace(line, std::regex(R"(\b(Ar|Cm|Pa) )"), "");
    line = std::regex_replace(line, std::regex(R"(\bFl -?)"), "--");
    return std::regex_replace(line, std::regex(R"( [.,;:)]($|\n))"), "$1");
}

std::vector<Told> all_told() {
    std::vector<Told> all;
    for (const auto& entry : fs::recursive_directory_iterator(sources / "src")) {
        const auto name = entry.path().filename().string();
        if (!name.ends_with(".cpp") && !name.ends_with(".h")) continue;
        for (const auto& text : texts_of(contents(entry.path()))) take_all(name, text, all);
    }
    for (const auto& entry : fs::directory_iterator(sources / "man")) {
        const auto name = entry.path().filename().string();
        if (name == "meson.build") continue;
        std::istringstream lines(contents(entry.path()));
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(".Xr ")) continue;
            const bool named = line.starts_with(".Li ");
            const auto before = static_cast<std::ptrdiff_t>(all.size());
            take_all("man/" + name, without_macros(line), all);
            if (named) std::for_each(all.begin() + before, all.end(), [](Told& told) { told.quoted = true; });
        }
    }
    const std::regex code(R"(`[^`\n]*`|\n(sudo |  +|\$ )?orchctl [^\n]*)");
    std::vector<fs::path> documents{sources / "README.md"};
    for (const auto& entry : fs::recursive_directory_iterator(sources / "docs"))
        if (entry.path().extension() == ".md") documents.push_back(entry.path());
    for (const auto& path : documents) {
        const auto text = contents(path);
        for (std::sregex_iterator at(text.begin(), text.end(), code), end; at != end; ++at)
            take_all(path.filename().string(), at->str(), all);
    }
    for (const auto* file :
         {"units/orchd.catalog", "packaging/sample/walk", "packaging/quickstart", "packaging/deploy-systemd"}) {
        auto text = std::regex_replace(contents(sources / file), std::regex("\\\\\n"), " ");
        text =
            std::regex_replace(text, std::regex(R"(@[A-Z_]+@|\$\{[^}]*\}|\$[A-Za-z_]+(/[a-z]+)?)"), std::string(1, something));
        take_all(file, text, all);
    }
    return all;
}

// What stands for something is put in as a person would.
std::vector<std::string> words_with(const Told& told, const std::string& value) {
    auto text = std::regex_replace(told.text, std::regex(std::string(1, something)), value);
    text = std::regex_replace(text, std::regex("…|\\.\\.\\."), "");
    auto words = words_of(text, "orchctl");
    if (!words) return {};
    for (auto& word : *words) {
        if (word == "COMMAND") word = "status";
        const bool stands_for =
            word.size() > 1 && std::ranges::all_of(word, [](char c) { return std::isupper(c) != 0 || c == '-'; });
        if (stands_for && std::isupper(static_cast<unsigned char>(word[0])) != 0) word = value;
    }
    return *words;
}

bool reads(const std::vector<std::string>& words) {
    if (words.empty()) return false;
    Session session;
    const CommandTree tree(session);
    add_all(tree, session);
    testing::internal::CaptureStdout();
    const auto read = tree.read(words);
    testing::internal::GetCapturedStdout();
    return read.has_value();
}

// Only the names of a command, and of options that it has: it is spoken of, not typed.
bool names_a_command(const std::vector<std::string>& words) {
    Session session;
    const CommandTree tree(session);
    add_all(tree, session);
    Command at = tree.root();
    for (const auto& word : words) {
        const auto options = at.option_names();
        if (std::ranges::find(options, word) != options.end()) continue;
        const auto below = at.below();
        const auto next = std::ranges::find(below, word, &Command::name);
        if (next == below.end()) return false;
        at = *next;
    }
    return !words.empty();
}

TEST(ToldCommands, AreReadByOrchctl) {
    const auto all = all_told();
    int hints = 0;
    for (const auto& told : all) {
        if (told.text.find_first_not_of(" \1") == std::string::npos) continue;
        const auto words = words_with(told, "HELLO-1");
        const bool good = (told.quoted && names_a_command(words)) || reads(words) || reads(words_with(told, "1"));
        EXPECT_TRUE(good) << told.where << " tells people to type: orchctl "
                          << std::regex_replace(told.text, std::regex("\1"), "<…>") << (told.quoted ? "   (quoted)" : "");
        ++hints;
    }
    EXPECT_GT(hints, 80) << "of which some are no longer found";
    const auto from = [&](const char* file) { return std::ranges::count(all, file, &Told::where); };
    for (const auto* file : {"advance.cpp", "why.cpp", "operation.cpp", "status.cpp", "doctor_state.cpp", "orchctl.1", "walk"})
        EXPECT_GT(
            from(file) + from((std::string("man/") + file).c_str()) + from((std::string("packaging/sample/") + file).c_str()),
            0)
            << file;
}

TEST(ToldCommands, AWrongOneIsSeen) {
    std::vector<Told> all;
    for (const auto& text :
         texts_of(R"(f("x: orchctl task aprove " + item + ", or `orchctl task approve`", "orchctl task show");)"))
        take_all("here", text, all);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_FALSE(reads(words_with(all[0], "HELLO-1")));
    EXPECT_TRUE(names_a_command(words_with(all[1], "HELLO-1")));
    EXPECT_FALSE(reads(words_with(all[2], "HELLO-1"))) << "a work item is missing";
}

}  // namespace
}  // namespace orchd::orchctl
