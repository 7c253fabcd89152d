// Verdicts, statuses, dependencies, releases, outbox, history, operator state.
#include "store/facts.h"

#include "store_fixture.h"

namespace orchd::store {
namespace {

using FactsTest = StoreTest;

TEST_F(FactsTest, TheNewestVerdictOfAStageAndGateCounts_R03) {
    const auto t = task("HELLO-1");
    const auto say = [&](std::int64_t seq, Gate gate, Colour colour, const std::string& by, bool unusable = false) {
        write([&](Tx& tx) {
            return add_verdict(tx, {.task_id = t,
                                    .stage_seq = seq,
                                    .gate = gate,
                                    .colour = colour,
                                    .reason = "r",
                                    .commit = "c",
                                    .patch_id = "p",
                                    .by = by,
                                    .unusable = unusable,
                                    .at = 5});
        });
    };
    say(4, Gate::review_approved, Colour::red, "run:1", true);
    say(4, Gate::review_approved, Colour::green, "run:2");
    say(4, Gate::tests_passed, Colour::red, "run:3");
    say(5, Gate::review_approved, Colour::red, "run:4");
    const auto found = must(find_verdict(db, t, 4, Gate::review_approved)).value();
    EXPECT_EQ(found.colour, Colour::green);
    EXPECT_EQ(found.by, "run:2");
    EXPECT_EQ(std::tie(found.reason, found.commit, found.patch_id), std::tuple("r", "c", "p"));
    EXPECT_EQ(must(find_verdict(db, t, 9, Gate::review_approved)), std::nullopt);
    const auto all = must(list_verdicts(db, t));
    ASSERT_EQ(all.size(), 4U);
    EXPECT_TRUE(all[0].unusable);
    EXPECT_EQ(all[3].by, "run:4");
}

TEST_F(FactsTest, OfTwoStatusesTheLaterCountsInWhateverOrderTheyCome_R18) {
    (void)project();
    const auto put = [&](Colour state, std::int64_t at) {
        return must(db.write([&](Tx& tx) {
            return put_status(
                tx, {.project = "hello", .commit = "c1", .context = "orchd/ci", .description = "d", .state = state, .at = at});
        }));
    };
    EXPECT_TRUE(put(Colour::undecided, 10));
    EXPECT_TRUE(put(Colour::green, 30));
    EXPECT_FALSE(put(Colour::red, 20)) << "late";
    EXPECT_FALSE(put(Colour::green, 30)) << "the same again";
    const auto all = must(statuses_of(db, "hello", "c1"));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].state, Colour::green);
    EXPECT_EQ(all[0].at, 30);
    EXPECT_TRUE(must(statuses_of(db, "hello", "c2")).empty());
    EXPECT_FALSE(db.write([&](Tx& tx) {
        return put_status(tx, {.project = "none", .commit = "c1", .context = "x", .state = Colour::red, .at = 1});
    }));
}

TEST_F(FactsTest, ADependencyThatClosesACycleIsRefusedByName_R15) {
    const auto a = task("A-1");
    const auto b = task("B-1");
    const auto c = task("C-1");
    const auto add = [&](std::int64_t task_id, std::int64_t needs) {
        return db.write([&](Tx& tx) { return add_dependency(tx, task_id, needs, "ada"); });
    };
    EXPECT_TRUE(must(add(a, b)));
    EXPECT_FALSE(must(add(a, b))) << "it is there already";
    EXPECT_TRUE(must(add(b, c)));
    auto cycle = add(c, a);
    ASSERT_FALSE(cycle);
    EXPECT_EQ(cycle.error().code, Errc::conflict);
    EXPECT_NE(cycle.error().text.find("C-1 -> A-1 -> B-1 -> C-1"), std::string::npos) << cycle.error().text;
    auto self = add(a, a);
    ASSERT_FALSE(self);
    EXPECT_NE(self.error().text.find("A-1 -> A-1"), std::string::npos) << self.error().text;
    EXPECT_EQ(must(unmet_dependencies(db, a)), std::vector{b});
    EXPECT_TRUE(must(unmet_dependencies(db, c)).empty());
    EXPECT_TRUE(write([&](Tx& tx) { return remove_dependency(tx, b, c); }));
    EXPECT_FALSE(write([&](Tx& tx) { return remove_dependency(tx, b, c); }));
    EXPECT_TRUE(must(add(c, a)));
}

TEST_F(FactsTest, DependenciesAreListedWithWhatTheyNeedInTurn_R15) {
    const auto a = task("A-1");
    const auto b = task("B-1");
    const auto c = task("C-1");
    const auto d = task("D-1");
    for (const auto& [waits, needs] : {std::pair{a, b}, {b, c}, {d, c}})
        EXPECT_TRUE(write([&](Tx& tx) { return add_dependency(tx, waits, needs, "operator"); }));
    const auto edges = [&](const DependencyFilter& filter) {
        std::string text;
        for (const auto& edge : must(list_dependencies(db, filter))) text += edge.work_item + ">" + edge.needs + " ";
        return text;
    };
    EXPECT_EQ(edges({.task_id = a}), "A-1>B-1 B-1>C-1 ");
    EXPECT_EQ(edges({}), "A-1>B-1 B-1>C-1 D-1>C-1 ");
    EXPECT_EQ(edges({.limit = 1}), "A-1>B-1 ");
    must(db.execute("UPDATE tasks SET stage = 'done', stage_seq = 2 WHERE work_item = 'C-1'"));
    EXPECT_EQ(edges({.only_unmet = true}), "A-1>B-1 ");
    EXPECT_EQ(edges({.task_id = c}), "");
    must(db.execute("UPDATE tasks SET stage = 'done', stage_seq = 2 WHERE work_item = 'D-1'"));
    EXPECT_EQ(edges({}), "A-1>B-1 B-1>C-1 ") << "of open tasks alone";
}

TEST_F(FactsTest, OneReleaseOfAProjectIsLive_R30) {
    (void)project();
    const auto put = [&](const std::string& commit, const std::string& state, const std::string& previous = "") {
        write([&](Tx& tx) {
            return put_release(tx, {.project = "hello", .commit = commit, .previous = previous, .state = state, .at = 1});
        });
    };
    EXPECT_EQ(must(live_release(db, "hello")), std::nullopt);
    put("c1", "built");
    EXPECT_EQ(must(live_release(db, "hello")), std::nullopt);
    put("c1", "live");
    put("c2", "built");
    put("c2", "live", "c1");
    put("c2", "live");
    const auto live = must(live_release(db, "hello")).value();
    EXPECT_EQ(live.commit, "c2");
    EXPECT_EQ(live.previous, "c1");
    put("c2", "rolled_back");
    put("c1", "live");
    EXPECT_EQ(must(live_release(db, "hello"))->commit, "c1");
}

TEST_F(FactsTest, APostIsMadeOnceAndWaitsForItsTime_R36) {
    const auto due = [&](const Now& at) {
        std::vector<std::string> keys;
        for (const auto& p : must(due_posts(db, "journal", 10, at))) keys.push_back(p.dedup_key);
        return keys;
    };
    const auto say = [&](const std::string& key, const std::string& channel = "journal") {
        return write([&](Tx& tx) { return post(tx, channel, key, R"({"a":1})", now); });
    };
    EXPECT_TRUE(say("k1"));
    EXPECT_FALSE(say("k1"));
    EXPECT_TRUE(say("k2"));
    EXPECT_TRUE(say("k3", "messenger"));
    using Keys = std::vector<std::string>;
    EXPECT_EQ(due(now), (Keys{"k1", "k2"}));
    EXPECT_EQ(due({.utc_ms = 0, .boot_ms = 0, .boot_id = "boot-2"}), (Keys{"k1", "k2"}));  // whatever the clocks say
    const auto first = must(due_posts(db, "journal", 1, now)).at(0);
    EXPECT_EQ(first.body, R"({"a":1})");
    write([&](Tx& tx) { return put_off_post(tx, first.id, due_in(now, 100)); });
    EXPECT_EQ(due(later(99)), Keys{"k2"});
    EXPECT_EQ(due(later(100)), (Keys{"k1", "k2"}));
    EXPECT_EQ(due({now.utc_ms + 100, 1, "boot-2"}), (Keys{"k1", "k2"}));
    EXPECT_EQ(must(due_posts(db, "journal", 1, later(100))).at(0).attempts, 1);
    write([&](Tx& tx) { return mark_posted(tx, first.id, later(200)); });
    EXPECT_EQ(due(later(300)), Keys{"k2"});
}

TEST_F(FactsTest, TheHistoryIsReadInOrderFromWhereOneWas_R37) {
    EXPECT_EQ(must(newest_event_id(db)), 0);
    for (int n = 1; n <= 5; ++n) {
        const auto id = write([&](Tx& tx) {
            return append_event(
                tx, {.at = n, .actor = "test", .task_id = n % 2, .job_id = std::nullopt, .kind = "k", .data = R"({"n":1})"});
        });
        EXPECT_EQ(id, n);
    }
    const auto ids = [&](const EventFilter& filter) {
        std::vector<std::int64_t> found;
        for (const auto& e : must(list_events(db, filter))) found.push_back(e.id);
        return found;
    };
    using Ids = std::vector<std::int64_t>;
    EXPECT_EQ(ids({}), (Ids{1, 2, 3, 4, 5}));
    EXPECT_EQ(ids({.limit = 2}), (Ids{4, 5}));
    EXPECT_EQ(ids({.after_id = 2, .limit = 2}), (Ids{3, 4}));
    EXPECT_EQ(ids({.task_id = 1}), (Ids{1, 3, 5}));
    EXPECT_EQ(ids({.task_id = 1, .after_id = 1}), (Ids{3, 5}));
    EXPECT_EQ(must(newest_event_id(db)), 5);
    const auto e = must(list_events(db, {.limit = 1})).at(0);
    EXPECT_EQ(std::tie(e.at, e.actor, e.kind, e.data), std::tuple(5, "test", "k", R"({"n":1})"));
    EXPECT_EQ(e.job_id, std::nullopt);
}

TEST_F(FactsTest, OperatorStateAndCountersOutliveTheProcess) {
    write([&](Tx& tx) { return put_state(tx, {.key = "paused", .value = "1", .by = "ada", .reason = "why", .at = 3}); });
    write([&](Tx& tx) { return put_state(tx, {.key = "paused", .value = "2", .by = "bob", .reason = "so", .at = 4}); });
    for (const int by : {1, 4}) write([&](Tx& tx) { return add_to_counter(tx, "healed_total", by, now); });
    Db again = must(Db::open(path, {}));
    const auto row = must(find_state(again, "paused")).value();
    EXPECT_EQ(std::tie(row.value, row.by, row.reason, row.at), std::tuple("2", "bob", "so", 4));
    EXPECT_EQ(must(find_state(again, "healed_total"))->value, "5");
    write([&](Tx& tx) { return clear_state(tx, "paused"); });
    EXPECT_EQ(must(find_state(again, "paused")), std::nullopt);
}

}  // namespace
}  // namespace orchd::store
