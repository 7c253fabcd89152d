// Claims a second, as a ratio to the least that any queue on SQLite must do: a transaction that changes one row and adds one,
// under the same pragmas on the same disk in the same run. One job a transaction, and eight.
//
//     bench_claims [FOLDER]      where the databases go; the present directory by default
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "bare.h"
#include "store/db.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace {

using namespace orchd;
using namespace orchd::store;
using bench::must;

constexpr int transactions = 400;
constexpr int projects = 10;
const Now now{.utc_ms = 1'700'000'000'000, .boot_ms = 1'000'000, .boot_id = "boot"};

class Stopwatch {
public:
    void start() { since_ = std::chrono::steady_clock::now(); }
    void stop() { total_ += std::chrono::steady_clock::now() - since_; }
    [[nodiscard]] double per_second(int count) const { return count / std::chrono::duration<double>(total_).count(); }

private:
    std::chrono::steady_clock::time_point since_;
    std::chrono::steady_clock::duration total_{};
};

// Claims from a queue in which `count` jobs are due and as many are not yet.
class Claims {
public:
    Claims(const std::string& path, int count) : db_(must(Db::open(path, {.mode = Mode::create}))) {
        for (int n = 0; n < projects; ++n) {
            const auto project = must(db_.write([&](Tx& tx) { return ensure_project(tx, "p" + std::to_string(n)); }));
            limits_.projects.push_back({.project_id = project.id});
        }
        must(db_.execute(
            "BEGIN;" + bench::numbers(2 * count) +
            "INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
            " SELECT n % 10 + 1, 'BENCH-' || n, '', '', 'b', 'development', 1, 0, 0 FROM n;"
            "INSERT INTO jobs (task_id, project_id, stage_seq, kind, role, status, priority, available_at, available_boot,"
            " available_boot_id, max_attempts, created_at) SELECT id, project_id, 1, 'agent', 'developer', 'queued',"
            " id % 3 + 4, 0, iif(id / 10 % 2, 1, 9000000), 'boot', 5, 0 FROM tasks; COMMIT"));
        must(db_.checkpoint());
    }
    int step(int at_most) {
        batch_ = must(db_.write([&](Tx& tx) { return claim(tx, limits_, at_most, now); }));
        return static_cast<int>(batch_.size());
    }
    // Frees the slots again.
    void finish() {
        must(db_.write([&](Tx& tx) -> Status {
            for (const auto& c : batch_) (void)must(finish_job(tx, c.job.id, c.run.id, JobStatus::done, "", "", now));
            return {};
        }));
    }

private:
    Db db_;
    Limits limits_{.max_concurrency = 16, .max_steps = 16};
    std::vector<Claim> batch_;
};

// By turns, so that whatever else the machine does meets both.
void compare(const std::filesystem::path& folder, int count, int at_once) {
    bench::Bare bare(folder / "bare.db", count);
    Claims claims(folder / "claims.db", count);
    Stopwatch of_bare;
    Stopwatch of_claims;
    int rows = 0;
    int claimed = 0;
    for (int n = 0; n < std::min(transactions, count / at_once - 1); ++n) {
        of_bare.start();
        rows += bare.step(at_once);
        of_bare.stop();
        of_claims.start();
        claimed += claims.step(at_once);
        of_claims.stop();
        claims.finish();
    }
    const double base = of_bare.per_second(rows);
    const double ours = of_claims.per_second(claimed);
    std::printf("%8d %9d %12.0f %12.0f %7.2f\n", count, at_once, base, ours, ours / base);
}

}  // namespace

int main(int argc, char** argv) {
    const auto folder = std::filesystem::path(argc > 1 ? argv[1] : ".") / "bench-claims";
    std::printf("%8s %9s %12s %12s %7s\n", "queued", "at once", "bare rows/s", "claims/s", "ratio");
    for (const int count : {1'000, 10'000, 100'000}) {
        for (const int at_once : {1, 8}) {
            std::filesystem::remove_all(folder);
            std::filesystem::create_directories(folder);
            compare(folder, count, at_once);
        }
    }
    std::filesystem::remove_all(folder);
    return 0;
}
