#include "orchctl/task_story.h"

#include <boost/json.hpp>

#include "host/host.h"
#include "orchctl/answers.h"
#include "orchctl/events.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

void fact(Session& session, const std::string& name, const std::string& text) {
    if (text.empty()) return;
    session.line(coloured(name + ":", Paint::dim, session.colours()) +
                 std::string(name.size() < 10 ? 10 - name.size() : 1, ' ') + printable(text));
}

std::string retries(const json::object& story) {
    std::string text;
    if (const auto* counters = member(story, "retries").if_object()) {
        for (const auto& [name, value] : *counters) {
            if (value.is_int64() && value.get_int64() != 0) {
                text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(value.get_int64());
            }
        }
    }
    return text;
}

std::string pause_text(const json::object& story) {
    const auto* pause = member(story, "paused").if_object();
    if (pause == nullptr) return {};
    const auto record = record_of(*pause);
    return "since " + local_time(record.number("at")) + " by " + record.text("by") + ": " + record.text("reason");
}

std::string needs(const json::object& story) {
    std::string text;
    if (const auto* list = member(story, "needs").if_array()) {
        for (const auto& item : *list) {
            if (item.is_string()) text += (text.empty() ? "" : ", ") + std::string(item.get_string());
        }
    }
    return text;
}

void tell_verdicts(Session& session, const json::object& story) {
    Table table({{"WHEN"}, {"GATE"}, {"COLOUR"}, {"BY"}, {"REASON"}});
    for (const auto& verdict : records_of(member(story, "verdicts"))) {
        const auto& text = verdict.text("colour");
        const auto colour = text == "green" ? Paint::green : text == "red" ? Paint::red : Paint::yellow;
        table.add({local_time(verdict.number("at")),
                   verdict.text("gate"),
                   {text, colour},
                   verdict.text("by"),
                   verdict.text("reason")});
    }
    if (table.empty()) return;
    session.heading("Verdicts");
    session.table(table);
}

void tell_jobs(Session& session, const json::object& story, const std::string& work_item) {
    Records jobs;
    const auto* list = member(story, "jobs").if_array();
    for (const auto& item : list != nullptr ? *list : json::array()) {
        const auto* object = item.if_object();
        if (object == nullptr) continue;
        jobs.push_back(record_of(*object));
        jobs.back().add("work_item", work_item);
        const auto* runs = member(*object, "runs").if_array();
        const auto* run = runs == nullptr || runs->empty() ? nullptr : runs->back().if_object();
        const auto* exit = run == nullptr ? nullptr : member(*run, "exit").if_object();
        if (exit == nullptr) continue;
        const auto record = record_of(*exit);
        jobs.back().add("exit", record.text("kind") + " " + std::to_string(record.number("status")));
    }
    if (jobs.empty()) return;
    session.heading("Jobs");
    session.table(job_table(jobs));
}

void tell_events(Session& session, const json::object& story) {
    const auto* list = member(story, "events").if_array();
    if (list == nullptr || list->empty()) return;
    session.heading("History");
    for (const auto& item : *list) {
        const auto* object = item.if_object();
        if (object == nullptr) continue;
        auto event = record_of(*object);
        if (const auto* data = member(*object, "data").if_object()) event.add("data", json::serialize(*data));
        session.line(event_line(event, session.colours()));
    }
}

}  // namespace

void tell_task(Session& session, const json::object& story) {
    const auto task = record_of(story);
    const auto& work_item = task.text("work_item");
    session.line(coloured(work_item, Paint::bold, session.colours()) + "  " + printable(task.text("title")));
    fact(session, "Project", task.text("project"));
    fact(session, "Stage",
         task.text("stage") + ", step " + std::to_string(task.number("stage_seq")) + ", since " +
             local_time(task.number("updated_at")));
    fact(session, "Priority", std::to_string(task.number("priority")));
    fact(session, "Branch", task.text("branch"));
    fact(session, "Head", task.text("head"));
    fact(session, "Merged", task.text("merged"));
    if (task.text("hold") != "none") fact(session, "Held", task.text("hold") + ": " + task.text("hold_reason"));
    fact(session, "Paused", pause_text(story));
    fact(session, "Needs", needs(story));
    fact(session, "Retries", retries(story));
    fact(session, "Why", task.text("why"));
    if (!task.text("command").empty()) fact(session, "Type", task.text("command"));
    if (!task.text("body").empty()) session.line('\n' + printable_lines(task.text("body")));
    tell_jobs(session, story, work_item);
    tell_verdicts(session, story);
    tell_events(session, story);
}

}  // namespace orchd::orchctl
