#include <CLI/CLI.hpp>
#include <memory>

#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

struct Given {
    std::string scope, reason;
};

std::string in_words(const std::string& scope) { return scope.empty() ? "everything" : scope; }

}  // namespace

void add_pause(CLI::App& app, Session& session) {
    const std::string scope_text = "project:NAME or task:WORK-ITEM; everything where it is left out";
    const auto given = std::make_shared<Given>();

    auto* pause = app.add_subcommand("pause", "Start nothing new: on the whole host, of a project, or of a task");
    pause->add_option("SCOPE", given->scope, scope_text);
    pause->add_option("-r,--reason", given->reason, "Why, for those who find it paused");
    pause->callback([&session, given] {
        session.command = [&session, given]() -> Status {
            return act(session, "Pause", {given->scope, given->reason},
                       "Paused " + in_words(given->scope) + ". Runs under way go on.");
        };
    });

    auto* resume = app.add_subcommand("resume", "Take a pause back");
    resume->add_option("SCOPE", given->scope, scope_text);
    resume->callback([&session, given] {
        session.command = [&session, given]() -> Status {
            return act(session, "Resume", {given->scope}, "Resumed " + in_words(given->scope) + ".");
        };
    });
}

}  // namespace orchd::orchctl
