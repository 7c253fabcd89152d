// R10: a whole pass of the reaper reads only what lives, counted in steps of SQLite's machine.
#include "run_life.h"
#include "store/counting.h"
#include "support/history.h"

namespace orchd::support {
namespace {

// The steps of one pass over a run that lives, one that died, a step, and a lease, with so much behind them.
std::int64_t steps_with(int history) {
    RunLife life;
    life.task().in(Stage::development);
    must(life.scene.db.execute(history_of(history)));
    life.start();
    life.task("HELLO-2").in(Stage::development);
    life.task("HELLO-3").in(Stage::deploy);
    life.dispatch();
    life.scene.units.is_gone(life.agent("HELLO-2"));
    life.scene.write([&](store::Tx& tx) {
        const store::LeaseOwner owner{"gone.service", "x", life.scene.now.boot_id, 7};
        return store::acquire_transition(tx, life.task("HELLO-1").row().id, owner, 0, Stage::development, {}, life.scene.now);
    });
    std::int64_t steps = 0;
    for (int pass = 0; pass < 3; ++pass) {
        life.scene.pass(engine::between_ticks_ms);
        (void)store::work_done(life.scene.db);
        (void)must(engine::reap(life.worker));
        steps += store::work_done(life.scene.db).steps;
    }
    EXPECT_FALSE(must(store::live_run_job(life.scene.db, life.task("HELLO-2").row().id))->run_id) << "it was reaped meanwhile";
    return steps;
}

TEST(PassCost, R10_AWholePassCostsTheSameHoweverManyJobsAreFinished) {
    const auto few = steps_with(50), many = steps_with(5'000);
    EXPECT_NEAR(static_cast<double>(few), static_cast<double>(many), 8);
    EXPECT_LT(many, 20'000);
}

}  // namespace
}  // namespace orchd::support
