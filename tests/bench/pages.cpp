// What the pages of /metrics and /queue cost as the history grows: steps of SQLite's machine, and time. Flat, since what is
// done is not read.
//
//     bench_pages [FOLDER]      where the databases go; the present directory by default
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "support/history.h"
#include "unit/store/counting.h"
#include "unit/store/store_fixture.h"
#include "views/views.h"

namespace {

using namespace orchd;
using store::must;

constexpr int times = 200;

struct Cost {
    std::int64_t steps = 0;
    double median_us = 0, worst_us = 0;
};

template <class Make>
Cost cost_of(store::Db& db, Make make) {
    std::vector<double> us;
    (void)store::work_done(db);
    for (int n = 0; n < times; ++n) {
        const auto since = std::chrono::steady_clock::now();
        (void)must(make());
        us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - since).count());
    }
    std::sort(us.begin(), us.end());
    return {store::work_done(db).steps / times, us[us.size() / 2], us.back()};
}

void measure(const std::string& path, int history) {
    auto db = must(store::Db::open(path, {.mode = store::Mode::create}));
    (void)must(db.write([](store::Tx& tx) { return store::ensure_project(tx, "hello"); }));
    must(db.execute(support::history_of(history)));
    must(db.checkpoint());
    const settings::Settings settings;
    const settings::Projects projects;
    const views::WorldView view{db, settings, projects, store::monday, 0};
    const auto metrics = cost_of(db, [&] { return views::metrics_text(view, {}, views::MetricsFormat::openmetrics); });
    const auto queue = cost_of(db, [&] { return views::queue_json(view); });
    std::printf("%9d tasks done: /metrics %5lld steps, %6.0f us (worst %6.0f); /queue %5lld steps, %6.0f us (worst %6.0f)\n",
                history, static_cast<long long>(metrics.steps), metrics.median_us, metrics.worst_us,
                static_cast<long long>(queue.steps), queue.median_us, queue.worst_us);
}

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const std::filesystem::path folder = argc > 1 ? argv[1] : ".";
    for (const int history : {1'000, 10'000, 100'000, 1'000'000}) {
        const auto path = folder / (std::to_string(history) + ".db");
        measure(path, history);
        for (const char* suffix : {"", "-wal", "-shm", "-ckpt"}) std::filesystem::remove(path.string() + suffix);
    }
}
