#include "orchctl/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "orchctl/commands.h"
#include "settings/nearest.h"

namespace orchd::orchctl {
namespace {

std::vector<std::string> subcommand_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
    return names;
}

// Those of the command and, since options of the root may stand anywhere, of what it stands in.
std::vector<std::string> option_names(const CLI::App* app) {
    std::vector<std::string> names;
    for (; app != nullptr; app = app->get_parent()) {
        for (const auto* option : app->get_options()) {
            for (const auto& name : option->get_lnames()) names.push_back("--" + name);
            for (const auto& name : option->get_snames()) names.push_back("-" + name);
        }
    }
    return names;
}

// "'orchctl task' has no command lst; did you mean list?"
std::string unknown(const std::string& where, const std::string& what, const std::string& word,
                    const std::vector<std::string>& known) {
    return "'" + where + "' has no " + what + ' ' + word + settings::did_you_mean(word, known);
}

void print_error(const Error& error, bool json) {
    if (json) {
        std::cerr << boost::json::serialize(boost::json::object{{"error", face(error.code).name}, {"text", error.text}})
                  << '\n';
        return;
    }
    std::cerr << "orchctl: " << printable_lines(error.text) << '\n';
}

}  // namespace

std::unique_ptr<CLI::App> command_tree(Session& session) {
    auto app = std::make_unique<CLI::App>("Operate orchd: tasks, their jobs and runs, projects and settings.", "orchctl");
    app->fallthrough();
    app->require_subcommand(1);
    app->set_version_flag("--version", "orchctl " ORCHD_VERSION, "Print the version and exit");
    app->add_flag("--json", session.json, "Print JSON, for scripts");
    app->add_flag("--no-pager", session.no_pager, "Never page what is longer than the terminal");
    app->footer("--json and --no-pager may stand after any command. See orchctl(1).");  // below the help of each
    for (const auto add : {add_status, add_queue, add_task, add_why, add_job, add_lease, add_reap, add_dep, add_webhook,
                           add_logs, add_events, add_pause, add_project, add_config, add_db, add_doctor, add_completion}) {
        add(*app, session);
    }
    return app;
}

std::string usage_problem(const std::vector<std::string>& words, const std::string& fallback) {
    Session session;
    const auto tree = command_tree(session);
    const CLI::App* at = tree.get();
    std::string path = "orchctl";
    for (const auto& word : words) {
        if (word == "--") break;
        if (word.starts_with('-') && word.size() > 1) {
            const std::string name = word.substr(0, word.find('='));
            const auto known = option_names(at);
            const bool bundled = !name.starts_with("--") && name.size() > 2;  // -fn5
            if (bundled || std::find(known.begin(), known.end(), name) != known.end()) continue;
            return unknown(path, "option", name, known);
        }
        const auto names = subcommand_names(*at);
        if (names.empty()) continue;  // an argument
        if (std::find(names.begin(), names.end(), word) == names.end()) {
            return unknown(path, "command", word, names);
        }
        at = at->get_subcommand(word);
        path.append(1, ' ').append(word);
    }
    return fallback;
}

int run(const std::vector<std::string>& words) {
    Session session;
    const auto tree = command_tree(session);
    try {
        // CLI11 takes the words from the back.
        tree->parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::Success& asked) {
        return tree->exit(asked);  // --help and --version
    } catch (const CLI::ParseError& error) {
        print_error({Errc::invalid_argument, usage_problem(words, error.what())}, session.json);
        if (!session.json) std::cerr << "'orchctl --help' and 'orchctl COMMAND --help' show what there is.\n";
        return face(Errc::invalid_argument).exit_status;
    }
    const auto done = session.command();
    session.show();
    if (done) return 0;
    print_error(done.error(), session.json);
    return face(done.error().code).exit_status;
}

}  // namespace orchd::orchctl
