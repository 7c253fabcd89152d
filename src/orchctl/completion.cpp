#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

std::string options_of(Command command) {
    std::string words;
    for (const auto& name : command.option_names()) {
        if (name.starts_with("--")) words += ' ' + name;
    }
    return words;
}

// One branch of the script's case for the command at `path`, and for those below it: the words that may follow.
void branches(Command at, const std::string& path, const std::string& inherited, std::string& words, std::string& commands) {
    const auto below = at.below();
    const std::string options = inherited + options_of(at);
    std::string follow;
    for (const auto& command : below) {
        follow += (follow.empty() ? "" : " ") + command.name();
        commands += (commands.empty() ? "" : " | ") + ("'" + path + ' ' + command.name() + "'");
    }
    words += "        '" + path + "') words='" + follow + options + "' ;;\n";
    for (const auto& command : below) {
        // Options of the root may stand after any command; --help and --version are each command's own.
        branches(command, path + ' ' + command.name(), " --json --no-pager", words, commands);
    }
}

std::string bash_script(Command root) {
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

void add_completion(Command app, Session& session) {
    const auto completion = app.family("completion", "Print a script that completes commands in a shell");
    completion.add("bash", "For bash; installed with the package").does([app, &session]() -> Status {
        session.print(bash_script(app));
        return {};
    });
}

}  // namespace orchd::orchctl
