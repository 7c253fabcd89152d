// Changes to a project's file: in its text, so that comments and order stay, and put in place whole or not at all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "settings/project.h"

namespace orchd::orchctl {

// The file's text with one key set, "project.target", or taken out where there is no value. A value is TOML where it reads as
// such, a text otherwise; that of a command is split as `project add` does. Errc::invalid_argument for what is no key of a
// file, and where the text is written in a way that nothing can be changed in without a person ("orchctl project edit" then is
// the way).
[[nodiscard]] Result<std::string> with_key(const std::string& text, const std::string& key,
                                           const std::optional<std::string>& value);

// A project's file, as it was read.
struct ProjectText {
    std::string dir, name, text;
    [[nodiscard]] std::string file() const { return dir + '/' + name + ".toml"; }
};
// Errc::no_such, with what there is, where there is no such file.
[[nodiscard]] Result<ProjectText> read_project_text(const std::string& dir, const std::string& name);
// What the units would say of `text` in its place, beside the other projects: all problems, one a line.
[[nodiscard]] Status check_project_text(const ProjectText& project, const std::string& text,
                                        const settings::Settings& settings);
// Checks it, and puts it in the file's place by one rename, with the file's owner and mode. Errc::conflict where the file
// changed since it was read; the file then stays as it is.
[[nodiscard]] Status replace_project_text(const ProjectText& project, const std::string& text,
                                          const settings::Settings& settings);
// Takes the file away; it is kept beside, as NAME.toml.removed, or with a number behind where that is there already;
// the name is answered.
[[nodiscard]] Result<std::string> remove_project_text(const ProjectText& project);

}  // namespace orchd::orchctl
