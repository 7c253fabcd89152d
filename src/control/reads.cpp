#include "control/reads.h"

#include <algorithm>
#include <array>
#include <map>

#include "engine/operation.h"
#include "engine/why.h"
#include "store/deliveries.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/tasks.h"
#include "views/views.h"

namespace orchd::control {
namespace {

using Kind = OptionRow::Kind;
constexpr std::array task_filter{OptionRow{"project", Kind::text}, OptionRow{"stage", Kind::text},
                                 OptionRow{"open", Kind::flag}, OptionRow{"needs_you", Kind::flag},
                                 OptionRow{"limit", Kind::number}};
constexpr std::array job_filter{OptionRow{"project", Kind::text}, OptionRow{"work_item", Kind::text},
                                OptionRow{"status", Kind::text}, OptionRow{"live", Kind::flag},
                                OptionRow{"limit", Kind::number}};
constexpr std::array dependency_filter{OptionRow{"work_item", Kind::text}, OptionRow{"unmet", Kind::flag},
                                       OptionRow{"limit", Kind::number}};
constexpr std::array delivery_filter{OptionRow{"state", Kind::text}, OptionRow{"before", Kind::number},
                                     OptionRow{"limit", Kind::number}};
constexpr std::array event_filter{OptionRow{"work_item", Kind::text}, OptionRow{"after", Kind::number},
                                  OptionRow{"limit", Kind::number}};
constexpr const char* task_row = "sssstsbbusstto";
constexpr const char* job_row = "tsssssbuuutssstttto";
constexpr const char* project_row = "ssssbsttts";
constexpr const char* event_row = "ttsstss";
constexpr const char* delivery_row = "tsstss";
constexpr const char* lease_row = "sssstsstso";
constexpr const char* dependency_row = "ssss";

// Fills the reply's one array of structures.
template <class Rows, class Append>
Status fill(sd_bus_message* reply, const char* row, const Rows& rows, Append append) {
    const std::string element = "(" + std::string(row) + ")";
    auto opened = checked(sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, element.c_str()), "answering");
    if (!opened) return opened;
    for (const auto& each : rows) {
        auto begun = checked(sd_bus_message_open_container(reply, SD_BUS_TYPE_STRUCT, row), "answering");
        if (!begun) return begun;
        if (Status appended = append(each); !appended) return appended;
        auto ended = checked(sd_bus_message_close_container(reply), "answering");
        if (!ended) return ended;
    }
    return checked(sd_bus_message_close_container(reply), "answering");
}

// A word of one of the tables, named in an option; nothing where the option was not given.
template <class E>
Result<std::optional<E>> word(const Options& options, std::string_view key) {
    const std::string text = options.text(key);
    if (text.empty()) return std::nullopt;
    if (const auto value = from_text<E>(text)) return value;
    std::string known;
    for (const auto name : enum_text<E>) known += (known.empty() ? "" : ", ") + std::string(name);
    return fail(Errc::invalid_argument, "'" + utf8(text) + "' is no " + std::string(key) + ": known are " + known);
}

Result<std::optional<std::int64_t>> task_named(store::Db& db, const std::string& work_item) {
    if (work_item.empty()) return std::nullopt;
    return engine::known_task(db, work_item).map([](const store::Task& task) { return std::optional(task.id); });
}

Status append_task(const engine::WorldView& view, const store::Task& task, const engine::HostView& host,
                   sd_bus_message* reply) {
    const auto around = engine::look_around(view, task);
    if (!around) return fail(around.error());
    const auto why = engine::why(task, *around, host);
    return checked(
        sd_bus_message_append(reply, task_row, task.work_item.c_str(), utf8(task.project).c_str(), utf8(task.title).c_str(),
                              std::string(to_text(task.stage)).c_str(), task.stage_seq, std::string(to_text(task.hold)).c_str(),
                              task.paused_at.has_value(), why.needs_you, task.priority, utf8(why.text).c_str(),
                              utf8(why.command).c_str(), task.created_at, task.updated_at, task_path(task.work_item).c_str()),
        "answering");
}

// Reads the options of a list, and answers from one snapshot: `list(db, options, limit)`.
template <class Known, class List>
Status list_by(engine::World& world, sd_bus_message* call, const Known& known, List&& list) {
    const auto options = Options::read(call, known);
    if (!options) return fail(options.error());
    const auto limit = limit_of(*options);
    if (!limit) return fail(limit.error());
    return world.db.read([&](store::Db& db) -> Status { return list(db, *options, *limit); });
}

Status list_tasks(engine::World& world, sd_bus_message* call, sd_bus_message* reply) {
    return list_by(world, call, task_filter, [&](store::Db& db, const Options& options, int limit) -> Status {
        const auto stage = word<Stage>(options, "stage");
        if (!stage) return fail(stage.error());
        const auto tasks =
            store::list_tasks(db, {options.text("project"), *stage, options.flag("open"), options.flag("needs_you"), limit});
        if (!tasks) return fail(tasks.error());
        const auto view = engine::view_of(world);
        const auto host = engine::look_at_host(view);
        if (!host) return fail(host.error());
        return fill(reply, task_row, *tasks, [&](const store::Task& task) { return append_task(view, task, *host, reply); });
    });
}

Status append_job(const store::Claim& claim, sd_bus_message* reply) {
    const auto& [job, run, work_item, project] = claim;
    return checked(sd_bus_message_append(reply, job_row, job.id, work_item.c_str(), utf8(project).c_str(),
                                         std::string(to_text(job.kind)).c_str(), std::string(to_text(job.role)).c_str(),
                                         std::string(to_text(job.status)).c_str(), job.blocked, job.priority, job.attempts,
                                         job.max_attempts, job.run_id.value_or(0), run.unit.c_str(), exit_text(run).c_str(),
                                         utf8(job.error).c_str(), job.available_at, job.created_at, job.started_at.value_or(0),
                                         job.finished_at.value_or(0), job_path(job.id).c_str()),
                   "answering");
}

Status list_jobs(engine::World& world, sd_bus_message* call, sd_bus_message* reply) {
    return list_by(world, call, job_filter, [&](store::Db& db, const Options& options, int limit) -> Status {
        const auto status = word<JobStatus>(options, "status");
        if (!status) return fail(status.error());
        store::JobFilter filter;
        filter.project = options.text("project");
        filter.work_item = options.text("work_item");
        filter.status = *status;
        filter.only_live = options.flag("live");
        filter.limit = limit;
        if (!filter.work_item.empty()) {
            const auto task = engine::known_task(db, filter.work_item);
            if (!task) return fail(task.error());
            filter.work_item = task->work_item;  // as it is on record
        }
        const auto jobs = store::list_jobs(db, filter);
        if (!jobs) return fail(jobs.error());
        return fill(reply, job_row, *jobs, [&](const store::Claim& claim) { return append_job(claim, reply); });
    });
}

Status list_projects(engine::World& world, sd_bus_message*, sd_bus_message* reply) {
    const auto projects = views::project_views(world.db, world.projects);
    if (!projects) return fail(projects.error());
    return fill(reply, project_row, *projects, [&](const views::ProjectView& p) {
        return checked(
            sd_bus_message_append(reply, project_row, utf8(p.name).c_str(), utf8(p.prefix).c_str(), utf8(p.target).c_str(),
                                  utf8(p.forge).c_str(), p.paused, utf8(p.pause_reason).c_str(), p.counts.open_tasks,
                                  p.counts.running, p.counts.queued, utf8(p.problem).c_str()),
            "answering");
    });
}

// Names the tasks of events, each looked up once.
class Names {
public:
    explicit Names(store::Db& db) : db_(db) {}
    Result<std::string> of(std::optional<std::int64_t> task_id) {
        if (!task_id) return std::string();
        if (const auto known = known_.find(*task_id); known != known_.end()) return known->second;
        const auto task = store::find_task(db_, *task_id);
        if (!task) return fail(task.error());
        return known_[*task_id] = *task ? (*task)->work_item : std::string();
    }

private:
    store::Db& db_;
    std::map<std::int64_t, std::string> known_;
};

Status list_events(engine::World& world, sd_bus_message* call, sd_bus_message* reply) {
    return list_by(world, call, event_filter, [&](store::Db& db, const Options& options, int limit) -> Status {
        const auto task = task_named(db, options.text("work_item"));
        if (!task) return fail(task.error());
        const auto events = store::list_events(db, {*task, options.number("after").value_or(0), limit});
        if (!events) return fail(events.error());
        Names names(db);
        return fill(reply, event_row, *events, [&](const store::Event& event) -> Status {
            const auto work_item = names.of(event.task_id);
            if (!work_item) return fail(work_item.error());
            return checked(
                sd_bus_message_append(reply, event_row, event.id, event.at, utf8(event.actor).c_str(), work_item->c_str(),
                                      event.job_id.value_or(0), utf8(event.kind).c_str(), utf8(event.data).c_str()),
                "answering");
        });
    });
}

Status list_leases(engine::World& world, sd_bus_message*, sd_bus_message* reply) {
    return world.db.read([&](store::Db& db) -> Status {
        const auto leases = views::lease_views(db);
        if (!leases) return fail(leases.error());
        return fill(reply, lease_row, *leases, [&](const views::LeaseView& l) {
            return checked(
                sd_bus_message_append(reply, lease_row, std::string(l.kind).c_str(), utf8(l.key).c_str(), l.work_item.c_str(),
                                      utf8(l.project).c_str(), l.job, l.unit.c_str(), l.boot_id.c_str(), l.acquired_at,
                                      l.from_stage.c_str(), task_path(l.work_item).c_str()),
                "answering");
        });
    });
}

Status list_dependencies(engine::World& world, sd_bus_message* call, sd_bus_message* reply) {
    return list_by(world, call, dependency_filter, [&](store::Db& db, const Options& options, int limit) -> Status {
        const auto task = task_named(db, options.text("work_item"));
        if (!task) return fail(task.error());
        const auto rows = store::list_dependencies(db, {*task, options.flag("unmet"), limit});
        if (!rows) return fail(rows.error());
        return fill(reply, dependency_row, *rows, [&](const store::Dependency& d) {
            return checked(sd_bus_message_append(reply, dependency_row, d.work_item.c_str(), d.needs.c_str(),
                                                 std::string(to_text(d.needs_stage)).c_str(), d.source.c_str()),
                           "answering");
        });
    });
}

Status list_deliveries(engine::World& world, sd_bus_message* call, sd_bus_message* reply) {
    return list_by(world, call, delivery_filter, [&](store::Db& db, const Options& options, int limit) -> Status {
        const auto state = word<store::DeliveryState>(options, "state");
        if (!state) return fail(state.error());
        const auto rows = store::list_deliveries(db, {*state, options.number("before").value_or(0), limit});
        if (!rows) return fail(rows.error());
        return fill(reply, delivery_row, *rows, [&](const store::Delivery& d) {
            return checked(sd_bus_message_append(reply, delivery_row, d.id, utf8(d.source).c_str(), utf8(d.event).c_str(),
                                                 d.received_at, std::string(to_text(d.state)).c_str(), utf8(d.outcome).c_str()),
                           "answering");
        });
    });
}

Status append_json(const Result<std::string>& json, sd_bus_message* reply) {
    if (!json) return fail(json.error());
    return checked(sd_bus_message_append(reply, "s", utf8(*json).c_str()), "answering");
}

Status get_task(engine::World& world, sd_bus_message* call, sd_bus_message* reply) {
    const auto work_item = read_work_item(call);
    if (!work_item) return fail(work_item.error());
    return append_json(views::task_json(engine::view_of(world), *work_item), reply);
}

Status get_delivery(engine::World& world, sd_bus_message* call, sd_bus_message* reply) {
    const auto id = read_id(call);
    if (!id) return fail(id.error());
    return append_json(views::delivery_json(world.db, *id), reply);
}

Status get_queue(engine::World& world, sd_bus_message*, sd_bus_message* reply) {
    return append_json(views::queue_json(engine::view_of(world)), reply);
}

constexpr std::array reads{
    Read{"ListTasks", list_tasks},     Read{"ListJobs", list_jobs},     Read{"ListProjects", list_projects},
    Read{"ListEvents", list_events},   Read{"ListLeases", list_leases}, Read{"ListDependencies", list_dependencies},
    Read{"GetTask", get_task},         Read{"GetQueue", get_queue},     Read{"ListDeliveries", list_deliveries},
    Read{"GetDelivery", get_delivery},
};

}  // namespace

const Read* find_read(std::string_view member) {
    const auto* found = std::find_if(reads.begin(), reads.end(), [&](const Read& r) { return r.member == member; });
    return found == reads.end() ? nullptr : found;
}

std::string exit_text(const store::Run& run) {
    if (!run.exit) return {};
    return std::string(to_text(run.exit->kind)) + " " + std::to_string(run.exit->status);
}

}  // namespace orchd::control
