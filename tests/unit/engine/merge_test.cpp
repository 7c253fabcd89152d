// R12, R14: the merge gate. Exactly what was tested is merged, once, wherever it is killed.
#include "engine/merge.h"

#include <gtest/gtest.h>

#include "engine/leases.h"
#include "engine/operate.h"
#include "engine/runs.h"
#include "engine/why.h"
#include "support/world.h"

namespace orchd::engine {

namespace {

using support::must;

struct Merging {
    support::TaskWords task(const std::string& work_item = "HELLO-1") { return scene.task(work_item); }
    // The task with a change of its own, staged green: its next step begins the merge.
    void staged(const std::string& work_item, const std::map<std::string, std::string>& files) {
        task(work_item).in(Stage::deploy_staging);
        task(work_item).commits(files);
        must(scene.step(work_item));
        scene.work(work_item, Role::staging);
    }
    void staged(const std::string& work_item = "HELLO-1") { staged(work_item, {{work_item, "new\n"}}); }
    std::string target_moves(const std::string& file = "other", const std::string& text = "other\n") {
        return scene.forge.commit("git fetch -q; git checkout -q -B main origin/main; echo '" + text + "' >>" + file +
                                  "; git add -A; git commit -qm moved; git push -q origin main");
    }
    std::string main() { return scene.forge.at("main"); }
    int commits_on_main(const std::string& about) {
        return std::stoi(scene::sh(scene.forge.path, "git log --format=%s main -- " + about + " | wc -l"));
    }
    support::Scene scene;
};
class MergeGate : public ::testing::Test, protected Merging {};

TEST_F(MergeGate, TestsExactlyTheTreeThatItMerges) {
    staged();
    const auto moved = target_moves();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), moved) << "not before the re-test";
    ASSERT_TRUE(scene.runs("HELLO-1", Role::retest));
    const auto tested = scene.running.back().job.commit;
    EXPECT_EQ(scene.forge.at(tested + "^{tree}:other"), scene.forge.at(moved + ":other")) << "on top of the target";
    EXPECT_EQ(scene.forge.at("task/HELLO-1"), tested) << "the request shows what is tested";
    EXPECT_EQ(task().row().head, tested);
    scene.work("HELLO-1", Role::retest);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), tested);
    EXPECT_EQ(task().row().merged, tested);
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(task().row().retries.again, 0) << "the rebase of its own does not ask for another staging";
}

TEST_F(MergeGate, ARefusalOfTheRepositoryIsHeldAtOnceInItsWords) {
    scene::sh(scene.forge.path, "git config receive.denyNonFastforwards true");
    staged();
    target_moves();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().row().hold, Hold::infra);
    EXPECT_NE(task().row().hold_reason.find("denying non-fast-forward"), std::string::npos) << task().row().hold_reason;
    EXPECT_NE(task().row().hold_reason.find("orchctl project check hello"), std::string::npos) << task().row().hold_reason;
    EXPECT_EQ(scene.watch.pushes, 1) << "asked once";
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty());

    scene::sh(scene.forge.path, "git config receive.denyNonFastforwards false");
    auto world = scene.world("control");
    must(release_hold(world, "HELLO-1", "uid:1000 alice"));
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
}

TEST_F(MergeGate, AnUpToDateBranchIsNotPushedAgain) {
    staged();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(scene.watch.pushes, 0);
    scene.work("HELLO-1", Role::retest);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), task().row().head);
}

TEST_F(MergeGate, ATargetThatMovedDuringTheReTestMeansAnotherRound) {
    staged();
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    const auto moved = target_moves();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), moved);
    EXPECT_EQ(task().events("merge_abandoned").size(), 1u);
    scene.work("HELLO-1", Role::retest);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(main(), task().row().merged);
    EXPECT_EQ(scene.watch.merges, 1);
}

TEST_F(MergeGate, ATargetThatMovesInTheLastMomentIsNotOverwritten) {
    staged();
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    std::string moved;
    scene.watch.before_merge = [&] {
        scene.watch.before_merge = nullptr;
        moved = target_moves();
    };
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), moved);
    EXPECT_TRUE(scene.runs("HELLO-1", Role::retest)) << "rebased, to be tested again";
}

TEST_F(MergeGate, GivesWayAfterSoManyRoundsAndComesBack) {
    scene.settings.merge_tries = 2;
    staged("HELLO-1");
    must(scene.step("HELLO-1"));
    for (int round = 1; round <= 2; ++round) {
        scene.work("HELLO-1", Role::retest);
        target_moves();
        must(scene.step("HELLO-1"));
    }
    EXPECT_FALSE(scene.runs("HELLO-1", Role::retest));
    EXPECT_EQ(task().row().waiting_for, wait_merge_lease);
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty()) << "others go first";
    EXPECT_EQ(task().row().hold, Hold::none);
    EXPECT_EQ(task().row().waiting_reason,
              "2 rounds of rebase and re-test came to nothing, the last since main moved: others go first");
    scene.pass(scene.settings.backoff_cap_s * 1000);
    must(scene.step("HELLO-1"));
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
}

// A world in which main moves in each round: what each round costs is bounded, and a person is told once and truly.
TEST_F(MergeGate, R04_ATargetThatMovesInEachRoundEndsWithAPerson) {
    scene.settings.merge_tries = 2;
    scene.settings.give_way_cap = 2;
    staged();
    must(scene.step("HELLO-1"));
    int rounds = 0, waits = 0;
    const auto goes_on_until_held = [&] {
        for (int turns = 0; task().row().hold == Hold::none; ++turns) {
            ASSERT_LT(turns, 50) << "there is no end to it";
            if (scene.runs("HELLO-1", Role::retest)) {
                scene.work("HELLO-1", Role::retest);
                target_moves();
                ++rounds;
                must(scene.step("HELLO-1"));
                continue;
            }
            ASSERT_FALSE(scene.runs("HELLO-1", Role::step)) << "who gives way is not asked anew at once";
            scene.pass(scene.settings.backoff_cap_s * 1000);
            ++waits;
            must(scene.step("HELLO-1"));
        }
    };
    goes_on_until_held();
    EXPECT_EQ(rounds, 5);
    EXPECT_EQ(waits, 2);
    EXPECT_EQ(task().row().hold, Hold::escalated);
    EXPECT_EQ(task().row().hold_reason, "5 rounds of rebase and re-test came to nothing, the last since main moved");
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty());
    EXPECT_EQ(task().events("hold_changed").size(), 1u);

    auto control = scene.world("control");
    must(release_hold(control, "HELLO-1", "ann"));  // the hold alone: the next round in vain is one too many
    must(scene.step("HELLO-1"));
    goes_on_until_held();
    EXPECT_EQ(rounds, 6);

    must(retry(control, "HELLO-1", "ann"));  // anew
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::staging);
    must(scene.step("HELLO-1"));
    goes_on_until_held();
    EXPECT_EQ(rounds, 11);
}

// A world in which everything conflicts for ever.
TEST_F(MergeGate, R04_ConflictsThatNobodyResolvesEndWithAPerson) {
    scene.settings.conflict_cap = 2;
    staged("HELLO-1", {{"file", "one\ntwo\nmine\n"}});
    target_moves("file", "theirs");
    must(scene.step("HELLO-1"));
    const auto goes_on_until_held = [&] {
        for (int works = 0; task().row().hold == Hold::none; ++works) {
            ASSERT_LT(works, 100) << "there is no end to it";
            scene.claim();
            ASSERT_FALSE(scene.running.empty());
            const auto next = scene.running.front();
            next.job.role == Role::step ? must(scene.step(next.work_item)) : scene.work(next.work_item, next.job.role);
        }
    };
    goes_on_until_held();
    const auto developed = [&] {
        return std::ranges::count_if(must(store::list_jobs(scene.db, {.work_item = "HELLO-1"})),
                                     [](const auto& c) { return c.job.role == Role::developer; });
    };
    EXPECT_EQ(developed(), 2);
    EXPECT_EQ(task().row().stage, Stage::deploy_staging);
    EXPECT_EQ(task().row().hold, Hold::escalated);
    EXPECT_EQ(task().row().hold_reason,
              "sent back to development by conflicts 2 times already; now: conflicts with main in file");
    EXPECT_EQ(task().row().retries.developer, 0);
    EXPECT_EQ(task().events("hold_changed").size(), 1u);

    auto control = scene.world("control");
    must(release_hold(control, "HELLO-1", "ann"));  // the hold alone: the next conflict is one too many
    goes_on_until_held();
    EXPECT_EQ(developed(), 2);
    must(retry(control, "HELLO-1", "ann"));  // anew
    goes_on_until_held();
    EXPECT_EQ(developed(), 4);
}

TEST_F(MergeGate, AConflictGoesBackToDevelopmentNamingTheFilesAndBlamesNobody) {
    staged("HELLO-1", {{"file", "one\ntwo\nmine\n"}});
    const auto moved = target_moves("file", "theirs");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_EQ(task().row().retries.conflict, 1);
    EXPECT_EQ(task().row().retries.developer, 0);
    EXPECT_NE(task().row().again_reason.find("in file"), std::string::npos) << task().row().again_reason;
    EXPECT_EQ(main(), moved);
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty());
    EXPECT_TRUE(scene.runs("HELLO-1", Role::developer));
}

TEST_F(MergeGate, AConflictThatTheTargetBroughtDuringTheReTestGoesBackToo) {
    staged("HELLO-1", {{"file", "one\ntwo\nmine\n"}});
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    target_moves("file", "theirs");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_EQ(task().row().retries.conflict, 1);
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty());
}

TEST_F(MergeGate, R38_WithoutRebasingAlwaysABranchThatIsBehindIsRebasedAllTheSame) {
    scene.settings.premerge_rebase_always = false;
    staged();
    const auto moved = target_moves();
    must(scene.step("HELLO-1"));
    ASSERT_EQ(task().stage(), Stage::deploy_staging) << task().row().again_reason;
    EXPECT_TRUE(scene.runs("HELLO-1", Role::retest));
    EXPECT_EQ(scene::sh(scene.forge.path, "git merge-base --is-ancestor " + moved + " task/HELLO-1 && echo on top"), "on top");
    EXPECT_EQ(task().row().retries.conflict, 0);
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
}

// Its code came there by an earlier merge of it that was waited for in vain, and its artefacts went on.
TEST_F(MergeGate, CodeThatTheTargetHasAlreadyIsMergedAndNothingLandsTwice) {
    staged();
    const auto landed = scene.forge.at("task/HELLO-1");
    task().commits({{"docs/work-items/HELLO-1/14-staging.md", "Again\n"}});
    scene::sh(scene.forge.path, "git update-ref refs/heads/main " + landed);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::deploy) << task().row().hold_reason;
    EXPECT_EQ(task().row().merged, landed);
    EXPECT_EQ(main(), landed);
    EXPECT_EQ(scene.watch.merges, 0);
}

TEST_F(MergeGate, WhatTheTargetIsSetBackFromDuringTheReTestDoesNotComeBack) {
    const auto good = main();
    const auto bad = target_moves("bad", "bad");
    staged();
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    scene::sh(scene.forge.path, "git update-ref refs/heads/main " + good);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), good) << "what was tested stood on another target";
    ASSERT_TRUE(scene.runs("HELLO-1", Role::retest)) << "of what it is without that: " << task().row().hold_reason;
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_EQ(commits_on_main("bad"), 0);
    EXPECT_EQ(commits_on_main("HELLO-1"), 1);
    EXPECT_EQ(scene::sh(scene.forge.path, "git merge-base --is-ancestor " + bad + " main || echo out"), "out");
    EXPECT_EQ(task().events("stage_changed").size(), 2u) << "nothing was judged anew: the patch is the same";
}

TEST_F(MergeGate, WhatTheTargetIsSetBackFromInTheLastMomentDoesNotComeBack) {
    const auto good = main();
    target_moves("bad", "bad");
    staged();
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    scene.watch.before_merge = [&] {
        scene.watch.before_merge = nullptr;
        scene::sh(scene.forge.path, "git update-ref refs/heads/main " + good);
    };
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), good);
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_EQ(commits_on_main("bad"), 0);
}

TEST_F(MergeGate, AMergeThatWasTakenOutAgainIsAPersonsToDecide) {
    const auto before = main();
    staged();
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    // Merged, and killed before that was written down; somebody looks; then the target is set back.
    scene.watch.before_merge = [&] {
        scene::sh(scene.forge.path, "git update-ref refs/heads/main " + task().row().head);
        must(must(scene.world().open_mirror(scene.project()))->fetch(scene.forge.path));
        scene::sh(scene.forge.path, "git update-ref refs/heads/main " + before);
        throw support::Crashed{};
    };
    EXPECT_THROW(must(scene.step("HELLO-1")), support::Crashed);
    scene.watch.before_merge = nullptr;
    scene.recover("HELLO-1");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), before);
    EXPECT_EQ(task().row().hold, Hold::human);
    EXPECT_NE(task().row().hold_reason.find("set back"), std::string::npos) << task().row().hold_reason;
    EXPECT_EQ(scene.forge.at("task/HELLO-1"), task().row().head) << "the work is still there";
}

TEST_F(MergeGate, ABranchThatIsDeletedDuringTheReTestIsPutBack) {
    staged();
    target_moves();
    must(scene.step("HELLO-1"));
    const auto tested = task().row().head;
    scene.work("HELLO-1", Role::retest);
    scene::sh(scene.forge.path, "git update-ref -d refs/heads/task/HELLO-1");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), tested) << task().row().hold_reason;
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(scene.forge.at("task/HELLO-1"), tested);
    ASSERT_EQ(task().events("branch_restored").size(), 1u);
    EXPECT_NE(task().events("branch_restored")[0].find("orchctl task cancel HELLO-1"), std::string::npos);
}

TEST_F(MergeGate, ABranchThatMergedTheTargetKeepsItsResolution) {
    task().in(Stage::deploy_staging);
    task().commits({{"file", "one\ntwo\nmine\n"}});
    target_moves("file", "theirs");
    scene.forge.commit(
        "git fetch -q; git checkout -q -B t origin/task/HELLO-1; git merge -q origin/main >/dev/null || "
        "{ printf 'one\\ntwo\\nmine and theirs\\n' >file; git commit -qam resolved; }; git push -q origin HEAD:task/HELLO-1");
    task().commits({{"after", "what was judged has the resolution\n"}});
    target_moves("unrelated");
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::staging);
    must(scene.step("HELLO-1"));
    ASSERT_TRUE(scene.runs("HELLO-1", Role::retest)) << task().row().again_reason;
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_EQ(task().row().retries.conflict, 0);
    EXPECT_EQ(scene::sh(scene.forge.path, "git show main:file"), "one\ntwo\nmine and theirs");
    EXPECT_EQ(commits_on_main("unrelated"), 1);
}

TEST_F(MergeGate, ARedReTestGoesBackToTheDeveloper) {
    staged();
    const auto before = main();
    must(scene.step("HELLO-1"));
    scene.fail("HELLO-1", Role::retest, "ended with exit status 1");
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::development);
    EXPECT_EQ(task().row().retries.developer, 1);
    EXPECT_NE(task().row().again_reason.find("re-test"), std::string::npos);
    EXPECT_EQ(main(), before);
    EXPECT_EQ(scene.watch.merges, 0);
}

TEST_F(MergeGate, OneTaskOfARepositoryMergesAtATime) {
    staged("HELLO-1");
    must(scene.step("HELLO-1"));
    staged("HELLO-2");
    must(scene.step("HELLO-2"));
    EXPECT_TRUE(scene.runs("HELLO-1", Role::retest));
    EXPECT_FALSE(scene.runs("HELLO-2", Role::retest));
    EXPECT_EQ(task("HELLO-2").row().waiting_for, wait_merge_lease);
    const auto ahead = must(look_around(view_of(scene.world()), task("HELLO-2").row())).ahead;
    ASSERT_TRUE(ahead);
    EXPECT_EQ(ahead->work_item, "HELLO-1");
    EXPECT_EQ(ahead->lease.key, "local:" + scene.forge.path);
    EXPECT_TRUE(ahead->work);
    scene.work("HELLO-1", Role::retest);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task("HELLO-1").stage(), Stage::deploy);
    must(scene.step("HELLO-2"));  // asked by the release
    EXPECT_TRUE(scene.runs("HELLO-2", Role::retest));
    scene.settle();
    EXPECT_EQ(task("HELLO-1").stage(), Stage::done);
    EXPECT_EQ(task("HELLO-2").stage(), Stage::done);
    EXPECT_EQ(scene.watch.merges, 2);
    EXPECT_EQ(commits_on_main("HELLO-1"), 1);
    EXPECT_EQ(commits_on_main("HELLO-2"), 1);
}

TEST_F(MergeGate, TheLeaseStaysBetweenTheReTestAndTheStepThatFollows) {
    staged("HELLO-1");
    must(scene.step("HELLO-1"));
    staged("HELLO-2");
    scene.work("HELLO-1", Role::retest);
    must(scene.step("HELLO-2"));
    EXPECT_EQ(task("HELLO-2").row().waiting_for, wait_merge_lease);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task("HELLO-1").stage(), Stage::deploy);
}

TEST_F(MergeGate, ATaskThatIsPausedWhileItHoldsTheLeaseStandsInNobodysWay) {
    staged("HELLO-1");
    must(scene.step("HELLO-1"));
    staged("HELLO-2");
    scene.work("HELLO-1", Role::retest);
    scene.running.clear();
    scene.recover("HELLO-1");
    scene.recover("HELLO-2");
    scene.write([&](store::Tx& tx) { return store::pause_task(tx, task("HELLO-1").row().id, "alice", "", scene.now); });
    must(scene.step("HELLO-2"));
    scene.settle();
    EXPECT_EQ(task("HELLO-2").stage(), Stage::done);
    scene.write([&](store::Tx& tx) { return store::resume_task(tx, task("HELLO-1").row().id, scene.now); });
    scene.settle();
    EXPECT_EQ(task("HELLO-1").stage(), Stage::done);
}

TEST_F(MergeGate, CommitsThatComeDuringTheReTestAreNotMergedUnasked) {
    staged();
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    const auto before = main();
    task().commits({{"late.cpp", "int late;\n"}});
    must(scene.step("HELLO-1"));
    EXPECT_EQ(main(), before);
    EXPECT_EQ(task().stage(), Stage::deploy_staging);
    EXPECT_EQ(task().row().retries.again, 1) << "staging is asked again";
    EXPECT_EQ(task().row().stage_seq, 7);
}

TEST_F(MergeGate, ABranchThatTheTargetHasAlreadyIsMergedAlready) {
    staged();
    const auto head = task().row().head;
    scene::sh(scene.forge.path, "git update-ref refs/heads/main " + head);
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(task().row().merged, head);
    EXPECT_EQ(scene.watch.merges, 0);
}

TEST_F(MergeGate, WithoutATestCommandItMergesAtOnce) {
    scene.without({Role::test});
    task().in(Stage::deploy_staging);
    task().commits({{"HELLO-1", "new\n"}});
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::staging);
    target_moves();
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().stage(), Stage::deploy);
    EXPECT_EQ(main(), task().row().merged);
}

TEST_F(MergeGate, R14_AnAnswerThatCannotTellIsHeldAndNeverTriedTwice) {
    staged();
    must(scene.step("HELLO-1"));
    scene.work("HELLO-1", Role::retest);
    // Killed after the merge and before it was written down; then the forge does not say.
    scene.watch.before_merge = [&] { throw support::Crashed{}; };
    EXPECT_THROW(must(scene.step("HELLO-1")), support::Crashed);
    scene.watch.before_merge = nullptr;
    scene.recover("HELLO-1");
    scene.watch.silent = true;
    must(scene.step("HELLO-1"));
    EXPECT_EQ(task().row().hold, Hold::human);
    EXPECT_EQ(scene.watch.merges, 1);
    EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty());

    scene.watch.silent = false;
    auto world = scene.world("control");
    must(release_hold(world, "HELLO-1", "uid:1000 alice"));
    scene.settle();
    EXPECT_EQ(task().stage(), Stage::done);
    EXPECT_EQ(commits_on_main("HELLO-1"), 1);
}

// A merge that is killed at its n-th boundary, and what recovery and the next step make of it.
struct KilledMerge : Merging {
    KilledMerge() { scene.without({Role::build}); }
    // False: there was no such boundary.
    bool killed_at(int n) {
        staged();
        target_moves();
        support::CrashAt crash(n);
        try {
            must(scene.step("HELLO-1"));  // rebases and pushes
            scene.work("HELLO-1", Role::retest);
            must(scene.step("HELLO-1"));  // merges
        } catch (const support::Crashed&) {
            where = support::CrashAt::passed().back();
            return true;
        }
        return false;
    }
    // A person has the stage worked anew before anything else looks at it.
    void retried() {
        scene.units.table.clear();
        scene.recover("HELLO-1");
        scene.reboot();
        auto world = scene.world("control");
        must(recover(world));  // the dead step's leases
        if (task().stage() == Stage::deploy_staging) must(retry(world, "HELLO-1", "uid:1000 alice"));
        scene.settle();
        ASSERT_EQ(task().stage(), Stage::done) << where;
        EXPECT_EQ(commits_on_main("HELLO-1"), 1) << where;
        EXPECT_EQ(task().events("merged").size(), 1u) << where;
        EXPECT_EQ(main(), task().row().merged) << where;
        EXPECT_LE(scene.watch.merges, 1) << where;
    }
    void expect_merged_once() {
        scene.units.table.clear();
        scene.recover("HELLO-1");
        scene.settle();
        ASSERT_EQ(task().stage(), Stage::done) << where;
        EXPECT_EQ(commits_on_main("HELLO-1"), 1) << where;
        EXPECT_EQ(task().events("merged").size(), 1u) << where;
        EXPECT_EQ(main(), task().row().merged) << where;
        EXPECT_EQ(task().events("stage_changed").size(), 2u) << where;
        EXPECT_LE(scene.watch.merges, 1) << where;
        EXPECT_TRUE(must(store::all_held(scene.db, store::LeaseKind::merge)).empty()) << where;
    }
    std::string where;
};

TEST(MergeKilled, R14_AtEveryBoundaryItIsMergedExactlyOnceAfterwards) {
    int boundaries = 0;
    for (int n = 1;; ++n) {
        KilledMerge merge;
        if (!merge.killed_at(n)) break;
        merge.expect_merged_once();
        ++boundaries;
    }
    EXPECT_GE(boundaries, 20);
}

TEST(MergeKilled, R14_WorkedAnewByAPersonAtAnyBoundaryItIsMergedExactlyOnce) {
    for (int n = 1;; ++n) {
        KilledMerge merge;
        if (!merge.killed_at(n)) break;
        merge.retried();
    }
}

}  // namespace
}  // namespace orchd::engine
