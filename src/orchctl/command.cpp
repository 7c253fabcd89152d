#include "orchctl/command.h"

#include <CLI/CLI.hpp>
#include <sstream>

namespace orchd::orchctl {

Parameter Parameter::required(bool really) const { return Parameter(option_->required(really)); }
Parameter Parameter::between(std::int64_t least, std::int64_t most) const {
    return Parameter(option_->check(CLI::Range(least, most)));
}
Parameter Parameter::excludes(Parameter other) const { return Parameter(option_->excludes(other.option_)); }
Parameter Parameter::one_each() const { return Parameter(option_->allow_extra_args(false)); }
Parameter Parameter::needs(Parameter other) const { return Parameter(option_->needs(other.option_)); }

Command Command::family(const std::string& name, const std::string& text) const {
    auto* added = app_->add_subcommand(name, text);
    added->require_subcommand(1);
    return {added, session_};
}

Command Command::add(const std::string& name, const std::string& text) const {
    return {app_->add_subcommand(name, text), session_};
}

Parameter Command::option(const std::string& names, std::string& value, const std::string& text) const {
    return Parameter(app_->add_option(names, value, text));
}
Parameter Command::option(const std::string& names, std::optional<std::string>& value, const std::string& text) const {
    return Parameter(app_->add_option(names, value, text));
}
Parameter Command::option(const std::string& names, std::optional<std::uint64_t>& value, const std::string& text) const {
    return Parameter(app_->add_option(names, value, text));
}
Parameter Command::option(const std::string& names, std::uint64_t& value, const std::string& text) const {
    return Parameter(app_->add_option(names, value, text));
}
Parameter Command::option(const std::string& names, std::vector<std::string>& value, const std::string& text) const {
    return Parameter(app_->add_option(names, value, text));
}
Parameter Command::flag(const std::string& names, bool& value, const std::string& text) const {
    return Parameter(app_->add_flag(names, value, text));
}

void Command::does(std::function<Status()> command) const {
    app_->callback([session = session_, command = std::move(command)] { session->command = command; });
}

std::string Command::name() const { return app_->get_name(); }

std::vector<Command> Command::below() const {
    std::vector<Command> all;
    for (auto* command : app_->get_subcommands([](CLI::App*) { return true; })) all.emplace_back(command, session_);
    return all;
}

std::vector<std::string> Command::option_names() const {
    std::vector<std::string> names;
    for (const auto* option : app_->get_options()) {
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        for (const auto& name : option->get_snames()) names.push_back("-" + name);
    }
    return names;
}

CommandTree::CommandTree(Session& session)
    : session_(session),
      app_(std::make_unique<CLI::App>("Operate orchd: tasks, their jobs and runs, projects and settings.", "orchctl")) {
    app_->fallthrough();
    app_->require_subcommand(1);
    app_->set_version_flag("--version", "orchctl " ORCHD_VERSION, "Print the version and exit");
    app_->add_flag("--json", session.json, "Print JSON, for scripts");
    app_->add_flag("--no-pager", session.no_pager, "Never page what is longer than the terminal");
    app_->footer("--json and --no-pager may stand after any command. See orchctl(1).");  // below the help of each
}

CommandTree::~CommandTree() = default;

Result<bool> CommandTree::read(const std::vector<std::string>& words) const {
    try {
        // CLI11 takes the words from the back.
        app_->parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::Success& asked) {
        std::ostringstream text;
        app_->exit(asked, text, text);
        session_.print(text.str());
        return false;
    } catch (const CLI::ParseError& error) {
        return fail(Errc::invalid_argument, error.what());
    }
    return true;
}

}  // namespace orchd::orchctl
