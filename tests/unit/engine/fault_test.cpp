// A transition of the engine over a disk that is full or fails at one of its calls: the same goes through once that is over,
// and nothing of it is doubled (R11, R14). Every call in turn is minutes: by default every thirteenth; ORCHD_EVERY_CALL=1 for
// all.
#include <gtest/gtest.h>
#include <algorithm>
#include <functional>
#include <iostream>

#include "run_life.h"
#include "storage/fault_vfs.h"
#include "store/check.h"
#include "support/stride.h"

namespace orchd::support {
namespace {

constexpr const char* item = "HELLO-1";
constexpr int patience = 12;  // how often it is tried again

struct Deed {
    const char* name;
    std::function<void(RunLife&)> prepare;  // the disk is sound
    std::function<void(RunLife&)> act;      // it may fail; as the process would do it, and after its death the next
    std::function<bool(RunLife&)> came_through;
    std::function<void(RunLife&)> expect_once;
};
void PrintTo(const Deed& deed, std::ostream* out) { *out << deed.name; }

// A process that met the fault is gone, and its unit with it; what it left is recovery's.
void one_turn(RunLife& life) {
    life.scene.pass(life.scene.settings.backoff_cap_s * 1000);
    (void)engine::recover(life.worker);
    life.scene.running.clear();
}
void step(RunLife& life) {
    life.scene.units.is_gone(names::unit(names::step, item));
    (void)life.scene.step(item);
}
int live_runs(RunLife& life) {
    const auto live = must(store::live_jobs(life.scene.db));
    return static_cast<int>(std::ranges::count_if(live, [](const auto& c) { return c.job.kind != JobKind::advance; }));
}
void expect_moved_once(RunLife& life, Role next) {
    EXPECT_EQ(life.task().events("stage_changed").size(), 1u);
    EXPECT_EQ(life.count_queued(next), 1);
    EXPECT_TRUE(must(store::held_transitions(life.scene.db)).empty());
}

Deed dispatching() {
    return {"dispatch", [](RunLife& life) { life.task().in(Stage::development); },
            [](RunLife& life) { (void)life.dispatcher.pass(100); },
            [](RunLife& life) { return life.scene.units.table.contains(RunLife::agent()) && live_runs(life) == 1; },
            [](RunLife& life) {
                const auto last = life.live();
                for (std::int64_t id = 1; id < last.run.id; ++id) EXPECT_EQ(life.run(id).exit->kind, ExitKind::lost);
                EXPECT_EQ(life.scene.units.started.size(), 1u) << "a unit was started again";
            }};
}

Deed finishing() {
    return {"finish",
            [](RunLife& life) {
                life.start(Stage::development);
                life.commits({{"new.cpp", "int x;\n"}});
            },
            [](RunLife& life) {
                static engine::Monitor monitor;  // systemd hands the same to a finish that it starts again
                if (life.scene.units.table.contains(RunLife::agent())) monitor = life.exited(0);
                (void)life.finish(monitor);
            },
            [](RunLife& life) { return live_runs(life) == 0; },
            [](RunLife& life) {
                EXPECT_EQ(life.scene.forge.at("task/HELLO-1^"), life.scene.forge.at("main")) << "one commit, pushed once";
                EXPECT_EQ(life.run(1).exit->kind, ExitKind::exited);
                EXPECT_EQ(life.task().events("run_ended").size(), 1u);
                EXPECT_EQ(life.count_queued(Role::step), 1);
            }};
}

Deed recovering() {
    return {"recover",
            [](RunLife& life) {
                life.start(Stage::development);
                life.scene.units.table.clear();
            },
            [](RunLife& life) {
                for (int pass = 0; pass < life.scene.settings.reaper_dead_ticks; ++pass) {
                    life.scene.pass(engine::between_ticks_ms);
                    (void)engine::recover(life.worker);
                }
            },
            [](RunLife& life) { return live_runs(life) == 0; },
            [](RunLife& life) {
                EXPECT_EQ(life.run(1).exit->kind, ExitKind::lost);
                EXPECT_EQ(life.count_queued(Role::developer), 1);
                EXPECT_EQ(life.task().row().retries.infrastructure, 1);
            }};
}

Deed advancing() {
    return {"advance",
            [](RunLife& life) {
                life.task().in(Stage::architecture);
                life.scene.work(item, Role::architect);
                life.scene.claim();
            },
            step, [](RunLife& life) { return life.task().stage() == Stage::development; },
            [](RunLife& life) { expect_moved_once(life, Role::developer); }};
}

Deed merging() {
    return {"merge",
            [](RunLife& life) {
                life.scene.without({Role::staging, Role::build});
                life.task().in(Stage::deploy_staging);
                life.task().commits({{item, "new\n"}});
                must(life.scene.step(item));
                life.scene.work(item, Role::retest);
                life.scene.claim();
            },
            step, [](RunLife& life) { return life.task().stage() != Stage::deploy_staging; },
            [](RunLife& life) {
                EXPECT_EQ(life.task().events("merged").size(), 1u);
                EXPECT_EQ(scene::sh(life.scene.forge.path, std::string("git rev-list --count main -- ") + item), "1");
                EXPECT_EQ(life.task().row().merged, life.scene.forge.at("main"));
                EXPECT_TRUE(must(store::held_transitions(life.scene.db)).empty());
                EXPECT_TRUE(must(store::all_held(life.scene.db, store::LeaseKind::merge)).empty());
            }};
}

// What a process does that meets the fault: it says so and ends.
void as_a_process(const std::function<void(RunLife&)>& act, RunLife& life) {
    try {
        act(life);
    } catch (const std::runtime_error&) {
    }
}

class FaultTest : public testing::TestWithParam<Deed> {};

TEST_P(FaultTest, R11_GoesThroughOnceTheFaultIsGoneAndNothingIsDoubled) {
    const int stride = orchd::tests::stride(13);
    int first = 1, struck = 0;
    for (const int fault : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC}) {
        for (int call = first;; call += stride) {
            SCOPED_TRACE(std::string(sqlite3_errstr(fault)) + " at call " + std::to_string(call));
            tests::FaultVfs disk("engine");
            RunLife life({.mode = store::Mode::create, .vfs = disk.name(), .checkpoint_pages = 4});
            GetParam().prepare(life);
            disk.fail_once_at(call, fault);
            as_a_process(GetParam().act, life);
            const bool met = disk.struck();
            disk.no_more_faults();
            for (int tries = 0; !GetParam().came_through(life) && tries < patience; ++tries) {
                one_turn(life);
                as_a_process(GetParam().act, life);
            }
            ASSERT_TRUE(GetParam().came_through(life));
            GetParam().expect_once(life);
            EXPECT_TRUE(must(store::integrity_problems(life.scene.db)).empty());
            if (HasFailure()) return;
            if (!met) break;
            ++struck;
        }
        first += 4;
    }
    std::cout << GetParam().name << ": " << struck << " faults, none left anything undone or doubled\n";
    EXPECT_GE(struck, 3);
}

INSTANTIATE_TEST_SUITE_P(Each, FaultTest, testing::Values(dispatching(), finishing(), recovering(), advancing(), merging()),
                         [](const auto& deed) { return std::string(deed.param.name); });

}  // namespace
}  // namespace orchd::support
