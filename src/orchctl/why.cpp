#include <boost/json.hpp>
#include <memory>

#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

Status why(Session& session, const std::string& work_item) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto story = ask_story(*client, "GetTask", {work_item});
    if (!story) return fail(story.error());
    if (session.json) {
        boost::json::object answer;
        for (const auto* key : {"work_item", "stage", "why", "command", "needs_you", "claimable", "since", "until", "needs",
                                "lease", "ahead", "settings", "stall"})
            if (const auto* value = story->if_contains(key)) answer[key] = *value;
        session.document(answer);
        return {};
    }
    const auto task = record_of(*story);
    session.line(printable(task.text("why")));
    if (!task.text("command").empty()) session.line("To move it: " + printable(task.text("command")));
    if (const auto& wrong = task.text("settings"); !wrong.empty() && wrong != task.text("why"))
        session.line(printable(wrong) + "; see: orchctl config check");
    return {};
}

}  // namespace

void add_why(Command app, Session& session) {
    const auto work_item = std::make_shared<std::string>();
    const auto command = app.add("why", "Say in one sentence why a task is not moving, and what would move it");
    command.option("WORK-ITEM", *work_item, "The task's work item, such as HELLO-1").required();
    command.does([&session, work_item] { return why(session, *work_item); });
}

}  // namespace orchd::orchctl
