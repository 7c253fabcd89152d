#include <boost/json.hpp>
#include <memory>

#include "core/names.h"
#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

struct JobFilter {
    std::string project, work_item, status;
    bool live = false;
    std::uint64_t limit = 50;
};

Status list_jobs(Session& session, const JobFilter& given) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    Options filter{{"limit", given.limit}};
    if (!given.project.empty()) filter.emplace_back("project", given.project);
    if (!given.work_item.empty()) filter.emplace_back("work_item", given.work_item);
    if (!given.status.empty()) filter.emplace_back("status", given.status);
    if (given.live) filter.emplace_back("live", true);
    const auto jobs = client->list("ListJobs", {filter}, job_fields());
    if (!jobs) return fail(jobs.error());
    if (session.json) {
        session.document(to_json(*jobs));
    } else if (jobs->empty()) {
        session.line("No jobs.");
    } else {
        session.table(job_table(*jobs));
    }
    return {};
}

Status show(Session& session, std::uint64_t id) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto job = client->properties(std::string(names::bus_path) + "/job/" + std::to_string(id), names::job_interface);
    if (!job) {
        if (job.error().code != Errc::no_such) return fail(job.error());
        return fail(Errc::no_such, "There is no job " + std::to_string(id) + ": 'orchctl job list' shows what there is.");
    }
    if (session.json) {
        session.document(to_json(*job));
        return {};
    }
    Table table({{"PROPERTY"}, {"VALUE"}});
    for (const auto& [name, value] : job->values()) {
        std::string text = job->text(name);
        if (std::holds_alternative<std::int64_t>(value)) {
            text = name.ends_with("_at") ? local_time(job->number(name)) : std::to_string(job->number(name));
        }
        if (std::holds_alternative<bool>(value)) text = job->flag(name) ? "yes" : "no";
        table.add({name, text});
    }
    session.table(table);
    return {};
}

}  // namespace

void add_job(Command app, Session& session) {
    const auto job = app.family("job", "Jobs: queued and running pieces of work");

    const auto filter = std::make_shared<JobFilter>();
    const auto listing = job.add("list", "List jobs, the newest first");
    listing.option("--project", filter->project, "Only of this project");
    listing.option("--task", filter->work_item, "Only of this work item");
    listing.option("--status", filter->status, "Only queued, running, stopping, done, failed or cancelled ones");
    listing.flag("--live", filter->live, "Only queued, running and stopping ones");
    listing.option("--limit", filter->limit, "At most so many; 50 where it is left out").between(1, 10000);
    listing.does([&session, filter] { return list_jobs(session, *filter); });

    const auto id = std::make_shared<std::uint64_t>();
    const auto add = [&](const char* name, const char* text, std::function<Status()> command) {
        const auto added = job.add(name, text);
        added.option("JOB", *id, "The job's number").required();
        added.does(std::move(command));
    };
    add("show", "Show everything about a job", [&session, id] { return show(session, *id); });
    add("cancel", "Stop a job, or take it out of the queue",
        [&session, id] { return act(session, "CancelJob", {*id}, "Cancelled job " + std::to_string(*id) + "."); });
    add("retry", "Do the work of a failed or cancelled job again",
        [&session, id] { return act(session, "RetryJob", {*id}, "Retrying job " + std::to_string(*id) + "."); });
}

}  // namespace orchd::orchctl
