// What /queue, /status and /health tell (R37).
#include <boost/json.hpp>

#include "fixture.h"
#include "store/astray.h"
#include "store/deliveries.h"
#include "store/stalls.h"

namespace orchd::views {
namespace {

namespace json = boost::json;
using QueueTest = ViewsTest;

TEST_F(QueueTest, HasABlockForEachSystem) {
    const auto a = task("HELLO-1");
    const auto b = task("HELLO-2");
    (void)write([&](Tx& tx) { return store::add_dependency(tx, a, b, "operator"); });
    (void)write([&](Tx& tx) {
        const std::vector<store::NewDelivery> one{{.source = "gitea",
                                                   .dedup_key = "k",
                                                   .body_hash = "h",
                                                   .event = "push",
                                                   .body = "{}",
                                                   .received_at = 17,
                                                   .also_known_as = {}}};
        return store::add_deliveries(tx, one);
    });
    must(db.write([&](Tx& tx) { return store::add_to_counter(tx, "reaped_total", 3, now); }));
    EXPECT_TRUE(json::parse(must(queue_json(view()))).at("reaper").at("last_pass").is_null());
    must(db.write([&](Tx& tx) { return store::put_state(tx, {"reaper_pass", "1 lease reclaimed", "reaper", "", 99}); }));
    const auto queue = json::parse(must(queue_json(view()))).as_object();
    EXPECT_EQ(queue.at("deliveries").at("pending").as_int64(), 1);
    EXPECT_EQ(queue.at("deliveries").at("oldest_pending_at").as_int64(), 17);
    EXPECT_EQ(queue.at("task_deps").as_array().at(0).at("needs").as_string(), "HELLO-2");
    EXPECT_EQ(queue.at("reaper").at("last_pass").at("at").as_int64(), 99);
    EXPECT_EQ(queue.at("counters").at("reaped_total").as_int64(), 3);
    EXPECT_EQ(queue.at("counters").at("impossible_queued_total").as_int64(), 0);
    for (const auto* block : {"reaper", "reconcile", "transition_lease", "merge_lease", "target_lease", "serial_gate",
                              "task_deps", "staging_runner", "test_runner", "post_deploy", "outbox", "counts", "recent"})
        EXPECT_TRUE(queue.contains(block)) << block;
    for (const auto* block : {"reconcile", "serial_gate", "staging_runner", "test_runner", "post_deploy"}) {
        EXPECT_FALSE(queue.at(block).at("built").as_bool()) << block;
        EXPECT_FALSE(queue.at(block).at("text").as_string().empty()) << block;
    }
}

TEST_F(QueueTest, StatusNamesWhatNeedsAPerson) {
    const auto a = task("HELLO-1");
    must(db.write([&](Tx& tx) { return store::set_hold(tx, a, Hold::infra, "no disk", now); }));
    const auto status = json::parse(must(status_json(view()))).as_object();
    EXPECT_EQ(status.at("open_tasks").as_int64(), 1);
    EXPECT_EQ(status.at("needs_you").as_array().at(0).at("reason").as_string(), "no disk");
    EXPECT_TRUE(status.at("paused").is_null());
    EXPECT_EQ(status.at("projects").as_array().at(0).at("problem").as_string(), "line 3: unknown key");
}

TEST_F(QueueTest, DeliveriesOfAProjectThatLeadNowhereNeedAPerson) {
    (void)write([&](Tx& tx) { return store::note_astray(tx, "gitea/gone", 2, "acme/app", 17); });
    (void)write([&](Tx& tx) { return store::note_astray(tx, "gitea", 3, "nobodys/own", 18); });
    const auto needing = json::parse(must(status_json(view()))).at("needs_you").as_array();
    ASSERT_EQ(needing.size(), 1U);
    EXPECT_EQ(needing.at(0).at("project").as_string(), "gone");
    EXPECT_NE(needing.at(0).at("reason").as_string().find("lead nowhere"), std::string_view::npos);
    const auto astray = json::parse(must(queue_json(view()))).at("astray").as_array();
    ASSERT_EQ(astray.size(), 2U);
    EXPECT_EQ(astray.at(0).at("project").as_string(), "gone") << "the newest is the other: what needs a person goes first";
    EXPECT_EQ(astray.at(1).at("repository").as_string(), "nobodys/own");
}

TEST_F(QueueTest, TheStateOfTheSettingsIsToldWhereverPeopleLook) {
    (void)task("HELLO-1");
    for (const auto& page : {must(queue_json(view())), must(status_json(view()))})
        EXPECT_EQ(json::parse(page).at("settings").at("state").as_string(), "in force");
    settings::Condition condition;
    condition.state = settings::Condition::State::kept;
    condition.problems = {"orchd.toml:1: x: unknown key", "orchd.toml:2: y: unknown key"};
    condition.warnings = {"default:1: ORCH_X: unknown setting"};
    condition.generation = 3;
    condition.good_at = 17;
    auto wrong = view();
    wrong.condition = &condition;
    const std::string said =
        "The settings are wrong, and the last good ones stay in force: orchd.toml:1: x: unknown key (and 1 more)";
    for (const auto& page : {must(queue_json(wrong)), must(status_json(wrong))}) {
        const auto told = json::parse(page).at("settings").as_object();
        EXPECT_EQ(told.at("state").as_string(), "kept");
        EXPECT_EQ(told.at("text").as_string(), said);
        EXPECT_EQ(told.at("problems").as_array().size(), 2U);
        EXPECT_EQ(told.at("warnings").as_array().at(0).as_string(), "default:1: ORCH_X: unknown setting");
        EXPECT_EQ(told.at("generation").as_int64(), 3);
        EXPECT_EQ(told.at("good_at").as_int64(), 17);
    }
    EXPECT_EQ(json::parse(must(task_json(wrong, "HELLO-1"))).at("settings").as_string(), said);
    EXPECT_EQ(json::parse(must(task_json(view(), "HELLO-1"))).at("settings").as_string(), "");
}

TEST_F(QueueTest, StatusSaysASentenceAndWhatToTypeWhereAnApprovalIsWaitedFor) {
    const auto a = task("HELLO-1");
    must(db.write([&](Tx& tx) { return store::set_waiting(tx, a, "check_analysis_approved", "waits for an approval", now); }));
    const auto status = json::parse(must(status_json(view()))).as_object();
    const auto& one = status.at("needs_you").as_array().at(0);
    for (const auto* key : {"reason", "why"})
        EXPECT_TRUE(one.at(key).as_string().starts_with("Its analysis waits for an approval")) << one.at(key);
    EXPECT_EQ(one.at("command").as_string(), "orchctl task approve HELLO-1");
}

TEST_F(QueueTest, HealthIsTheReadingOfTheDatabase) {
    EXPECT_EQ(must(health_json(view())), R"({"status":"ok"})");
    must(db.execute("ALTER TABLE totals RENAME TO t"));
    EXPECT_FALSE(health_json(view())) << "what one page needs";
    must(db.execute("ALTER TABLE t RENAME TO totals"));
    EXPECT_TRUE(health_json(view()));
    must(db.execute("DROP TABLE events"));
    EXPECT_FALSE(health_json(view()));
}

TEST_F(QueueTest, NobodyToDoTheWorkIsTold) {
    settings.disk_floor_bytes = 0;
    auto seen = view();
    EXPECT_TRUE(json::parse(must(status_json(seen))).at("worker_alive").is_null());
    EXPECT_TRUE(json::parse(must(status_json(seen))).at("problems").as_array().empty());
    seen.worker_lives = false;
    const auto status = json::parse(must(status_json(seen)));
    EXPECT_EQ(status.at("worker_alive").as_bool(), false);
    EXPECT_NE(status.at("problems").as_array().at(0).as_string().find("No worker runs"), json::string::npos);
    EXPECT_EQ(json::parse(must(queue_json(seen))).at("worker").at("alive").as_bool(), false);
}

TEST_F(QueueTest, WhatCannotEndIsTold) {
    settings.disk_floor_bytes = 0;
    (void)ask(task("HELLO-1"), Role::developer);
    const auto claim = claim_one();
    must(db.write([&](Tx& tx) -> Status {
        must(store::record_exit(tx, claim.run.id, {ExitKind::exited, 0}, "i", now));
        store::Stall stall;
        stall.run_id = claim.run.id;
        stall.words = "Permission denied";
        stall.tries = 1;
        return store::put_stall(tx, stall);
    }));
    const auto running = json::parse(must(queue_json(view()))).at("running").as_array();
    EXPECT_EQ(running.at(0).at("stall").at("words").as_string(), "Permission denied");
    EXPECT_EQ(json::parse(must(task_json(view(), "HELLO-1"))).at("stall").at("tries").as_int64(), 1);
    EXPECT_EQ(json::parse(must(status_json(view()))).at("problems").as_array().size(), 1u);
}

}  // namespace
}  // namespace orchd::views
