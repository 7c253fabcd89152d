#include "orchctl/project_file.h"

#include <sys/stat.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "core/words.h"
#include "orchctl/draft.h"
#include "settings/project.h"

namespace orchd::orchctl {
namespace {

// Splits one command line.
class WordReader {
public:
    explicit WordReader(const std::string& line) : line_(line) {}

    Result<std::vector<std::string>> words() {
        std::vector<std::string> words;
        for (skip_blanks(); at_ < line_.size(); skip_blanks()) {
            auto one = word();
            if (!one) return fail(one.error());
            words.push_back(std::move(*one));
        }
        if (words.empty()) return fail(Errc::invalid_argument, "there is no command");
        return words;
    }

private:
    static constexpr std::string_view blanks = " \t\r\n";

    void skip_blanks() { at_ = std::min(line_.find_first_not_of(blanks, at_), line_.size()); }

    Result<std::string> word() {
        std::string text;
        for (const auto begin = at_; at_ < line_.size() && blanks.find(line_[at_]) == std::string_view::npos;) {
            const char c = line_[at_++];
            if (c == '\'') {
                if (auto read = single_quoted(text); !read) return fail(read.error());
            } else if (c == '"') {
                if (auto read = double_quoted(text); !read) return fail(read.error());
            } else if (c == '\\') {
                if (at_ == line_.size()) return fail(Errc::invalid_argument, "nothing follows the last \\");
                text += line_[at_++];
            } else if (special(c, at_ - 1 == begin)) {
                return fail(for_a_shell(c));
            } else {
                text += c;
            }
        }
        return text;
    }

    Status single_quoted(std::string& text) {
        const auto end = line_.find('\'', at_);
        if (end == std::string::npos) return fail(Errc::invalid_argument, "a ' has no end");
        text += line_.substr(at_, end - at_);
        at_ = end + 1;
        return {};
    }

    Status double_quoted(std::string& text) {
        for (; at_ < line_.size(); ++at_) {
            const char c = line_[at_];
            if (c == '"') {
                ++at_;
                return {};
            }
            if (c == '$' || c == '`') return fail(for_a_shell(c));
            const bool escapes = c == '\\' && at_ + 1 < line_.size() &&
                                 std::string_view("\"\\$`").find(line_[at_ + 1]) != std::string_view::npos;
            if (escapes) ++at_;
            text += line_[at_];
        }
        return fail(Errc::invalid_argument, "a \" has no end");
    }

    static bool special(char c, bool first) {
        return std::string_view("|&;<>()$`*?[").find(c) != std::string_view::npos || (first && (c == '~' || c == '#'));
    }

    static Error for_a_shell(char c) {
        return {Errc::invalid_argument, std::string("there is no shell that would understand ") + c +
                                            ": put it in '…' where it is meant as it stands, or the command into a script"};
    }

    const std::string& line_;
    std::size_t at_ = 0;
};

}  // namespace

std::string toml_text(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
            out += c;
            continue;
        }
        std::array<char, 8> code{};
        std::snprintf(code.data(), code.size(), "\\u%04X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += code.data();
    }
    return out + '"';
}

std::string toml_text(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + toml_text(word);
    return '[' + out + ']';
}

std::string project_file_text(const NewProject& project) {
    std::string text =
        "# A project of orchd; see orchd-project(5). 'orchctl project check' reads it as the units do.\n[project]\nname = " +
        toml_text(project.name) + "\nprefix = " + toml_text(project.prefix) + "\ntarget = " + toml_text(project.target) +
        "\n\n[forge]\nkind = \"local\"\npath = " + toml_text(project.repository) + "\n\n[tracker]\nkind = \"local\"\n";
    for (const auto role : {Role::analyst, Role::architect, Role::developer, Role::reviewer}) {
        text += "\n[roles." + std::string(to_text(role)) + "]\ncommand = " + toml_text(project.agent) + "\n";
    }
    const auto check = [&](const std::string& table, const std::vector<std::string>& command) {
        if (!command.empty()) text += "\n[" + table + "]\ncommand = " + toml_text(command) + "\n";
    };
    check("ci", project.ci);
    check("test", project.test);
    check("staging", project.staging);
    check("build", project.build);
    if (!project.hook.empty()) {
        text += "\n[deploy]\nhook = " + toml_text(project.hook) + "\n";
        if (!project.hook_config.empty()) text += "config = " + toml_text(project.hook_config) + "\n";
    }
    return text;
}

Status check_new_project(const NewProject& project, const std::string& dir, const settings::Settings& settings) {
    const std::string file = dir + '/' + project.name + ".toml";
    if (auto read = settings::parse_project(project_file_text(project), file, settings); !read) return fail(read.error());
    struct stat seen {};
    if (::stat(file.c_str(), &seen) == 0) return fail(Errc::conflict, file + " is there already: the name is taken.");
    const auto others = settings::load_projects(dir, settings);
    if (const auto* owner = settings::owner_of(others, project.prefix)) {
        return fail(Errc::conflict, "The prefix " + project.prefix + " belongs to " + owner->name + " (" + owner->file + ").");
    }
    return {};
}

Status write_project_file(const NewProject& project, const std::string& dir, const settings::Settings& settings) {
    if (auto checked = check_new_project(project, dir, settings); !checked) return checked;
    const auto name = project.name + ".toml";
    auto draft = Draft::write(dir, name, project_file_text(project));
    if (!draft) return fail(draft.error());
    return draft->take_free_name(dir + '/' + name);
}

Result<std::vector<std::string>> words_of(const std::string& command, const std::string& option) {
    return WordReader(command).words().map_error([&](const Error& error) {
        return Error{error.code, option + ": " + error.text};
    });
}

}  // namespace orchd::orchctl
