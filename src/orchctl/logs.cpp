#include <unistd.h>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

#include "core/names.h"
#include "core/work_item.h"
#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

struct Given {
    std::string what, lines;
    bool follow = false;
};

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < 19 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What the journal says of the job: our own words carry ORCHD_JOB=, a run's output only the invocation of its unit.
Result<std::vector<std::string>> job_matches(Client& client, const std::string& id) {
    std::vector<std::string> matches{"ORCHD_JOB=" + id};
    const auto job = client.properties(std::string(names::bus_path) + "/job/" + id, names::job_interface);
    if (!job)
        return fail(job.error().code == Errc::no_such ? Error{Errc::no_such, "There is no job " + id + "."} : job.error());
    const auto task = ask_story(client, "GetTask", {job->text("work_item")});
    if (!task) return fail(task.error());
    const auto* jobs = task->if_contains("jobs");
    for (const auto& item : jobs != nullptr && jobs->is_array() ? jobs->get_array() : json::array()) {
        const auto* object = item.if_object();
        if (object == nullptr || std::to_string(record_of(*object).number("id")) != id) continue;
        const auto* runs = object->if_contains("runs");
        for (const auto& run : runs != nullptr ? records_of(*runs) : Records()) {
            if (run.text("invocation_id").empty()) continue;
            matches.insert(matches.end(), {"+", "_SYSTEMD_INVOCATION_ID=" + run.text("invocation_id")});
        }
    }
    return matches;
}

Result<std::vector<std::string>> matches_of(const std::string& what) {
    auto client = Client::connect();
    if (is_number(what)) {
        if (!client) return fail(client.error());
        return job_matches(*client, what);
    }
    const auto work_item = WorkItem::parse(what);
    if (!work_item) return fail(work_item.error());
    // The journal outlives the service: only a clear "no such task" stops here.
    if (client) {
        const auto task = client->text("GetTask", {what});
        if (!task && task.error().code == Errc::no_such) return fail(task.error());
    }
    return std::vector<std::string>{"ORCHD_TASK=" + what};
}

// Replaces this process by journalctl.
Status logs(const Session& session, const Given& given) {
    const auto matches = matches_of(given.what);
    if (!matches) return fail(matches.error());
    std::vector<std::string> words{"journalctl"};
    if (session.json) words.emplace_back("--output=json");
    if (session.no_pager || session.json) words.emplace_back("--no-pager");
    if (given.follow) words.emplace_back("--follow");
    if (!given.lines.empty()) words.push_back("--lines=" + given.lines);
    words.insert(words.end(), matches->begin(), matches->end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    return fail(Errc::unavailable, std::string("journalctl cannot be run: ") + std::strerror(errno) + ".");
}

}  // namespace

void add_logs(Command app, Session& session) {
    const auto given = std::make_shared<Given>();
    const auto command = app.add("logs", "Show what the journal holds of a task or a job, by journalctl");
    command.option("WORK-ITEM|JOB", given->what, "A work item such as HELLO-1, or a job's number").required();
    command.flag("-f,--follow", given->follow, "Go on with what is written from now on");
    command.option("-n,--lines", given->lines, "Only so many of the newest lines, or 'all'");
    command.does([&session, given] { return logs(session, *given); });
}

}  // namespace orchd::orchctl
