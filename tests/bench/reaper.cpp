// The time of a reaper's pass over a million finished and a hundred live jobs, beside the same pass over the live ones alone.
// Units are read from this process's own cgroup, as a pass reads those of living runs; systemd is not asked.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "bare.h"
#include "engine/runs.h"
#include "host/cgroup.h"
#include "store/tasks.h"
#include "support/history.h"

namespace {

using namespace orchd;
using bench::must;

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
    must(db.execute(support::history_of(finished)));
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
