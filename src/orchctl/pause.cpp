#include <memory>

#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"
#include "orchctl/reason.h"

namespace orchd::orchctl {
namespace {

struct PauseOptions {
    std::string scope;
    Reason reason;
};

std::string in_words(const std::string& scope) { return scope.empty() ? "everything" : scope; }

}  // namespace

void add_pause(Command app, Session& session) {
    const std::string scope_text = "project:NAME or task:WORK-ITEM; everything where it is left out";
    const auto given = std::make_shared<PauseOptions>();

    const auto pause = app.add("pause", "Start nothing new: on the whole host, of a project, or of a task");
    pause.option("SCOPE", given->scope, scope_text);
    take_reason(pause, given->reason, "Why, for those who find it paused");
    pause.does([&session, given]() -> Status {
        const auto reason = said(given->reason, Wanted::no);
        if (!reason) return fail(reason.error());
        return act(session, "Pause", {given->scope, *reason}, "Paused " + in_words(given->scope) + ". Runs under way go on.");
    });

    const auto resume = app.add("resume", "Take a pause back");
    resume.option("SCOPE", given->scope, scope_text);
    resume.does([&session, given]() -> Status {
        return act(session, "Resume", {given->scope}, "Resumed " + in_words(given->scope) + ".");
    });
}

}  // namespace orchd::orchctl
