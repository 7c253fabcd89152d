#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "core/names.h"
#include "core/work_item.h"
#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"
#include "orchctl/journal.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

struct LogsOptions {
    std::string what, lines;
    bool follow = false;
};

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < 19 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct RunOf {
    std::int64_t run = 0, job = 0;
    std::string role, commit;
};

// Whose words a unit's output are: by the invocation of the unit, as the task's story tells of its runs.
class Runs {
public:
    Runs(Client* client, std::string work_item) : client_(client), work_item_(std::move(work_item)) {}

    // Nothing for what is no run of the task, or of one that nobody knows yet. Asks anew for each invocation once.
    const RunOf* find(const std::string& invocation) {
        if (const auto known = runs_.find(invocation); known != runs_.end()) return &known->second;
        if (invocation.empty() || client_ == nullptr || !asked_.insert(invocation).second) return nullptr;
        (void)ask();  // who cannot be asked leaves the words without a name
        const auto known = runs_.find(invocation);
        return known == runs_.end() ? nullptr : &known->second;
    }
    // As the run's own first line says it, before it is known by its invocation.
    void learn(const std::string& invocation, const RunOf& run) { runs_.try_emplace(invocation, run); }

    Status ask() {
        const auto story = ask_story(*client_, "GetTask", {work_item_});
        if (!story) return fail(story.error());
        work_item_ = record_of(*story).text("work_item");
        const auto* jobs = member(*story, "jobs").if_array();
        for (const auto& item : jobs != nullptr ? *jobs : json::array()) {
            const auto* object = item.if_object();
            if (object == nullptr) continue;
            const auto job = record_of(*object);
            for (const auto& run : records_of(member(*object, "runs")))
                if (const auto& invocation = run.text("invocation_id"); !invocation.empty())
                    runs_[invocation] = {run.number("id"), job.number("id"), job.text("role"), run.text("head_before")};
        }
        return {};
    }
    [[nodiscard]] const std::string& work_item() const { return work_item_; }  // as it is on record, once it was asked for
    [[nodiscard]] std::vector<std::string> invocations_of(std::int64_t job) const {
        std::vector<std::string> found;
        for (const auto& [invocation, run] : runs_)
            if (run.job == job) found.push_back(invocation);
        return found;
    }

private:
    Client* client_;
    std::string work_item_;
    std::map<std::string, RunOf> runs_;
    std::set<std::string> asked_;
};

// "orchd: run 17, developer, commit 0123…", with which each run's output begins.
std::optional<RunOf> first_line(const std::string& message) {
    constexpr std::string_view begin = "orchd: run ", middle = ", commit ";
    if (!message.starts_with(begin)) return std::nullopt;
    const auto comma = message.find(", ", begin.size());
    const auto commit = message.find(middle, begin.size());
    if (comma == std::string::npos || commit == std::string::npos || commit <= comma) return std::nullopt;
    const auto number = message.substr(begin.size(), comma - begin.size());
    if (!is_number(number)) return std::nullopt;
    return RunOf{std::stoll(number), 0, message.substr(comma + 2, commit - comma - 2), message.substr(commit + middle.size())};
}

// Shows records as they come.
class Teller {
public:
    Teller(Session& session, Runs& runs) : session_(session), runs_(runs) {}

    void tell(json::object record) {
        const auto invocation = field_of(record, "_SYSTEMD_INVOCATION_ID");
        const auto message = field_of(record, "MESSAGE");
        const auto unit = field_of(record, "_SYSTEMD_UNIT");
        const bool of_run =
            unit.starts_with(std::string(names::agent) + '@') || unit.starts_with(std::string(names::deploy) + '@');
        bool first = false;
        if (of_run && begun_.insert(invocation).second) {
            first = true;
            // Only the first line is the launcher's: what comes later, its command may have said.
            if (const auto said = first_line(message)) runs_.learn(invocation, *said);
        }
        const auto* run = of_run ? runs_.find(invocation) : nullptr;
        if (session_.json) return tell_json(std::move(record), run);
        if (first && run != nullptr && !first_line(message)) heading(*run);
        const auto at = field_of(record, "__REALTIME_TIMESTAMP");
        const auto who = run != nullptr ? run->role + ' ' + std::to_string(run->run) : field_of(record, "SYSLOG_IDENTIFIER");
        session_.line(coloured(local_time(is_number(at) ? std::stoll(at) / 1000 : 0), Paint::dim, session_.colours()) + "  " +
                      coloured(printable(who), run != nullptr ? Paint::bold : Paint::dim, session_.colours()) + "  " +
                      printable_lines(message));
    }

private:
    void heading(const RunOf& run) {
        session_.line(coloured("run " + std::to_string(run.run) + ", " + run.role + ", commit " + run.commit, Paint::bold,
                               session_.colours()));
    }

    void tell_json(json::object record, const RunOf* run) {
        if (run != nullptr) {
            record["ORCHD_RUN"] = std::to_string(run->run);
            record["ORCHD_ROLE"] = run->role;
            if (run->job != 0) record["ORCHD_JOB"] = std::to_string(run->job);
        }
        session_.document(record);
    }

    Session& session_;
    Runs& runs_;
    std::set<std::string> begun_;
};

// The job's task; our own words carry ORCHD_JOB=, a run's output only the invocation of its unit.
Result<std::string> task_of_job(Client& client, const std::string& id) {
    const auto job = client.properties(std::string(names::bus_path) + "/job/" + id, names::job_interface);
    if (!job)
        return fail(job.error().code == Errc::no_such ? Error{Errc::no_such, "There is no job " + id + "."} : job.error());
    return job->text("work_item");
}

Status tell(Session& session, const LogRequest& request, Runs& runs) {
    auto journal = Journal::open(request);
    if (!journal) return fail(journal.error());
    Teller teller(session, runs);
    // What a pager will show is gathered; everything else leaves as soon as nothing more is there.
    const bool at_once = request.follow || session.json || session.no_pager;
    for (;;) {
        auto record = journal->next();
        if (!record) return fail(record.error());
        if (!*record) return {};
        teller.tell(std::move(**record));
        if (!at_once || journal->ready()) continue;
        const auto read = session.flush();
        if (!read) return fail(read.error());
        if (!*read) return {};  // nobody reads any more
    }
}

Status logs(Session& session, const LogsOptions& given) {
    LogRequest request{.lines = given.lines, .follow = given.follow};
    if (!given.lines.empty() && given.lines != "all" && !is_number(given.lines))
        return fail(Errc::invalid_argument, "--lines is a number, or all.");
    auto client = Client::connect();
    if (is_number(given.what)) {
        if (!client) return fail(client.error());
        auto task = task_of_job(*client, given.what);
        if (!task) return fail(task.error());
        request.work_item = *task;
        request.job = std::stoll(given.what);
    } else {
        const auto work_item = WorkItem::parse(given.what);
        if (!work_item) return fail(work_item.error());
        request.work_item = given.what;
    }
    Runs runs(client ? &*client : nullptr, request.work_item);
    // The journal outlives the service: only a clear "no such task" stops here.
    if (client) {
        if (auto asked = runs.ask(); !asked && asked.error().code == Errc::no_such) return asked;
        request.work_item = runs.work_item();
    }
    if (request.job != 0) request.invocations = runs.invocations_of(request.job);
    return tell(session, request, runs);
}

}  // namespace

void add_logs(Command app, Session& session) {
    const auto given = std::make_shared<LogsOptions>();
    const auto command = app.add("logs", "Show what the journal holds of a task or a job");
    command.option("WORK-ITEM|JOB", given->what, "A work item such as HELLO-1, or a job's number").required();
    command.flag("-f,--follow", given->follow, "Go on with what is written from now on");
    command.option("-n,--lines", given->lines, "Only so many of the newest lines, or 'all'");
    command.does([&session, given] { return logs(session, *given); });
}

}  // namespace orchd::orchctl
