#include <CLI/CLI.hpp>

#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

std::string options_of(const CLI::App& app) {
    std::string words;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) words += " --" + name;
    }
    return words;
}

// One branch of the script's case for the command at `path`, and for those below it: the words that may follow.
void branches(const CLI::App& app, const std::string& path, const std::string& inherited, std::string& words,
              std::string& commands) {
    const auto below = app.get_subcommands([](const CLI::App*) { return true; });
    const std::string options = inherited + options_of(app);
    std::string follow;
    for (const auto* command : below) {
        follow += (follow.empty() ? "" : " ") + command->get_name();
        commands += (commands.empty() ? "" : " | ") + ("'" + path + ' ' + command->get_name() + "'");
    }
    words += "        '" + path + "') words='" + follow + options + "' ;;\n";
    for (const auto* command : below) {
        // Options of the root may stand after any command; --help and --version are each command's own.
        branches(*command, path + ' ' + command->get_name(), " --json --no-pager", words, commands);
    }
}

std::string bash_script(const CLI::App& root) {
    std::string words, commands;
    branches(root, "orchctl", "", words, commands);
    return "# bash completion for orchctl(1), made by 'orchctl completion bash' from its own commands.\n"
           "_orchctl() {\n"
           "    local path=orchctl words='' word\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        case \"$path $word\" in\n"
           "            " +
           commands +
           ") path=\"$path $word\" ;;\n"
           "        esac\n"
           "    done\n"
           "    case \"$path\" in\n" +
           words +
           "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
           "}\n"
           "complete -o default -F _orchctl orchctl\n";
}

}  // namespace

void add_completion(CLI::App& app, Session& session) {
    auto* completion = app.add_subcommand("completion", "Print a script that completes commands in a shell");
    completion->require_subcommand(1);
    completion->add_subcommand("bash", "For bash; installed with the package")->callback([&app, &session] {
        session.command = [&app, &session]() -> Status {
            session.print(bash_script(app));
            return {};
        };
    });
}

}  // namespace orchd::orchctl
