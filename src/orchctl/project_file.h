// A project's file as `orchctl project add` writes it.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "settings/settings.h"

namespace orchd::orchctl {

struct NewProject {
    std::string name, prefix, repository, target = "main";
    std::vector<std::string> agent;  // argv of all four agents
    std::vector<std::string> ci, test, staging, build;
    std::string hook, hook_config;
};
// As values of TOML.
[[nodiscard]] std::string toml_text(const std::string& text);
[[nodiscard]] std::string toml_text(const std::vector<std::string>& words);
[[nodiscard]] std::string project_file_text(const NewProject& project);
// Errc::invalid_argument for what the file's reader would refuse, conflict where the name or the prefix is taken.
[[nodiscard]] Status check_new_project(const NewProject& project, const std::string& dir, const settings::Settings& settings);
// Checks the same and writes DIR/NAME.toml, whole or not at all. Errc::not_permitted where the folder is not the caller's to
// write.
[[nodiscard]] Status write_project_file(const NewProject& project, const std::string& dir, const settings::Settings& settings);

// The words of a command as a shell would split it: at blanks, with '…', "…" and \ as people know them. Nothing is expanded,
// since there is no shell: Errc::invalid_argument for what only a shell would understand ($, |, *, …), for a quote that does
// not end, and for no words at all. `option` is how the error names it: "--ci".
[[nodiscard]] Result<std::vector<std::string>> words_of(const std::string& command, const std::string& option);

}  // namespace orchd::orchctl
