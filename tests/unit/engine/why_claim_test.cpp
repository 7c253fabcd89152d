// `why` says that a task's job is started next if and only if the next claim takes it: over states made by chance.
#include <random>
#include <set>

#include "engine/why.h"
#include "support/world.h"

namespace orchd::support {
namespace {

constexpr std::int64_t floor_bytes = 1000;

// A house of three projects, one of which has no file, changed by chance.
class House {
public:
    explicit House(unsigned seed)
        : chance_(seed), db_(must(store::Db::open(folder_ / "orchd.db", {.mode = store::Mode::create}))) {
        settings_.disk_floor_bytes = floor_bytes;
        for (const auto* name : {"a", "b"}) {
            settings::Project project;
            project.name = name;
            projects_.good.push_back(std::move(project));
        }
        for (const auto* name : {"a", "b", "c"})
            for (int n = 1; n <= 5; ++n)
                write([&](store::Tx& tx) -> Status {
                    const auto id = must(store::ensure_project(tx, name)).id;
                    const auto item = std::string(1, static_cast<char>(name[0] - 'a' + 'A')) + "-" + std::to_string(n);
                    tasks_.push_back(must(store::create_task(tx, id, item, "b", "t", "", now_)).id);
                    return {};
                });
    }

    void change() {
        now_.boot_ms += pick(2000);
        now_.utc_ms += 1;
        const auto task = tasks_[static_cast<std::size_t>(pick(static_cast<int>(tasks_.size())))];
        write([&](store::Tx& tx) { return change(tx, task); });
    }
    void limit() {
        settings_.max_concurrency = 1 + pick(6);
        settings_.max_steps = 1 + pick(3);
        free_ = pick(12) == 0 ? floor_bytes - 1 : floor_bytes;
        for (auto& project : projects_.good) {
            project.max_concurrency = pick(3);
            for (const Role role : {Role::developer, Role::reviewer, Role::ci}) project.workers[role].max_concurrency = pick(3);
        }
    }
    engine::WorldView seen() {
        return {.db = db_, .settings = settings_, .projects = projects_, .now = now_, .free_bytes = free_};
    }

    // By `why`, of all tasks.
    std::set<std::int64_t> claimable() {
        const auto host = must(engine::look_at_host(seen()));
        std::set<std::int64_t> ids;
        for (const auto id : tasks_) {
            const auto task = must(store::find_task(db_, id)).value();
            const auto why = engine::why(task, must(engine::look_around(seen(), task)), host);
            EXPECT_FALSE(why.text.empty());
            if (why.claimable) ids.insert(id);
        }
        return ids;
    }
    // By the claim itself. `keep`: whether the jobs stay claimed.
    std::set<std::int64_t> claimed(bool keep) {
        std::set<std::int64_t> ids;
        const auto limits = must(engine::limits_of(seen()));
        (void)db_.write([&](store::Tx& tx) -> Status {
            for (;;) {  // as the worker does, a few at a time
                const auto claims = must(store::claim(tx, limits, 2, now_));
                for (const auto& claim : claims) ids.insert(claim.job.task_id);
                if (claims.empty()) break;
            }
            if (keep) return {};
            return fail(Errc::conflict, "rolled back");
        });
        return ids;
    }
    int pick(int below) { return static_cast<int>(chance_() % static_cast<unsigned>(below)); }

private:
    template <class Work>
    void write(Work&& work) {
        must(db_.write(std::forward<Work>(work)));
    }
    Status change(store::Tx& tx, std::int64_t task) {
        const auto row = must(store::find_task(tx.db(), task)).value();
        switch (pick(12)) {
            case 0:
                return store::set_hold(tx, task, pick(3) == 0 ? Hold::infra : Hold::none, "", now_);
            case 1:
                if (row.paused_at) return store::resume_task(tx, task, now_);
                return pick(3) == 0 ? store::pause_task(tx, task, "ada", "why", now_) : Status{};
            case 2:
                return pick(2) == 0 ? pause_above(tx, row) : Status{};
            case 3:
                return depend(tx, task);
            case 4:
            case 5:
            case 6:
                return end_one(tx, task);
            default:
                return enqueue(tx, task);
        }
    }
    Status enqueue(store::Tx& tx, std::int64_t task) {
        constexpr Role roles[] = {Role::developer, Role::reviewer, Role::ci, Role::step, Role::step};
        const auto due = pick(3) == 0 ? due_in(now_, pick(20'000)) : due_now(now_);
        if (auto set = store::set_priority(tx, task, pick(10), now_); !set) return set;
        return store::enqueue(tx, {.task_id = task, .role = roles[pick(5)], .due = due}, now_).map([](const auto&) {});
    }
    Status pause_above(store::Tx& tx, const store::Task& task) {
        const auto project = must(store::find_project(tx.db(), task.project)).value();
        if (pick(4) != 0)
            return project.paused_at ? store::resume_project(tx, project.id)
                                     : store::pause_project(tx, project.id, "ada", "why", now_);
        if (must(store::find_state(tx.db(), "paused"))) return store::clear_state(tx, "paused");
        return pick(3) != 0 ? Status{} : store::put_state(tx, {.key = "paused", .by = "ada", .reason = "why"});
    }
    Status depend(store::Tx& tx, std::int64_t task) {
        const auto needed = tasks_[static_cast<std::size_t>(pick(static_cast<int>(tasks_.size())))];
        if (needed == task) return {};
        if (pick(3) != 0)
            (void)store::remove_dependency(tx, task, needed);
        else
            (void)store::add_dependency(tx, task, needed, "test");  // refused where it closes a circle
        return {};
    }
    Status end_one(store::Tx& tx, std::int64_t task) {
        for (const auto& live : must(store::live_jobs(tx.db()))) {
            if (live.job.task_id != task) continue;
            if (pick(2) == 0)
                return store::finish_job(tx, live.job.id, live.run.id, JobStatus::done, "", "", now_).map([](bool) {});
            must(store::begin_stopping(tx, live.job.id, live.run.id, "it died"));
            return store::requeue(tx, live.job.id, live.run.id, due_in(now_, pick(20'000)), "it died", now_).map([](bool) {});
        }
        return {};
    }

    std::mt19937 chance_;
    scene::Folder folder_;
    store::Db db_;
    settings::Settings settings_;
    settings::Projects projects_;
    std::int64_t free_ = floor_bytes;
    Now now_{.utc_ms = 1'700'000'000'000, .boot_ms = 1'000'000, .boot_id = "boot-1"};
    std::vector<std::int64_t> tasks_;
};

TEST(WhyClaimTest, AJobIsClaimedIfAndOnlyIfWhySaysSo) {
    int states = 0, claimed = 0, left = 0;
    for (unsigned seed = 1; seed <= 8; ++seed) {
        House house(seed);
        for (int n = 0; n < 150; ++n, ++states) {
            for (int changes = 0; changes < 4; ++changes) house.change();
            house.limit();
            const auto said = house.claimable();
            const auto taken = house.claimed(house.pick(3) == 0);
            ASSERT_EQ(said, taken) << "seed " << seed << ", state " << n;
            claimed += static_cast<int>(taken.size());
            left += taken.empty() ? 1 : 0;
        }
    }
    std::cout << states << " states, " << claimed << " claims said and made, " << left << " states without any\n";
    EXPECT_GT(claimed, states / 4);
    EXPECT_GT(left, states / 20);
}

}  // namespace
}  // namespace orchd::support
