#include <boost/json.hpp>
#include <map>
#include <memory>
#include <set>

#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

// What each task waits for, in the order of the answer.
using Needs = std::map<std::string, std::vector<const Record*>>;

// One line a task, indented by its depth. What was shown before is not shown again below another.
class Tree {
public:
    Tree(Session& session, const Records& edges) : session_(session) {
        for (const auto& edge : edges) needs_[edge.text("work_item")].push_back(&edge);
    }

    void show(const std::string& root) {
        session_.line(printable(root));
        below(root, 1);
    }

private:
    void below(const std::string& work_item, std::size_t depth) {
        const auto found = needs_.find(work_item);
        if (found == needs_.end() || !shown_.insert(work_item).second) return;
        for (const auto* edge : found->second) {
            const auto& needed = edge->text("needs");
            const auto& stage = edge->text("needs_stage");
            const bool again = shown_.contains(needed) && needs_.contains(needed);
            session_.line(std::string(2 * depth, ' ') + printable(needed) + "  " +
                          coloured(printable(stage), stage == "done" ? Paint::green : Paint::yellow, session_.colours()) +
                          (again ? "  (see above)" : ""));
            below(needed, depth + 1);
        }
    }

    Session& session_;
    Needs needs_;
    std::set<std::string> shown_;
};

// The tasks that no other in the answer waits for.
std::vector<std::string> roots(const Records& edges) {
    std::set<std::string> needed;
    for (const auto& edge : edges) needed.insert(edge.text("needs"));
    std::vector<std::string> found;
    for (const auto& edge : edges) {
        const auto& item = edge.text("work_item");
        if (!needed.contains(item) && (found.empty() || found.back() != item)) found.push_back(item);
    }
    return found;
}

// As the task was made: HELLO-01 is HELLO-1, and every answer names it so.
Result<std::string> name_of(Client& client, const std::string& work_item) {
    const auto story = ask_story(client, "GetTask", {work_item});
    if (!story) return fail(story.error());
    return record_of(*story).text("work_item");
}

Status change(Session& session, const char* method, const std::string& verb, const std::string& work_item,
              const std::string& needs) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto task = name_of(*client, work_item);
    if (!task) return fail(task.error());
    const auto needed = name_of(*client, needs);
    if (!needed) return fail(needed.error());
    return act(session, method, {*task, *needed}, *task + ' ' + verb + ' ' + *needed + '.');
}

Status tree(Session& session, const std::string& given) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto work_item = given.empty() ? Result<std::string>() : name_of(*client, given);
    if (!work_item) return fail(work_item.error());
    Options filter{{"limit", std::uint64_t{10'000}}};
    if (!work_item->empty()) filter.emplace_back("work_item", *work_item);
    const auto edges = client->list("ListDependencies", {filter}, dependency_fields());
    if (!edges) return fail(edges.error());
    if (session.json) {
        session.document(to_json(*edges));
        return {};
    }
    if (edges->empty()) {
        session.line(work_item->empty() ? "No task waits for another." : *work_item + " waits for no other task.");
        return {};
    }
    Tree shown(session, *edges);
    for (const auto& root : work_item->empty() ? roots(*edges) : std::vector{*work_item}) shown.show(root);
    return {};
}

}  // namespace

void add_dep(Command app, Session& session) {
    struct Given {
        std::string work_item, needs;
    };
    const auto dep = app.family("dep", "Dependencies: which task waits for which");

    const auto given = std::make_shared<Given>();
    const auto add = [&](const char* name, const char* text, const char* method, const char* verb) {
        const auto command = dep.add(name, text);
        command.option("WORK-ITEM", given->work_item, "The task that waits").required();
        command.option("NEEDS", given->needs, "The work item that it waits for").required();
        command.does([&session, given, method, verb] { return change(session, method, verb, given->work_item, given->needs); });
    };
    add("add", "Let a task wait until another is done", "AddDependency", "waits for");
    add("remove", "Let it wait no longer", "RemoveDependency", "no longer waits for");

    const auto root = std::make_shared<std::string>();
    const auto shown = dep.add("tree", "Show what tasks wait for, and what those wait for");
    shown.option("WORK-ITEM", *root, "Of this task; of every open one where it is left out");
    shown.does([&session, root] { return tree(session, *root); });
}

}  // namespace orchd::orchctl
