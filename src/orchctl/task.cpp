#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "core/work_item.h"
#include "orchctl/answers.h"
#include "orchctl/commands.h"
#include "orchctl/reason.h"
#include "orchctl/task_story.h"

namespace orchd::orchctl {
namespace {

struct NewTask {
    std::string work_item, title, project, body, body_file;
    std::uint64_t priority = 5;
};
struct TaskFilter {
    std::string project, stage;
    bool open = false, needs_you = false;
    std::uint64_t limit = 1000;
};

// Of what is given as a text, as a file, or not at all.
template <class Given>
Result<std::string> body_of(const Given& task, const std::string& otherwise) {
    if (task.body_file.empty()) return otherwise;
    if (task.body_file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::ifstream in(task.body_file);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in) return fail(Errc::no_such, task.body_file + " cannot be read.");
    return text;
}

// The project whose prefix the work item has, as the service knows it.
Result<std::string> project_of(Client& client, const std::string& work_item) {
    const auto parsed = WorkItem::parse(work_item);
    if (!parsed) return fail(parsed.error());
    auto projects = client.list("ListProjects", {}, project_fields());
    if (!projects) return fail(projects.error());
    for (const auto& project : *projects) {
        if (project.text("prefix") == parsed->prefix()) return project.text("name");
    }
    return fail(Errc::no_such,
                "No project has the prefix " + std::string(parsed->prefix()) + ": 'orchctl project list' shows what there is.");
}

Status create(Session& session, NewTask task) {
    const auto body = body_of(task, task.body);
    if (!body) return fail(body.error());
    auto client = Client::connect();
    if (!client) return fail(client.error());
    if (task.project.empty()) {
        auto project = project_of(*client, task.work_item);
        if (!project) return fail(project.error());
        task.project = *project;
    }
    Options options{{"priority", task.priority}};
    if (!body->empty()) options.emplace_back("body", *body);
    const auto path = client->text("CreateTask", {task.project, task.work_item, task.title, options});
    if (!path) return fail(path.error());
    if (session.json) {
        session.document(boost::json::object{{"work_item", task.work_item}, {"project", task.project}, {"path", *path}});
    } else {
        session.line("Created " + task.work_item + " in " + task.project + ". 'orchctl task show " + task.work_item +
                     "' shows where it stands, 'orchctl logs -f " + task.work_item + "' what it does.");
    }
    return {};
}

Status list_tasks(Session& session, const TaskFilter& given) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    Options filter{{"limit", given.limit}};
    if (!given.project.empty()) filter.emplace_back("project", given.project);
    if (!given.stage.empty()) filter.emplace_back("stage", given.stage);
    if (given.open) filter.emplace_back("open", true);
    if (given.needs_you) filter.emplace_back("needs_you", true);
    const auto tasks = client->list("ListTasks", {filter}, task_fields());
    if (!tasks) return fail(tasks.error());
    if (session.json) {
        session.document(to_json(*tasks));
    } else if (tasks->empty()) {
        session.line("No tasks. 'orchctl task create WORK-ITEM TITLE' makes one.");
    } else {
        session.table(task_table(*tasks));
    }
    return {};
}

Status show(Session& session, const std::string& work_item) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto story = ask_story(*client, "GetTask", {work_item});
    if (!story) return fail(story.error());
    if (session.json) {
        session.document(*story);
    } else {
        tell_task(session, *story);
    }
    return {};
}

// A verb that takes a work item and, where `reason_text` is not null, a reason.
struct Verb {
    const char* name;
    const char* method;
    const char* text;
    const char* done;
    const char* reason_text;
    Wanted reason;
};
constexpr Verb verbs[] = {
    {"approve", "Approve", "Approve the analysis that waits for a human", "Approved", nullptr, Wanted::no},
    {"reject", "Reject", "Reject the analysis that waits for a human; the analyst works again", "Rejected",
     "What is wrong, for the analyst", Wanted::yes},
    {"cancel", "Cancel", "Stop what runs for the task and end it", "Cancelled", "Why, for its history", Wanted::no},
    {"retry", "Retry", "Clear the hold and the counters and work the present stage again", "Retrying", nullptr, Wanted::no},
    {"release", "ReleaseHold", "Clear the hold alone and look at the gate again", "Released", nullptr, Wanted::no},
};

void add_verb(Command task, Session& session, const Verb& verb) {
    struct Given {
        std::string work_item;
        Reason reason;
    };
    const auto given = std::make_shared<Given>();
    const auto command = task.add(verb.name, verb.text);
    command.option("WORK-ITEM", given->work_item, "The task's work item, such as HELLO-1").required();
    if (verb.reason_text != nullptr) {
        take_reason(command, given->reason, verb.reason_text);
    }
    command.does([&session, given, verb]() -> Status {
        std::vector<Argument> arguments{given->work_item};
        if (verb.reason_text != nullptr) {
            const auto reason = said(given->reason, verb.reason);
            if (!reason) return fail(reason.error());
            arguments.emplace_back(*reason);
        }
        return act(session, verb.method, arguments, std::string(verb.done) + " " + given->work_item + ".");
    });
}

struct Edit {
    std::string work_item, body_file;
    std::optional<std::string> title, body;
    std::optional<std::uint64_t> priority;
};

Status edit(Session& session, const Edit& given) {
    Options changes;
    if (given.title) changes.emplace_back("title", *given.title);
    if (given.body || !given.body_file.empty()) {
        const auto body = body_of(given, given.body.value_or(""));
        if (!body) return fail(body.error());
        changes.emplace_back("body", *body);
    }
    if (given.priority) changes.emplace_back("priority", *given.priority);
    if (changes.empty())
        return fail(Errc::invalid_argument, "Nothing to change: give --title, --body, --body-file or --priority.");
    return act(session, "EditTask", {given.work_item, changes},
               "Changed " + given.work_item + ": it holds for the runs that begin from now on.");
}

void add_edit(Command task, Session& session) {
    const auto given = std::make_shared<Edit>();
    const auto command = task.add("edit", "Say anew what is to be done, for the runs that begin from now on");
    command.option("WORK-ITEM", given->work_item, "The task's work item, such as HELLO-1").required();
    command.option("--title", given->title, "One line");
    const auto body = command.option("--body", given->body, "What is to be done, for the agents");
    command.option("--body-file", given->body_file, "The same, from a file; - is standard input").excludes(body);
    command.option("--priority", given->priority, "0 to 9, higher first; of its queued jobs too").between(0, 9);
    command.does([&session, given] { return edit(session, *given); });
}

void add_back(Command task, Session& session) {
    struct Given {
        std::string work_item, to;
        Reason reason;
    };
    const auto given = std::make_shared<Given>();
    const auto command =
        task.add("back", "Have the task worked anew from a stage on that it has reached; the next run reads why");
    command.option("WORK-ITEM", given->work_item, "The task's work item, such as HELLO-1").required();
    command.option("--to", given->to, "The stage: analysis, architecture, development, review, testing or deploy-staging")
        .required();
    take_reason(command, given->reason, "What is wrong, for the next run");
    command.does([&session, given]() -> Status {
        const auto reason = said(given->reason, Wanted::yes);
        if (!reason) return fail(reason.error());
        return act(session, "SendBack", {given->work_item, given->to, *reason},
                   given->work_item + " is worked anew from " + given->to + " on.");
    });
}

void add_create(Command task, Session& session) {
    const auto given = std::make_shared<NewTask>();
    const auto command = task.add("create", "Make a task of a work item and start its analysis");
    command.option("WORK-ITEM", given->work_item, "Its id, with the project's prefix, such as HELLO-1").required();
    command.option("TITLE", given->title, "One line").required();
    command.option("--project", given->project, "Its project; the one that owns the prefix where it is left out");
    const auto body = command.option("--body", given->body, "What is to be done, for the agents");
    command.option("--body-file", given->body_file, "The same, from a file; - is standard input").excludes(body);
    command.option("--priority", given->priority, "0 to 9, higher first; 5 where it is left out").between(0, 9);
    command.does([&session, given] { return create(session, *given); });
}

void add_list(Command task, Session& session) {
    const auto given = std::make_shared<TaskFilter>();
    const auto command = task.add("list", "List tasks");
    command.option("--project", given->project, "Only of this project");
    command.option("--stage", given->stage, "Only in this stage");
    command.flag("--open", given->open, "Only those neither done nor cancelled");
    command.flag("--needs-you", given->needs_you, "Only those that wait for a human");
    command.option("--limit", given->limit, "At most so many").between(1, 10000);
    command.does([&session, given] { return list_tasks(session, *given); });
}

}  // namespace

void add_task(Command app, Session& session) {
    const auto task = app.family("task", "Tasks: one for each work item");
    add_list(task, session);
    const auto work_item = std::make_shared<std::string>();
    const auto command = task.add("show", "Show a task: where it stands and why, its jobs, verdicts and history");
    command.option("WORK-ITEM", *work_item, "The task's work item, such as HELLO-1").required();
    command.does([&session, work_item] { return show(session, *work_item); });
    add_create(task, session);
    add_edit(task, session);
    add_back(task, session);
    for (const auto& verb : verbs) add_verb(task, session, verb);
}

}  // namespace orchd::orchctl
