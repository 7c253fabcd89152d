// The time of a reaper's pass over a million finished and a hundred live jobs, beside the same pass over the live ones alone.
// Units are read from this process's own cgroup, as a pass reads those of living runs; systemd is not asked.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/runs.h"
#include "host/cgroup.h"
#include "store/tasks.h"

namespace {

using namespace orchd;

template <class T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().text.c_str());
    std::exit(1);
}
void must(const Status& status) {
    if (status) return;
    std::fprintf(stderr, "%s\n", status.error().text.c_str());
    std::exit(1);
}

// Every run lives: one look at a cgroup each.
class LivingUnits final : public engine::Units {
public:
    std::vector<Status> start(const std::vector<engine::StartRequest>& requests) override {
        return std::vector<Status>(requests.size());
    }
    Status stop(const std::string&) override { return {}; }
    Status clean(const std::string&) override { return {}; }
    UnitSeen see(const std::string&) override {
        int error = 0;
        const auto group = host::see_cgroup(host::own_cgroup(), error);
        return {.readable = true, .active = true, .populated = true, .invocation_id = group ? group->invocation_id : ""};
    }
    Result<std::vector<std::string>> ours() override { return std::vector<std::string>{}; }
};

void finish_jobs(store::Db& db, int count) {
    const auto n = std::to_string(count);
    must(db.execute(
        "BEGIN; WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " + n +
        ") INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
        " SELECT 1, 'DONE-' || n, '', '', 'b', 'deploy', 7, 0, 0 FROM n;"
        "INSERT INTO jobs (task_id, project_id, stage_seq, kind, role, status, priority, available_at, available_boot,"
        " available_boot_id, max_attempts, created_at) SELECT id, 1, 7, 'deploy', 'deploy', 'queued', 5, 0, 0, '', 5, 0 FROM "
        "tasks;"
        "INSERT INTO runs (job_id, task_id, unit, boot_id, invocation_id, started_at, started_boot, exit_kind, exit_status,"
        " exited_at) SELECT id, task_id, 'u', 'b', 'i' || id, 0, 0, 'exited', 0, 0 FROM jobs;"
        "UPDATE jobs SET status = 'running', started_at = 0, run_id = (SELECT id FROM runs WHERE task_id = jobs.task_id);"
        "UPDATE jobs SET status = 'done', finished_at = 0; UPDATE tasks SET stage = 'done', stage_seq = 8;"
        "INSERT INTO transition_leases (task_id, from_stage, fence, acquired_at) SELECT id, 'deploy', 3, 0 FROM tasks; "
        "COMMIT"));
}

void start_jobs(store::Db& db, std::int64_t project, int count, const Now& now) {
    must(db.write([&](store::Tx& tx) -> Status {
        for (int i = 1; i <= count; ++i) {
            const auto task = must(store::create_task(tx, project, "LIVE-" + std::to_string(i), "b", "", "", now));
            (void)must(store::enqueue(tx, {.task_id = task.id, .role = Role::developer}, now));
        }
        const store::Limits limits{.max_concurrency = count, .projects = {{.project_id = project}}};
        for (const auto& claim : must(store::claim(tx, limits, count, now)))
            must(store::mark_prepared(tx, claim.run.id, "", now));
        return {};
    }));
}

struct Times {
    double least_ms = 0, median_ms = 0;
};
Times pass_times(engine::World& world) {
    std::vector<double> times;
    for (int i = 0; i < 51; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        (void)must(engine::recover(world));
        times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
    }
    std::ranges::sort(times);
    return {times.front(), times[times.size() / 2]};
}

Times measure(const std::string& path, int finished, int live) {
    const Now now{.utc_ms = 1'700'000'000'000, .boot_ms = 1'000'000, .boot_id = "boot"};
    auto db = must(store::Db::open(path, {.mode = store::Mode::create}));
    const auto project = must(db.write([](store::Tx& tx) { return store::ensure_project(tx, "hello"); })).id;
    finish_jobs(db, finished);
    start_jobs(db, project, live, now);
    must(db.checkpoint());
    LivingUnits units;
    const settings::Settings settings;
    const settings::Projects projects;
    engine::World world{.db = db,
                        .units = &units,
                        .now = [&] { return now; },
                        .settings = settings,
                        .projects = projects,
                        .paths = {},
                        .actor = "reaper",
                        .open_mirror = {},
                        .open_forge = {},
                        .random = [] { return 0.5; }};
    return pass_times(world);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const std::string folder = argv[1];
    const int many = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
    for (const int finished : {1000, many}) {
        const auto times = measure(folder + "/" + std::to_string(finished) + ".db", finished, 100);
        std::printf("a pass over %d finished and 100 live jobs: %.2f ms at the least, %.2f ms in the median of 51\n", finished,
                    times.least_ms, times.median_ms);
    }
}
