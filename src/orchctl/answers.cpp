#include "orchctl/answers.h"

#include <boost/json.hpp>

#include "host/host.h"

namespace orchd::orchctl {
namespace {

Paint of_job(const std::string& status) {
    if (status == "running" || status == "stopping") return Paint::green;
    if (status == "failed") return Paint::red;
    return status == "queued" ? Paint::none : Paint::dim;
}

std::string state(const Record& task) {
    if (const auto& hold = task.text("hold"); !hold.empty() && hold != "none") return hold;
    return task.flag("paused") ? "paused" : "";
}

}  // namespace

void say_done(Session& session, const std::string& done) {
    if (session.json) return session.document(boost::json::object{{"done", true}});
    session.line(done);
}

Status act(Session& session, std::string_view method, const std::vector<Argument>& arguments, const std::string& done) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    if (auto acted = client->act(method, arguments); !acted) return acted;
    say_done(session, done);
    return {};
}

Table task_table(const Records& tasks) {
    const auto now = host::now().utc_ms;
    Table table({{"WORK-ITEM"}, {"PROJECT"}, {"STAGE"}, {"STATE"}, {"AGE", Align::right}, {"TITLE"}, {"WHY"}});
    for (const auto& task : tasks) {
        const auto colour = task.flag("needs_you") ? Paint::yellow : Paint::none;
        table.add({{task.text("work_item"), colour},
                   task.text("project"),
                   task.text("stage"),
                   {state(task), Paint::red},
                   age(task.number("updated_at"), now),
                   task.text("title"),
                   task.text("why")});
    }
    return table;
}

Table job_table(const Records& jobs) {
    const auto now = host::now().utc_ms;
    Table table(
        {{"JOB", Align::right}, {"WORK-ITEM"}, {"ROLE"}, {"STATUS"}, {"TRY", Align::right}, {"RAN", Align::right}, {"NOTE"}});
    for (const auto& job : jobs) {
        const auto& status = job.text("status");
        const auto started = job.number("started_at");
        const auto finished = job.number("finished_at");
        std::string note = job.text("error");
        if (note.empty()) note = job.flag("blocked") ? "waits for a pause, a hold or another task" : job.text("exit");
        table.add({std::to_string(job.number("id")),
                   job.text("work_item"),
                   job.text("role"),
                   {status, of_job(status)},
                   std::to_string(job.number("attempts")) + "/" + std::to_string(job.number("max_attempts")),
                   age(started, finished != 0 ? finished : now),
                   note});
    }
    return table;
}

Result<boost::json::object> ask_story(Client& client, std::string_view method, const std::vector<Argument>& arguments) {
    const auto text = client.text(method, arguments);
    if (!text) return fail(text.error());
    boost::system::error_code error;
    auto value = boost::json::parse(*text, error);
    if (error || !value.is_object()) return fail(Errc::internal, "orchd-control answered no JSON object.");
    return std::move(value.get_object());
}

}  // namespace orchd::orchctl
