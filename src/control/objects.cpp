#include "control/objects.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "control/message.h"
#include "control/reads.h"
#include "core/names.h"
#include "store/tasks.h"

namespace orchd::control {
namespace {

constexpr int objects_listed = 1000;
const std::string task_prefix = std::string(names::bus_path) + "/task";
const std::string job_prefix = std::string(names::bus_path) + "/job";

int append(sd_bus_message* reply, std::string_view text) { return sd_bus_message_append(reply, "s", utf8(text).c_str()); }
int append(sd_bus_message* reply, const std::string& text) { return append(reply, std::string_view(text)); }
int append(sd_bus_message* reply, int number) { return sd_bus_message_append(reply, "u", number); }
int append(sd_bus_message* reply, std::int64_t number) { return sd_bus_message_append(reply, "t", number); }
int append(sd_bus_message* reply, bool flag) { return sd_bus_message_append(reply, "b", flag); }
int append(sd_bus_message* reply, const std::optional<std::int64_t>& n) { return append(reply, n.value_or(0)); }

// The getter of one property: `value` is a member of the row, or a function of it.
template <class Row, auto value>
int get(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* row, sd_bus_error*) {
    return append(reply, std::invoke(value, *static_cast<const Row*>(row)));
}

constexpr auto fixed = SD_BUS_VTABLE_PROPERTY_CONST;
constexpr auto varying = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;

using store::Task;
template <auto value>
constexpr sd_bus_property_get_t of_task = &get<Task, value>;

const sd_bus_vtable task_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("WorkItem", "s", of_task<&Task::work_item>, 0, fixed),
    SD_BUS_PROPERTY("Project", "s", of_task<&Task::project>, 0, fixed),
    SD_BUS_PROPERTY("Title", "s", of_task<&Task::title>, 0, varying),
    SD_BUS_PROPERTY("Body", "s", of_task<&Task::body>, 0, varying),
    SD_BUS_PROPERTY("Branch", "s", of_task<&Task::branch>, 0, fixed),
    SD_BUS_PROPERTY("Stage", "s", of_task<+[](const Task& t) { return to_text(t.stage); }>, 0, varying),
    SD_BUS_PROPERTY("StageSeq", "t", of_task<&Task::stage_seq>, 0, varying),
    SD_BUS_PROPERTY("Priority", "u", of_task<&Task::priority>, 0, varying),
    SD_BUS_PROPERTY("DeveloperRetries", "u", of_task<+[](const Task& t) { return t.retries.developer; }>, 0, varying),
    SD_BUS_PROPERTY("AgainRetries", "u", of_task<+[](const Task& t) { return t.retries.again; }>, 0, varying),
    SD_BUS_PROPERTY("InfrastructureRetries", "u", of_task<+[](const Task& t) { return t.retries.infrastructure; }>, 0, varying),
    SD_BUS_PROPERTY("ConflictRetries", "u", of_task<+[](const Task& t) { return t.retries.conflict; }>, 0, varying),
    SD_BUS_PROPERTY("Hold", "s", of_task<+[](const Task& t) { return to_text(t.hold); }>, 0, varying),
    SD_BUS_PROPERTY("HoldReason", "s", of_task<&Task::hold_reason>, 0, varying),
    SD_BUS_PROPERTY("PausedAt", "t", of_task<&Task::paused_at>, 0, varying),
    SD_BUS_PROPERTY("PausedBy", "s", of_task<&Task::paused_by>, 0, varying),
    SD_BUS_PROPERTY("PauseReason", "s", of_task<&Task::pause_reason>, 0, varying),
    SD_BUS_PROPERTY("WaitingFor", "s", of_task<&Task::waiting_for>, 0, varying),
    SD_BUS_PROPERTY("WaitingReason", "s", of_task<&Task::waiting_reason>, 0, varying),
    SD_BUS_PROPERTY("WaitingSince", "t", of_task<&Task::waiting_since>, 0, varying),
    SD_BUS_PROPERTY("AgainReason", "s", of_task<&Task::again_reason>, 0, varying),
    SD_BUS_PROPERTY("Head", "s", of_task<&Task::head>, 0, varying),
    SD_BUS_PROPERTY("Merged", "s", of_task<&Task::merged>, 0, varying),
    SD_BUS_PROPERTY("CreatedAt", "t", of_task<&Task::created_at>, 0, fixed),
    SD_BUS_PROPERTY("UpdatedAt", "t", of_task<&Task::updated_at>, 0, varying),
    SD_BUS_VTABLE_END,
};

using store::Claim;
using store::Job;
template <auto value>
constexpr sd_bus_property_get_t of_claim = &get<Claim, value>;
template <auto value>
constexpr sd_bus_property_get_t of_job = of_claim<+[](const Claim& c) { return std::invoke(value, c.job); }>;

int get_job_task(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* claim, sd_bus_error*) {
    return sd_bus_message_append(reply, "o", task_path(static_cast<const Claim*>(claim)->work_item).c_str());
}

const sd_bus_vtable job_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Id", "t", of_job<&Job::id>, 0, fixed),
    SD_BUS_PROPERTY("Task", "o", get_job_task, 0, fixed),
    SD_BUS_PROPERTY("WorkItem", "s", of_claim<&Claim::work_item>, 0, fixed),
    SD_BUS_PROPERTY("Project", "s", of_claim<&Claim::project>, 0, fixed),
    SD_BUS_PROPERTY("StageSeq", "t", of_job<&Job::stage_seq>, 0, fixed),
    SD_BUS_PROPERTY("Kind", "s", of_job<+[](const Job& j) { return to_text(j.kind); }>, 0, fixed),
    SD_BUS_PROPERTY("Role", "s", of_job<+[](const Job& j) { return to_text(j.role); }>, 0, fixed),
    SD_BUS_PROPERTY("Status", "s", of_job<+[](const Job& j) { return to_text(j.status); }>, 0, varying),
    SD_BUS_PROPERTY("Blocked", "b", of_job<&Job::blocked>, 0, varying),
    SD_BUS_PROPERTY("Priority", "u", of_job<&Job::priority>, 0, varying),
    SD_BUS_PROPERTY("Attempts", "u", of_job<&Job::attempts>, 0, varying),
    SD_BUS_PROPERTY("MaxAttempts", "u", of_job<&Job::max_attempts>, 0, varying),
    SD_BUS_PROPERTY("RunId", "t", of_job<&Job::run_id>, 0, varying),
    SD_BUS_PROPERTY("Unit", "s", of_claim<+[](const Claim& c) { return c.run.unit; }>, 0, varying),
    SD_BUS_PROPERTY("Exit", "s", of_claim<+[](const Claim& c) { return exit_text(c.run); }>, 0, varying),
    SD_BUS_PROPERTY("Commit", "s", of_job<&Job::commit>, 0, varying),
    SD_BUS_PROPERTY("Error", "s", of_job<&Job::error>, 0, varying),
    SD_BUS_PROPERTY("AvailableAt", "t", of_job<&Job::available_at>, 0, varying),
    SD_BUS_PROPERTY("CreatedAt", "t", of_job<&Job::created_at>, 0, fixed),
    SD_BUS_PROPERTY("StartedAt", "t", of_job<&Job::started_at>, 0, varying),
    SD_BUS_PROPERTY("FinishedAt", "t", of_job<&Job::finished_at>, 0, varying),
    SD_BUS_VTABLE_END,
};

// The last element of a path below the prefix, unescaped; "" where the path is none of ours.
std::string name_below(const char* path, const std::string& prefix) {
    char* name = nullptr;
    if (sd_bus_path_decode(path, prefix.c_str(), &name) <= 0) return {};
    std::string text(name);
    std::free(name);
    return text;
}

Result<std::optional<Claim>> claim_of(store::Db& db, const std::string& name) {
    std::int64_t id = 0;
    const char* end = name.data() + name.size();
    if (const auto parsed = std::from_chars(name.data(), end, id); parsed.ec != std::errc() || parsed.ptr != end)
        return std::nullopt;
    const auto job = store::find_job(db, id);
    if (!job) return fail(job.error());
    if (!*job) return std::nullopt;
    Claim claim;
    claim.job = **job;
    const auto task = store::find_task(db, claim.job.task_id);
    if (!task) return fail(task.error());
    if (!*task) return std::nullopt;
    claim.work_item = (*task)->work_item;
    claim.project = (*task)->project;
    const auto run = store::find_run(db, claim.job.run_id.value_or(0));
    if (!run) return fail(run.error());
    if (*run) claim.run = **run;
    return claim;
}

// A list of object paths as sd-bus takes it over: allocated by malloc, ended by null.
int hand_over(const std::vector<std::string>& paths, char*** nodes) {
    auto** list = static_cast<char**>(std::calloc(paths.size() + 1, sizeof(char*)));
    if (list == nullptr) return -ENOMEM;
    for (std::size_t i = 0; i < paths.size(); ++i) list[i] = strdup(paths[i].c_str());
    *nodes = list;
    return 0;
}

Result<std::vector<std::string>> paths_of_open_tasks(store::Db& db) {
    store::TaskFilter filter;
    filter.only_open = true;
    filter.limit = objects_listed;
    const auto tasks = store::list_tasks(db, filter);
    if (!tasks) return fail(tasks.error());
    std::vector<std::string> paths;
    for (const auto& task : *tasks) paths.push_back(task_path(task.work_item));
    return paths;
}

Result<std::vector<std::string>> paths_of_live_jobs(store::Db& db) {
    store::JobFilter filter;
    filter.only_live = true;
    filter.oldest_first = true;
    filter.limit = objects_listed;
    const auto jobs = store::list_jobs(db, filter);
    if (!jobs) return fail(jobs.error());
    std::vector<std::string> paths;
    for (const auto& claim : *jobs) paths.push_back(job_path(claim.job.id));
    return paths;
}

}  // namespace

Status Objects::publish(sd_bus& bus) {
    sd_bus_slot* slot = nullptr;
    const auto keep = [&](int result) {
        slots_.emplace_back(std::exchange(slot, nullptr));
        return checked(result, "publishing objects");
    };
    int result = sd_bus_add_object_manager(&bus, &slot, std::string(names::bus_path).c_str());
    if (auto kept = keep(result); !kept) return kept;
    result = sd_bus_add_fallback_vtable(&bus, &slot, task_prefix.c_str(), std::string(names::task_interface).c_str(),
                                        task_table, &Objects::find_task, this);
    if (auto kept = keep(result); !kept) return kept;
    result = sd_bus_add_fallback_vtable(&bus, &slot, job_prefix.c_str(), std::string(names::job_interface).c_str(), job_table,
                                        &Objects::find_job, this);
    if (auto kept = keep(result); !kept) return kept;
    result = sd_bus_add_node_enumerator(&bus, &slot, task_prefix.c_str(), &Objects::list_tasks, this);
    if (auto kept = keep(result); !kept) return kept;
    result = sd_bus_add_node_enumerator(&bus, &slot, job_prefix.c_str(), &Objects::list_jobs, this);
    return keep(result);
}

int Objects::find_task(sd_bus*, const char* path, const char*, void* self, void** found, sd_bus_error* error) {
    auto& objects = *static_cast<Objects*>(self);
    const auto work_item = name_below(path, task_prefix);
    if (work_item.empty()) return 0;
    auto task = objects.world_().and_then([&](engine::World* world) { return store::find_task(world->db, work_item); });
    if (!task) return set_error(error, task.error());
    if (!*task) return 0;
    objects.task_ = std::move(**task);
    *found = &objects.task_;
    return 1;
}

int Objects::find_job(sd_bus*, const char* path, const char*, void* self, void** found, sd_bus_error* error) {
    auto& objects = *static_cast<Objects*>(self);
    const auto id = name_below(path, job_prefix);
    if (id.empty()) return 0;
    auto claim = objects.world_().and_then([&](engine::World* world) { return claim_of(world->db, id); });
    if (!claim) return set_error(error, claim.error());
    if (!*claim) return 0;
    objects.job_ = std::move(**claim);
    *found = &objects.job_;
    return 1;
}

int Objects::list_tasks(sd_bus*, const char*, void* self, char*** nodes, sd_bus_error* error) {
    const auto paths =
        static_cast<Objects*>(self)->world_().and_then([](engine::World* world) { return paths_of_open_tasks(world->db); });
    return paths ? hand_over(*paths, nodes) : set_error(error, paths.error());
}

int Objects::list_jobs(sd_bus*, const char*, void* self, char*** nodes, sd_bus_error* error) {
    const auto paths =
        static_cast<Objects*>(self)->world_().and_then([](engine::World* world) { return paths_of_live_jobs(world->db); });
    return paths ? hand_over(*paths, nodes) : set_error(error, paths.error());
}

}  // namespace orchd::control
