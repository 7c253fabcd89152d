#include "orchctl/cli.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "orchctl/commands.h"
#include "settings/nearest.h"

namespace orchd::orchctl {
namespace {

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

void add_all(const CommandTree& tree, Session& session) {
    for (const auto add : {add_status, add_queue, add_task, add_why, add_job, add_lease, add_reap, add_dep, add_webhook,
                           add_logs, add_events, add_pause, add_project, add_config, add_db, add_doctor, add_completion}) {
        add(tree.root(), session);
    }
}

std::string usage_problem(const std::vector<std::string>& words, const std::string& fallback) {
    Session session;
    const CommandTree tree(session);
    add_all(tree, session);
    Command at = tree.root();
    auto known = at.option_names();  // of the command and, since options of the root may stand anywhere, of what it stands in
    std::string path = "orchctl";
    for (const auto& word : words) {
        if (word == "--") break;
        if (word.starts_with('-') && word.size() > 1) {
            const std::string name = word.substr(0, word.find('='));
            const bool bundled = !name.starts_with("--") && name.size() > 2;  // -fn5
            if (bundled || std::ranges::find(known, name) != known.end()) continue;
            return unknown(path, "option", name, known);
        }
        const auto below = at.below();
        if (below.empty()) continue;  // an argument
        const auto next = std::ranges::find(below, word, &Command::name);
        if (next == below.end()) {
            std::vector<std::string> names;
            names.reserve(below.size());
            for (const auto& command : below) names.push_back(command.name());
            return unknown(path, "command", word, names);
        }
        at = *next;
        const auto own = at.option_names();
        known.insert(known.end(), own.begin(), own.end());
        path.append(1, ' ').append(word);
    }
    return fallback;
}

int run(const std::vector<std::string>& words) {
    Session session;
    const CommandTree tree(session);
    add_all(tree, session);
    const auto read = tree.read(words);
    if (!read) {
        print_error({Errc::invalid_argument, usage_problem(words, read.error().text)}, session.json);
        if (!session.json) std::cerr << "'orchctl --help' and 'orchctl COMMAND --help' show what there is.\n";
        return face(Errc::invalid_argument).exit_status;
    }
    auto done = *read ? session.command() : Status();  // --help and --version have answered
    // An answer that nobody can read is none.
    if (auto shown = session.show(); done && !shown) done = shown;
    if (done) return 0;
    print_error(done.error(), session.json);
    return face(done.error().code).exit_status;
}

}  // namespace orchd::orchctl
