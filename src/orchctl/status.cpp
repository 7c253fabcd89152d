#include <boost/json.hpp>

#include "core/text.h"
#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

struct Overview {
    Records needs_you;
    json::object queue;  // GetQueue's
};

Result<Overview> look() {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    auto needs_you = client->list("ListTasks", {Options{{"needs_you", true}, {"open", true}}}, task_fields());
    if (!needs_you) return fail(needs_you.error());
    auto queue = ask_story(*client, "GetQueue", {});
    if (!queue) return fail(queue.error());
    return Overview{std::move(*needs_you), std::move(*queue)};
}

Record part(const json::object& object, std::string_view key) {
    const auto* inner = member(object, key).if_object();
    return inner == nullptr ? Record() : record_of(*inner);
}

// Deliveries of a project that lead nowhere: of no task.
Records astray_of(const json::object& queue) {
    Records all;
    for (auto& story : records_of(member(queue, "astray")))
        if (!story.text("project").empty()) all.push_back(std::move(story));
    return all;
}

void tell_needs_you(Session& session, const Records& tasks, const Records& astray) {
    if (tasks.empty() && astray.empty()) return session.line("Nothing needs you.");
    session.heading("Needs you");
    for (const auto& story : astray) {
        session.line("  " + coloured(printable(story.text("project")), Paint::yellow, session.colours()) + "  webhooks");
        session.line("    " + printable(story.text("text")));
        session.line("    $ orchctl doctor");
    }
    for (const auto& task : tasks) {
        session.line("  " + coloured(printable(task.text("work_item")), Paint::yellow, session.colours()) + "  " +
                     printable(task.text("stage")) + "  " + printable(task.text("title")));
        session.line("    " + printable(task.text("why")));
        if (!task.text("command").empty()) session.line("    $ " + printable(task.text("command")));
    }
}

void tell_pause(Session& session, const json::object& queue) {
    if (member(queue, "paused").is_null()) return;
    const auto pause = part(queue, "paused");
    session.heading("Paused");
    session.line("  Everything, since " + local_time(pause.number("at")) + " by " + printable(pause.text("by")) + ": " +
                 printable(pause.text("reason")));
    session.line("    $ orchctl resume");
}

void tell_settings(Session& session, const json::object& queue) {
    if (!member(queue, "settings").is_object()) return;
    const auto& settings = member(queue, "settings").get_object();
    const auto& text = part(queue, "settings").text("text");
    const auto& warnings = member(settings, "warnings");
    const bool warned = warnings.is_array() && !warnings.get_array().empty();
    if (text.empty() && !warned) return;
    session.heading("Settings");
    if (!text.empty()) session.line("  " + coloured(printable(text), Paint::red, session.colours()));
    if (warned)
        for (const auto& warning : warnings.get_array()) session.line("  " + printable(std::string(warning.as_string())));
    session.line("    $ orchctl config check");
}

void tell_worker(Session& session, const json::object& queue) {
    const auto worker = part(queue, "worker");
    if (worker.text("problem").empty()) return;
    session.heading("Worker");
    session.line("  " + coloured(printable(worker.text("problem")), Paint::red, session.colours()));
    session.line("    $ systemctl start orchd-worker.service");
}

void tell_disk(Session& session, const json::object& queue) {
    const auto disk = part(queue, "disk");
    if (!disk.flag("low")) return;
    session.heading("Disk");
    session.line("  Nothing is started: " + printable(disk.text("text")));
    session.line("    $ orchctl doctor");
}

void tell_projects(Session& session, const json::object& queue) {
    Table table({{"PROJECT"}, {"OPEN", Align::right}, {"RUNNING", Align::right}, {"QUEUED", Align::right}, {"STATE"}});
    for (const auto& project : records_of(member(queue, "projects"))) {
        const bool paused = project.flag("paused");
        const auto& problem = project.text("problem");
        const std::string stands = project.flag("disabled") ? "disabled: " : "paused: ";
        Cell state(paused ? stands + project.text("pause_reason") : "serves", paused ? Paint::yellow : Paint::none);
        if (!problem.empty()) state = Cell(problem, Paint::red);
        table.add({project.text("name"), std::to_string(project.number("open_tasks")),
                   std::to_string(project.number("running")), std::to_string(project.number("queued")), state});
    }
    if (table.empty()) return session.line("\nNo projects. 'orchctl project add' makes one.");
    session.heading("Projects");
    session.table(table);
}

void tell_jobs(Session& session, const json::object& queue, std::string_view key, const std::string& title) {
    const auto jobs = records_of(member(queue, key));
    if (jobs.empty()) return;
    session.heading(title);
    session.table(job_table(jobs));
}

std::string counts_text(const json::object& queue) {
    const auto counts = part(queue, "counts");
    const auto limits = part(queue, "limits");
    std::string text = std::to_string(counts.number("running")) +
                       " running (limits: " + std::to_string(limits.number("max_concurrency")) + " runs, " +
                       std::to_string(limits.number("max_steps")) + " steps), " + std::to_string(counts.number("queued")) +
                       " queued";
    if (counts.number("blocked") > 0) text += ", of which " + std::to_string(counts.number("blocked")) + " must wait";
    if (counts.number("stopping") > 0) text += ", " + std::to_string(counts.number("stopping")) + " stopping";
    return text;
}

Status status(Session& session) {
    const auto overview = look();
    if (!overview) return fail(overview.error());
    const auto& queue = overview->queue;
    if (session.json) {
        json::object answer{{"needs_you", to_json(overview->needs_you)}};
        for (const auto* key : {"paused", "worker", "settings", "disk", "limits", "counts", "running", "projects", "astray"})
            answer[key] = member(queue, key);
        session.document(answer);
        return {};
    }
    tell_needs_you(session, overview->needs_you, astray_of(queue));
    tell_worker(session, queue);
    tell_pause(session, queue);
    tell_settings(session, queue);
    tell_disk(session, queue);
    tell_jobs(session, queue, "running", "Running");
    tell_projects(session, queue);
    session.line("\n" + counts_text(queue));
    return {};
}

void tell_leases(Session& session, const json::object& queue) {
    Table table({{"LEASE"}, {"KEY"}, {"WORK-ITEM"}, {"SINCE"}});
    for (const auto& [key, name] :
         {std::pair{"transition_lease", "transition"}, {"merge_lease", "merge"}, {"target_lease", "target"}}) {
        for (const auto& lease : records_of(member(queue, key))) {
            table.add({name, lease.text("key"), lease.text("work_item"), local_time(lease.number("acquired_at"))});
        }
    }
    if (table.empty()) return;
    session.heading("Leases");
    session.table(table);
}

std::string reaper_text(const Record& reaper, const json::object& queue) {
    if (!reaper.flag("enabled")) return "off";
    const auto* last = member(queue, "reaper").as_object().if_contains("last_pass");
    if (last == nullptr || !last->is_object()) return "on, no pass yet";
    const auto pass = record_of(last->get_object());
    return "on, last pass " + local_time(pass.number("at")) + " by " + pass.text("by") +
           (pass.text("did").empty() ? "" : ": " + pass.text("did"));
}

std::string maintenance_text(const Record& maintenance, const json::object& queue) {
    if (!maintenance.flag("enabled")) return "off";
    const auto& all = member(queue, "maintenance").as_object();
    const auto* at = all.if_contains("last_at");
    if (at == nullptr || at->is_null()) return "on, no pass yet";
    std::string text = "on, last pass " + local_time(maintenance.number("last_at"));
    const auto* last = all.if_contains("last");
    const auto failures = last != nullptr && last->is_object() ? record_of(last->get_object()).number("failures") : 0;
    return failures == 0 ? text
                         : text + ": " + counted(static_cast<std::size_t>(failures), "part") + " failed, see its journal";
}

// "5 pending, 3 done": every number of the block by its name.
std::string numbers_text(const json::object& block) {
    std::string text;
    for (const auto& [name, value] : block)
        if (value.is_int64() && !name.ends_with("_at"))
            text += (text.empty() ? "" : ", ") + std::to_string(value.get_int64()) + ' ' + std::string(name);
    return text;
}

void tell_systems(Session& session, const json::object& queue) {
    Table table({{"SYSTEM"}, {"STATE"}});
    if (member(queue, "reaper").is_object()) table.add({"reaper", reaper_text(part(queue, "reaper"), queue)});
    if (member(queue, "maintenance").is_object())
        table.add({"maintenance", maintenance_text(part(queue, "maintenance"), queue)});
    for (const auto* key : {"deliveries", "outbox", "counters"})
        if (const auto* block = member(queue, key).if_object(); block != nullptr && !numbers_text(*block).empty())
            table.add({key, numbers_text(*block)});
    if (table.empty()) return;
    session.heading("Systems");
    session.table(table);
}

void tell_dependencies(Session& session, const json::object& queue) {
    Table table({{"WORK-ITEM"}, {"WAITS FOR"}, {"WHICH IS AT"}});
    for (const auto& edge : records_of(member(queue, "task_deps")))
        table.add({edge.text("work_item"), edge.text("needs"), edge.text("needs_stage")});
    if (table.empty()) return;
    session.heading("Dependencies");
    session.table(table);
}

Status queue(Session& session) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto story = ask_story(*client, "GetQueue", {});
    if (!story) return fail(story.error());
    if (session.json) {
        session.document(*story);
        return {};
    }
    session.line(counts_text(*story));
    tell_worker(session, *story);
    tell_pause(session, *story);
    tell_settings(session, *story);
    tell_disk(session, *story);
    tell_jobs(session, *story, "running", "Running");
    tell_jobs(session, *story, "queued", "Queued");
    tell_jobs(session, *story, "recent", "Ended lately");
    tell_leases(session, *story);
    tell_dependencies(session, *story);
    tell_systems(session, *story);
    return {};
}

}  // namespace

void add_status(Command app, Session& session) {
    const auto command = app.add("status", "Show what needs you, what runs, and every project");
    command.does([&session] { return status(session); });
}

void add_queue(Command app, Session& session) {
    const auto command =
        app.add("queue", "Show the queue: what runs, what waits, what ended lately, leases, dependencies, and each system");
    command.does([&session] { return queue(session); });
}

}  // namespace orchd::orchctl
