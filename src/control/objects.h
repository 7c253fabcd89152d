// The objects of tasks and jobs, /org/orchd1/task/… and /org/orchd1/job/…, with a property for every column.
#pragma once

#include <functional>
#include <vector>

#include "core/error.h"
#include "engine/ports.h"
#include "host/systemd.h"
#include "store/jobs.h"

namespace orchd::control {

// The world as it is now: settings and projects as they stand in their files, the database open. An error where it cannot be
// had, to be told to whoever asked.
using WorldSource = std::function<Result<engine::World*>()>;

class Objects {
public:
    explicit Objects(WorldSource world) : world_(std::move(world)) {}
    Objects(const Objects&) = delete;

    // Answers for every task and job there is; lists, for the ObjectManager and introspection, the tasks that are not terminal
    // and the jobs that are live, a thousand of each at most.
    [[nodiscard]] Status publish(sd_bus& bus);

private:
    static int find_task(sd_bus*, const char* path, const char*, void* self, void** found, sd_bus_error* error);
    static int find_job(sd_bus*, const char* path, const char*, void* self, void** found, sd_bus_error* error);
    static int list_tasks(sd_bus*, const char*, void* self, char*** nodes, sd_bus_error* error);
    static int list_jobs(sd_bus*, const char*, void* self, char*** nodes, sd_bus_error* error);
    WorldSource world_;
    // What was found last. sd-bus reads the properties of a found object before it looks for another.
    store::Task task_;
    store::Claim job_;
    std::vector<host::Slot> slots_;
};

}  // namespace orchd::control
