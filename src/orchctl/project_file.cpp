#include "orchctl/project_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "core/words.h"
#include "settings/project.h"

namespace orchd::orchctl {
namespace {

std::string toml(const std::string& text) {
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

std::string toml(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + toml(word);
    return '[' + out + ']';
}

Error failed(const std::string& what) {
    const int reason = errno;
    const auto code = reason == EACCES || reason == EPERM || reason == EROFS ? Errc::not_permitted : Errc::io;
    return {code, what + ": " + std::strerror(reason) + (code == Errc::not_permitted ? ". Run this as root." : "")};
}

Error taken(const std::string& file) { return {Errc::conflict, file + " is there already: the name is taken."}; }

// Writes beside the final name and links it there, so that a reader sees the whole file and an existing one stays.
Status write_new(const std::string& dir, const std::string& name, const std::string& text) {
    std::string draft = dir + "/." + name + ".XXXXXX";
    const std::string file = dir + '/' + name;
    const int fd = ::mkostemp(draft.data(), O_CLOEXEC);
    if (fd < 0) return fail(failed(dir));
    const auto written = ::write(fd, text.data(), text.size());
    const bool whole = written == static_cast<ssize_t>(text.size()) && ::fchmod(fd, 0644) == 0 && ::fsync(fd) == 0;
    Status status;
    if (!whole) status = fail(failed(draft));
    ::close(fd);
    if (status && ::link(draft.c_str(), file.c_str()) != 0) status = fail(errno == EEXIST ? taken(file) : failed(file));
    ::unlink(draft.c_str());
    return status;
}

}  // namespace

std::string project_file_text(const NewProject& project) {
    std::string text =
        "# A project of orchd; see orchd-project(5). 'orchctl project check' reads it as the units do.\n[project]\nname = " +
        toml(project.name) + "\nprefix = " + toml(project.prefix) + "\ntarget = " + toml(project.target) +
        "\n\n[forge]\nkind = \"local\"\npath = " + toml(project.repository) + "\n\n[tracker]\nkind = \"local\"\n";
    for (const auto role : {Role::analyst, Role::architect, Role::developer, Role::reviewer}) {
        text += "\n[roles." + std::string(to_text(role)) + "]\ncommand = " + toml(project.agent) + "\n";
    }
    const auto check = [&](const std::string& table, const std::vector<std::string>& command) {
        if (!command.empty()) text += "\n[" + table + "]\ncommand = " + toml(command) + "\n";
    };
    check("ci", project.ci);
    check("test", project.test);
    check("staging", project.staging);
    check("build", project.build);
    if (!project.hook.empty()) {
        text += "\n[deploy]\nhook = " + toml(project.hook) + "\n";
        if (!project.hook_config.empty()) text += "config = " + toml(project.hook_config) + "\n";
    }
    return text;
}

Status check_new_project(const NewProject& project, const std::string& dir, const settings::Settings& settings) {
    const std::string file = dir + '/' + project.name + ".toml";
    if (auto read = settings::parse_project(project_file_text(project), file, settings); !read) return fail(read.error());
    struct stat seen {};
    if (::stat(file.c_str(), &seen) == 0) return fail(taken(file));
    const auto others = settings::load_projects(dir, settings);
    if (const auto* owner = settings::owner_of(others, project.prefix)) {
        return fail(Errc::conflict, "The prefix " + project.prefix + " belongs to " + owner->name + " (" + owner->file + ").");
    }
    return {};
}

Status write_project_file(const NewProject& project, const std::string& dir, const settings::Settings& settings) {
    if (auto checked = check_new_project(project, dir, settings); !checked) return checked;
    return write_new(dir, project.name + ".toml", project_file_text(project));
}

std::vector<std::string> words_of(const std::string& command) {
    std::istringstream in(command);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

}  // namespace orchd::orchctl
