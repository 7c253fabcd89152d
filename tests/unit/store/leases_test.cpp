// Leases and the effect ledger.
#include "store/leases.h"

#include "store_fixture.h"

namespace orchd::store {
namespace {

const LeaseOwner step_1{.unit = "orchd-step@HELLO-1.service", .invocation_id = "i1", .boot_id = "boot-1", .pid = 11};
const LeaseOwner step_2{.unit = "orchd-step@HELLO-1.service", .invocation_id = "i2", .boot_id = "boot-1", .pid = 12};

class LeasesTest : public StoreTest {
protected:
    std::optional<std::int64_t> take(std::int64_t t, const LeaseOwner& owner, const std::optional<LeaseOwner>& dead = {}) {
        return write([&](Tx& tx) { return acquire_transition(tx, t, owner, 0, Stage::review, dead, now); });
    }
    bool hold(const std::string& key, std::int64_t t, std::int64_t job_id, LeaseKind kind = LeaseKind::merge) {
        return write([&](Tx& tx) { return acquire_held(tx, kind, key, t, job_id, now); });
    }
    Claim running(std::int64_t t, Role role) {
        (void)ask(t, role);
        for (const auto& c : claim_all(limits())) {
            if (c.job.task_id == t) return c;
        }
        throw std::runtime_error("not claimed");
    }
    void end(const Claim& c) {
        EXPECT_TRUE(write([&](Tx& tx) { return finish_job(tx, c.job.id, c.run.id, JobStatus::done, "", "", now); }));
    }
};

TEST_F(LeasesTest, ATransitionHasOneOwnerAndEachANewFence_R13) {
    const auto t = task("HELLO-1");
    EXPECT_EQ(must(find_transition(db, t)), std::nullopt);
    EXPECT_EQ(take(t, step_1), 1);
    EXPECT_EQ(take(t, step_2), std::nullopt);
    EXPECT_EQ(take(t, step_1), std::nullopt);
    const auto held = must(find_transition(db, t)).value();
    EXPECT_EQ(held.owner->unit, step_1.unit);
    EXPECT_EQ(held.owner->invocation_id, "i1");
    EXPECT_EQ(held.owner->pid, 11);
    EXPECT_EQ(held.owner->boot_id, "boot-1");
    EXPECT_EQ(held.from_stage, "review");
    EXPECT_EQ(must(held_transitions(db)).size(), 1U);

    EXPECT_FALSE(write([&](Tx& tx) { return release_transition(tx, t, 7); }));
    EXPECT_TRUE(write([&](Tx& tx) { return release_transition(tx, t, 1); }));
    EXPECT_EQ(must(find_transition(db, t))->owner, std::nullopt);
    EXPECT_EQ(must(find_transition(db, t))->fence, 1);
    EXPECT_TRUE(must(held_transitions(db)).empty());
    EXPECT_EQ(take(t, step_2), 2);
}

TEST_F(LeasesTest, ADeadOwnerIsTakenOverOnlyByItsExactName_R13) {
    const auto t = task("HELLO-1");
    EXPECT_EQ(take(t, step_1), 1);
    EXPECT_TRUE(must(fence_is_newest(db, t, 1)));
    for (auto other : {step_2, LeaseOwner{}}) EXPECT_EQ(take(t, step_2, other), std::nullopt);
    EXPECT_EQ(take(t, step_2, step_1), 2);
    EXPECT_FALSE(must(fence_is_newest(db, t, 1)));
    EXPECT_TRUE(must(fence_is_newest(db, t, 2)));
    // The earlier owner, woken again, releases nothing.
    EXPECT_FALSE(write([&](Tx& tx) { return release_transition(tx, t, 1); }));
    EXPECT_TRUE(must(fence_is_newest(db, task("HELLO-2"), 0)));
}

TEST_F(LeasesTest, AMergeLeaseHasOneHolderWhileItsJobLives_R12) {
    const auto a = task("HELLO-1");
    const auto b = task("HELLO-2");
    const auto retest = running(a, Role::retest);
    const auto rival = running(b, Role::retest);
    EXPECT_TRUE(hold("local:/x", a, retest.job.id));
    EXPECT_TRUE(hold("local:/x", a, retest.job.id));
    EXPECT_FALSE(hold("local:/x", b, rival.job.id));
    EXPECT_TRUE(hold("local:/y", b, rival.job.id));
    EXPECT_EQ(must(all_held(db, LeaseKind::merge)).size(), 2U);
    EXPECT_TRUE(must(all_held(db, LeaseKind::target)).empty());
    end(retest);
    EXPECT_TRUE(hold("local:/x", b, rival.job.id));
    EXPECT_EQ(must(find_held(db, LeaseKind::merge, "local:/x"))->task_id, b);
}

TEST_F(LeasesTest, AnAdvanceOfTheHoldersTaskKeepsItsLeaseUnlessBlocked_R12) {
    const auto a = task("HELLO-1");
    const auto b = task("HELLO-2");
    const auto retest = running(a, Role::retest);
    const auto rival = running(b, Role::retest);
    EXPECT_TRUE(hold("staging:hello", a, retest.job.id, LeaseKind::target));
    (void)ask(a, Role::step);
    end(retest);
    EXPECT_FALSE(hold("staging:hello", b, rival.job.id, LeaseKind::target));
    write([&](Tx& tx) { return set_hold(tx, a, Hold::human, "why", now); });
    EXPECT_TRUE(hold("staging:hello", b, rival.job.id, LeaseKind::target));
}

TEST_F(LeasesTest, ARunningAdvanceKeepsItsTasksLeases_R12) {
    const auto a = task("HELLO-1");
    const auto b = task("HELLO-2");
    const auto advance = running(a, Role::step);
    const auto rival = running(b, Role::retest);
    EXPECT_TRUE(hold("staging:hello", a, advance.job.id, LeaseKind::target));
    EXPECT_FALSE(hold("staging:hello", b, rival.job.id, LeaseKind::target));
    const auto staging = ask(a, Role::staging).value();
    EXPECT_TRUE(hold("staging:hello", a, staging, LeaseKind::target));  // handed on to the job that works under it
    end(advance);
    EXPECT_FALSE(hold("staging:hello", b, rival.job.id, LeaseKind::target));
    EXPECT_TRUE(write([&](Tx& tx) { return cancel_queued(tx, staging, "", now); }));
    EXPECT_TRUE(hold("staging:hello", b, rival.job.id, LeaseKind::target));
}

TEST_F(LeasesTest, OnlyTheHolderReleases) {
    const auto a = task("HELLO-1");
    const auto b = task("HELLO-2");
    const auto job_id = running(a, Role::retest).job.id;
    ASSERT_TRUE(hold("local:/x", a, job_id));
    ASSERT_TRUE(hold("staging:hello", a, job_id, LeaseKind::target));
    write([&](Tx& tx) { return release_held(tx, LeaseKind::merge, "local:/x", b); });
    EXPECT_TRUE(must(find_held(db, LeaseKind::merge, "local:/x")));
    write([&](Tx& tx) { return release_held(tx, LeaseKind::merge, "local:/x", a); });
    EXPECT_FALSE(must(find_held(db, LeaseKind::merge, "local:/x")));
    ASSERT_TRUE(hold("local:/x", a, job_id));
    write([&](Tx& tx) { return release_all_held(tx, a); });
    EXPECT_TRUE(must(all_held(db, LeaseKind::merge)).empty());
    EXPECT_TRUE(must(all_held(db, LeaseKind::target)).empty());
}

class EffectsTest : public LeasesTest {
protected:
    std::int64_t t = task("HELLO-1");
    std::int64_t fence = take(t, step_1).value();
    std::string key = effect_key(t, 3, 1, "merge");

    Status settle_it(EffectState state, const std::string& result, std::int64_t under) {
        return db.write([&](Tx& tx) { return settle(tx, key, state, result, under, now); });
    }
};

TEST_F(EffectsTest, AnIntentionIsWrittenOnceAndFoundAgain_R14) {
    EXPECT_EQ(key, std::to_string(t) + "/3/1/merge");
    const auto first = write([&](Tx& tx) { return intend(tx, key, t, "commit c1", fence, now); });
    EXPECT_EQ(first.state, EffectState::intended);
    EXPECT_EQ(first.result, "commit c1");
    const auto again = write([&](Tx& tx) { return intend(tx, key, t, "commit c2", fence, later(5)); });
    EXPECT_EQ(again.result, "commit c1");
    EXPECT_EQ(again.at, now.utc_ms);
}

TEST_F(EffectsTest, AnEffectIsSettledOnce_R14) {
    auto before = settle_it(EffectState::done, "merged", fence);
    ASSERT_FALSE(before);
    EXPECT_EQ(before.error().code, Errc::no_such);
    (void)write([&](Tx& tx) { return intend(tx, key, t, "plan", fence, now); });
    must(settle_it(EffectState::done, "merged", fence));
    must(settle_it(EffectState::done, "merged", fence));
    for (const auto state : {EffectState::abandoned, EffectState::intended}) {
        auto back = settle_it(state, "", fence);
        ASSERT_FALSE(back);
        EXPECT_EQ(back.error().code, Errc::conflict);
    }
    EXPECT_EQ(must(find_effect(db, key))->result, "merged");
}

TEST_F(EffectsTest, NothingIsIntendedOrSettledUnderAnOldFence_R13_R14) {
    (void)write([&](Tx& tx) { return intend(tx, key, t, "plan", fence, now); });
    const auto newer = take(t, step_2, step_1).value();
    auto late = settle_it(EffectState::done, "merged", fence);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::conflict);
    EXPECT_FALSE(db.write([&](Tx& tx) { return intend(tx, effect_key(t, 3, 2, "merge"), t, "", fence, now); }));
    // Who took over finds the intention and settles it.
    EXPECT_EQ(write([&](Tx& tx) { return intend(tx, key, t, "", newer, now); }).result, "plan");
    must(settle_it(EffectState::abandoned, "it did not happen", newer));
    EXPECT_EQ(must(find_effect(db, key))->fence, newer);
}

}  // namespace
}  // namespace orchd::store
