// org.orchd1 on a real bus, over a real database (R42).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <regex>
#include <sstream>

#include "control/fixture.h"
#include "engine/events.h"
#include "engine/operate.h"
#include "host/host.h"
#include "store/deliveries.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::control {
namespace {

using ServiceTest = ControlTest;

TEST_F(ServiceTest, a_created_task_stands_at_analysis_with_its_first_job) {
    const auto answer =
        call("CreateTask", "sssa{sv}", "hello", "HELLO-1", "A greeting", 2, "body", "s", "Say hello.", "priority", "u", 7);
    EXPECT_EQ(answer.text(), "/org/orchd1/task/HELLO_2d1") << answer.error_text();
    const auto task = store::find_task(db_, "HELLO-1");
    ASSERT_TRUE(task && *task);
    EXPECT_EQ((*task)->body, "Say hello.");
    const auto jobs = store::list_jobs(db_, {});
    ASSERT_TRUE(jobs && jobs->size() == 1);
    EXPECT_EQ(jobs->front().job.role, Role::analyst);
    EXPECT_EQ(jobs->front().job.priority, 7);
    const auto events = store::list_events(db_, {});
    ASSERT_TRUE(events && !events->empty());
    EXPECT_EQ(events->front().actor, "uid:0 root") << "who asked is written down";
}

TEST_F(ServiceTest, errors_carry_our_names_and_a_sentence) {
    make_task("HELLO-1");
    const auto again = call("CreateTask", "sssa{sv}", "hello", "HELLO-1", "A greeting", 0);
    EXPECT_EQ(again.error(), "org.orchd1.Error.Conflict");
    EXPECT_NE(again.error_text().find("HELLO-1"), std::string::npos);
    EXPECT_EQ(call("Approve", "s", "HELLO-1").error(), "org.orchd1.Error.Conflict") << "no human gate is open";
    EXPECT_EQ(call("Approve", "s", "HELLO-9").error(), "org.orchd1.Error.NoSuchTask");
    EXPECT_EQ(call("CreateTask", "sssa{sv}", "bye", "BYE-1", "x", 0).error(), "org.orchd1.Error.NoSuchTask");
    EXPECT_EQ(call("CreateTask", "sssa{sv}", "hello", "HELLO-2", "x", 1, "priority", "u", 10).error(),
              "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(call("RetryJob", "t", std::uint64_t{99}).error(), "org.orchd1.Error.NoSuchTask");
    EXPECT_EQ(call("Pause", "ss", "host:x", "r").error(), "org.orchd1.Error.InvalidArgument");
}

TEST_F(ServiceTest, a_task_is_sent_back_and_edited) {
    make_task("HELLO-1");
    EXPECT_EQ(call("SendBack", "sss", "HELLO-1", "analysis", "it greets nobody").error(), "");
    const auto task = store::find_task(db_, "HELLO-1");
    ASSERT_TRUE(task && *task);
    EXPECT_EQ((*task)->again_reason, "sent back from analysis by uid:0 root: it greets nobody");
    EXPECT_EQ((*task)->stage_seq, 2);
    const auto nowhere = call("SendBack", "sss", "HELLO-1", "limbo", "why");
    EXPECT_EQ(nowhere.error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_NE(nowhere.error_text().find("known are analysis, architecture"), std::string::npos);
    EXPECT_EQ(call("SendBack", "sss", "HELLO-1", "review", "why").error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(call("EditTask", "sa{sv}", "HELLO-1", 2, "body", "s", "In Latin.", "priority", "u", 8).error(), "");
    EXPECT_EQ((*store::find_task(db_, "HELLO-1"))->body, "In Latin.");
    EXPECT_EQ((*store::find_task(db_, "HELLO-1"))->title, (*task)->title);
    EXPECT_EQ(call("EditTask", "sa{sv}", "HELLO-1", 0).error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(call("EditTask", "sa{sv}", "HELLO-1", 1, "title", "s", "").error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(call("EditTask", "sa{sv}", "HELLO-1", 1, "priority", "u", 10).error(), "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(call("EditTask", "sa{sv}", "HELLO-1", 1, "stage", "s", "done").error(), "org.orchd1.Error.InvalidArgument");
}

TEST_F(ServiceTest, a_reason_that_says_nothing_is_refused) {
    make_task("HELLO-1");
    for (const auto* reason : {"", " ", "\n\t "}) {
        for (const auto& answer :
             {call("Reject", "ss", "HELLO-1", reason), call("Cancel", "ss", "HELLO-1", reason),
              call("SendBack", "sss", "HELLO-1", "analysis", reason), call("Pause", "ss", "task:HELLO-1", reason),
              call("ReleaseTransitionLease", "ssa{sv}", "HELLO-1", reason, 0),
              call("ReleaseMergeLease", "ssa{sv}", "staging:hello", reason, 0)}) {
            EXPECT_EQ(answer.error(), "org.orchd1.Error.InvalidArgument");
            EXPECT_NE(answer.error_text().find("a reason says something"), std::string::npos) << answer.error_text();
        }
    }
    EXPECT_EQ((*store::find_task(db_, "HELLO-1"))->stage_seq, 1);
}

TEST_F(ServiceTest, one_number_is_one_task_however_it_is_written) {
    make_task("HELLO-1");
    EXPECT_EQ(call("CreateTask", "sssa{sv}", "hello", "HELLO-01", "A greeting", 0).error(), "org.orchd1.Error.Conflict");
    EXPECT_EQ(call("GetTask", "s", "HELLO-01").error(), "");
    auto jobs = call("ListJobs", "a{sv}", 1, "work_item", "s", "HELLO-001");
    ASSERT_GE(sd_bus_message_enter_container(jobs.message.get(), 'a', "(tsssssbuuutssstttto)"), 0) << jobs.error_text();
    EXPECT_EQ(sd_bus_message_at_end(jobs.message.get(), 0), 0) << "its job is told";
    EXPECT_EQ(call("Cancel", "ss", "HELLO-01", "not wanted").error(), "");
    EXPECT_EQ((*store::find_task(db_, "HELLO-1"))->stage, Stage::cancelled);
}

TEST_F(ServiceTest, a_database_that_cannot_be_had_is_an_error_to_each_caller) {
    make_task("HELLO-1");
    database_gone_ = true;
    EXPECT_EQ(call("ListTasks", "a{sv}", 0).error(), "org.orchd1.Error.Io");
    EXPECT_EQ(call("Retry", "s", "HELLO-1").error(), "org.orchd1.Error.Io");
    EXPECT_EQ(get_property("/org/orchd1", "org.orchd1.Manager", "NQueued").error(), "org.orchd1.Error.Io");
    EXPECT_EQ(get_property("/org/orchd1/task/HELLO_2d1", "org.orchd1.Task", "Stage").error(), "org.orchd1.Error.Io");
    database_gone_ = false;
    EXPECT_EQ(call("ListTasks", "a{sv}", 0).error(), "");
}

TEST_F(ServiceTest, lists_answer_what_the_filters_ask_for) {
    make_task("HELLO-1");
    make_task("HELLO-2");
    ASSERT_EQ(call("Cancel", "ss", "HELLO-2", "not wanted").error(), "");
    auto open = call("ListTasks", "a{sv}", 1, "open", "b", 1);
    ASSERT_GE(sd_bus_message_enter_container(open.message.get(), 'a', "(sssstsbbusstto)"), 0);
    const char *work_item = nullptr, *project = nullptr, *title = nullptr, *stage = nullptr;
    ASSERT_GE(sd_bus_message_enter_container(open.message.get(), 'r', "sssstsbbusstto"), 0);
    ASSERT_GE(sd_bus_message_read(open.message.get(), "ssss", &work_item, &project, &title, &stage), 0);
    EXPECT_STREQ(work_item, "HELLO-1");
    EXPECT_STREQ(project, "hello");
    EXPECT_STREQ(stage, "analysis");
    ASSERT_GE(sd_bus_message_skip(open.message.get(), "tsbb"), 0);
    std::uint32_t priority = 0;
    ASSERT_GE(sd_bus_message_read(open.message.get(), "u", &priority), 0);
    EXPECT_EQ(priority, 5U);
    ASSERT_GE(sd_bus_message_skip(open.message.get(), "sstto"), 0);
    ASSERT_GE(sd_bus_message_exit_container(open.message.get()), 0);
    EXPECT_EQ(sd_bus_message_at_end(open.message.get(), 0), 1) << "the cancelled task is left out";

    EXPECT_EQ(call("ListJobs", "a{sv}", 1, "work_item", "s", "HELLO-9").error(), "org.orchd1.Error.NoSuchTask");
    EXPECT_EQ(call("ListJobs", "a{sv}", 1, "work_item", "s", "HELLO-1").error(), "");
    EXPECT_EQ(call("ListEvents", "a{sv}", 2, "work_item", "s", "HELLO-1", "after", "t", std::uint64_t{1}).error(), "");
    EXPECT_EQ(call("ListProjects").error(), "");
}

TEST_F(ServiceTest, get_task_tells_the_whole_story) {
    make_task("HELLO-1");
    ASSERT_EQ(call("Pause", "ss", "task:HELLO-1", "lunch").error(), "");
    const auto story = boost::json::parse(call("GetTask", "s", "HELLO-1").text()).as_object();
    EXPECT_EQ(story.at("stage").as_string(), "analysis");
    EXPECT_EQ(story.at("priority").as_int64(), 5);
    EXPECT_EQ(story.at("paused").as_object().at("reason").as_string(), "lunch");
    EXPECT_EQ(story.at("why").as_string(), "Paused by uid:0 root: lunch");
    EXPECT_EQ(story.at("command").as_string(), "orchctl resume task:HELLO-1");
    const auto& job = story.at("jobs").as_array().at(0).as_object();
    EXPECT_EQ(job.at("role").as_string(), "analyst");
    EXPECT_TRUE(job.at("blocked").as_bool());
    EXPECT_TRUE(job.at("runs").as_array().empty());
    EXPECT_TRUE(story.at("lease").is_null());
    const auto& events = story.at("events").as_array();
    EXPECT_EQ(events.at(0).as_object().at("kind").as_string(), "task_created");
    EXPECT_EQ(events.at(0).as_object().at("data").as_object().at("title").as_string(), "A greeting");
    EXPECT_EQ(call("GetTask", "s", "HELLO-9").error(), "org.orchd1.Error.NoSuchTask");
}

TEST_F(ServiceTest, get_queue_counts_and_names_a_broken_project) {
    make_task("HELLO-1");
    const auto queue = boost::json::parse(call("GetQueue").text()).as_object();
    EXPECT_EQ(queue.at("counts").as_object().at("queued").as_int64(), 1);
    EXPECT_EQ(queue.at("queued").as_array().at(0).as_object().at("work_item").as_string(), "HELLO-1");
    const auto& projects = queue.at("projects").as_array();
    ASSERT_EQ(projects.size(), 2U);
    EXPECT_EQ(projects.at(0).as_object().at("problem").as_string(), "line 3: unknown key");
    EXPECT_EQ(projects.at(1).as_object().at("open_tasks").as_int64(), 1);
}

TEST_F(ServiceTest, a_task_object_has_a_property_for_every_column) {
    make_task("HELLO-1");
    EXPECT_EQ(get_property("/org/orchd1/task/HELLO_2d1", "org.orchd1.Task", "Stage").text(), "analysis");
    EXPECT_EQ(get_property("/org/orchd1/task/HELLO_2d1", "org.orchd1.Task", "Branch").text(), "task/HELLO-1");
    EXPECT_EQ(get_property("/org/orchd1/job/1", "org.orchd1.Job", "Task").text(), "/org/orchd1/task/HELLO_2d1");
    EXPECT_EQ(get_property("/org/orchd1/task/HELLO_2d9", "org.orchd1.Task", "Stage").error(),
              "org.freedesktop.DBus.Error.UnknownObject");
    EXPECT_EQ(get_property("/org/orchd1/job/x", "org.orchd1.Job", "Status").error(),
              "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_F(ServiceTest, the_object_manager_lists_open_tasks_and_live_jobs) {
    make_task("HELLO-1");
    make_task("HELLO-2");
    ASSERT_EQ(call("Cancel", "ss", "HELLO-2", "not wanted").error(), "");
    sd_bus_message* raw = nullptr;
    ASSERT_GE(sd_bus_message_new_method_call(caller_.get(), &raw, "org.orchd1", "/org/orchd1",
                                             "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"),
              0);
    const auto answer = send(*caller_, host::Message(raw));
    ASSERT_EQ(answer.error(), "");
    std::set<std::string> paths;
    ASSERT_GE(sd_bus_message_enter_container(answer.message.get(), 'a', "{oa{sa{sv}}}"), 0);
    while (sd_bus_message_enter_container(answer.message.get(), 'e', "oa{sa{sv}}") > 0) {
        const char* path = nullptr;
        ASSERT_GE(sd_bus_message_read(answer.message.get(), "o", &path), 0);
        paths.insert(path);
        ASSERT_GE(sd_bus_message_skip(answer.message.get(), "a{sa{sv}}"), 0);
        ASSERT_GE(sd_bus_message_exit_container(answer.message.get()), 0);
    }
    EXPECT_TRUE(paths.contains("/org/orchd1/task/HELLO_2d1"));
    EXPECT_TRUE(paths.contains("/org/orchd1/job/1"));
    EXPECT_FALSE(paths.contains("/org/orchd1/task/HELLO_2d2"));
    EXPECT_FALSE(paths.contains("/org/orchd1/job/2"));
}

TEST_F(ServiceTest, what_is_committed_elsewhere_is_signalled_after_a_poke) {
    listen_to_signals();
    ASSERT_EQ(call("Subscribe").error(), "");
    const auto task = make_task("HELLO-1");

    const char *from = nullptr, *to = nullptr;
    std::uint64_t id = 0;
    ASSERT_GE(sd_bus_message_read(take("JobChanged").get(), "tss", &id, &from, &to), 0);
    EXPECT_EQ(id, 1U);
    EXPECT_NE(take("InterfacesAdded"), nullptr);

    const auto held = db_.write(
        [&](store::Tx& tx) { return engine::change_hold(engine::acting(world_, tx), task, Hold::infra, "disk full"); });
    ASSERT_TRUE(held);
    world_.poke_events();
    const char *work_item = nullptr, *hold = nullptr, *reason = nullptr;
    const auto hold_changed = take("HoldChanged");
    ASSERT_GE(sd_bus_message_read(hold_changed.get(), "sss", &work_item, &hold, &reason), 0);
    EXPECT_STREQ(work_item, "HELLO-1");
    EXPECT_STREQ(hold, "infra");
    EXPECT_STREQ(reason, "disk full");

    ASSERT_TRUE(db_.write([&](store::Tx& tx) {
        return engine::add_event(engine::acting(world_, tx), "lease_reclaimed", task.id, std::nullopt,
                                 {{"kind", "transition"}, {"key", "HELLO-1"}, {"forced", std::int64_t{1}}});
    }));
    world_.poke_events();
    const char *kind = nullptr, *key = nullptr;
    int forced = 0;
    const auto reclaimed = take("LeaseReclaimed");
    ASSERT_GE(sd_bus_message_read(reclaimed.get(), "ssb", &kind, &key, &forced), 0);
    EXPECT_STREQ(kind, "transition");
    EXPECT_STREQ(key, "HELLO-1");
    EXPECT_EQ(forced, 1);

    ASSERT_EQ(call("Cancel", "ss", "HELLO-1", "not wanted").error(), "");
    std::uint64_t seq = 0;
    const auto stage_changed = take("TaskStageChanged");
    ASSERT_GE(sd_bus_message_read(stage_changed.get(), "ssst", &work_item, &from, &to, &seq), 0);
    EXPECT_STREQ(from, "analysis");
    EXPECT_STREQ(to, "cancelled");
    EXPECT_EQ(seq, 2U);
    EXPECT_NE(take("InterfacesRemoved"), nullptr);
}

TEST_F(ServiceTest, history_from_before_the_start_is_not_told_again) {
    make_task("HELLO-1");
    start_service();
    listen_to_signals();
    ASSERT_EQ(call("Subscribe").error(), "");
    make_task("HELLO-2");
    const char *from = nullptr, *to = nullptr;
    std::uint64_t id = 0;
    ASSERT_GE(sd_bus_message_read(take("JobChanged").get(), "tss", &id, &from, &to), 0);
    EXPECT_EQ(id, 2U) << "the first signal is of the second task's job";
}

TEST_F(ServiceTest, a_pause_changes_the_managers_properties) {
    listen_to_signals();
    ASSERT_EQ(call("Subscribe").error(), "");
    ASSERT_EQ(call("Pause", "ss", "", "moving house").error(), "");
    EXPECT_NE(take("PropertiesChanged"), nullptr);
    EXPECT_EQ(get_property("/org/orchd1", "org.orchd1.Manager", "PauseReason").text(), "moving house");
    EXPECT_EQ(call("Pause", "ss", "", "again").error(), "org.orchd1.Error.Conflict");
    ASSERT_EQ(call("Resume", "s", "").error(), "");
    EXPECT_EQ(get_property("/org/orchd1", "org.orchd1.Manager", "PauseReason").text(), "");
}

TEST_F(ServiceTest, it_is_idle_unless_somebody_on_the_bus_is_subscribed) {
    EXPECT_TRUE(service_->idle());
    ASSERT_EQ(call("Subscribe").error(), "");
    EXPECT_FALSE(service_->idle());
    ASSERT_EQ(call("Unsubscribe").error(), "");
    EXPECT_TRUE(service_->idle());

    auto other = bus_.connect(*event_);
    ASSERT_EQ(send(*other, manager_call(*other, "Subscribe")).error(), "");
    EXPECT_FALSE(service_->idle());
    other.reset();
    run_until([&] { return service_->idle(); });
}

// Introspection without comments and white space, one interface of it.
std::string interface_of(const std::string& xml, const std::string& name) {
    const auto bare = std::regex_replace(xml, std::regex("<!--[^]*?-->|\\s+(?=<)"), "");
    const auto begin = bare.find("<interface name=\"" + name + "\">");
    const auto end = bare.find("</interface>", begin);
    return begin == std::string::npos ? "" : bare.substr(begin, end - begin);
}

TEST_F(ServiceTest, a_task_waits_for_another_until_it_is_told_not_to) {  // R15
    make_task("HELLO-1");
    make_task("HELLO-2");
    ASSERT_EQ(call("AddDependency", "ss", "HELLO-01", "HELLO-002").error(), "");
    ASSERT_EQ(call("AddDependency", "ss", "HELLO-1", "HELLO-2").error(), "") << "twice is once";
    const auto story = boost::json::parse(call("GetTask", "s", "HELLO-1").text()).as_object();
    EXPECT_EQ(story.at("why").as_string(), "Waits until HELLO-2 is done.");
    EXPECT_TRUE(story.at("jobs").as_array().at(0).as_object().at("blocked").as_bool());
    const auto& added = story.at("events").as_array().back().as_object();
    EXPECT_EQ(added.at("kind").as_string(), "dependency_added");
    EXPECT_EQ(added.at("data").at("needs").as_string(), "HELLO-2") << "however it was typed";

    const auto cycle = call("AddDependency", "ss", "HELLO-2", "HELLO-1");
    EXPECT_EQ(cycle.error(), "org.orchd1.Error.Conflict");
    EXPECT_NE(cycle.error_text().find("HELLO-2 -> HELLO-1 -> HELLO-2"), std::string::npos) << cycle.error_text();
    EXPECT_EQ(call("AddDependency", "ss", "HELLO-1", "HELLO-9").error(), "org.orchd1.Error.NoSuchTask");
    EXPECT_EQ(call("AddDependency", "ss", "HELLO-1", "hello").error(), "org.orchd1.Error.InvalidArgument");

    const auto edges = call("ListDependencies", "a{sv}", 1, "work_item", "s", "HELLO-1");
    const char *item = nullptr, *needs = nullptr, *stage = nullptr, *source = nullptr;
    ASSERT_GE(sd_bus_message_enter_container(edges.message.get(), 'a', "(ssss)"), 0) << edges.error_text();
    ASSERT_GE(sd_bus_message_read(edges.message.get(), "(ssss)", &item, &needs, &stage, &source), 0);
    EXPECT_EQ(std::string(item) + needs + stage + source, "HELLO-1HELLO-2analysisoperator");

    ASSERT_EQ(call("RemoveDependency", "ss", "HELLO-1", "HELLO-2").error(), "");
    EXPECT_EQ(call("RemoveDependency", "ss", "HELLO-1", "HELLO-2").error(), "org.orchd1.Error.NoSuchTask");
    const auto jobs = store::list_jobs(db_, {.work_item = "HELLO-1"});
    ASSERT_TRUE(jobs);
    EXPECT_FALSE(jobs->at(0).job.blocked);
}

TEST_F(ServiceTest, R13_a_lease_is_released_by_name_with_a_reason) {
    make_task("HELLO-1");
    EXPECT_EQ(call("ReleaseTransitionLease", "ssa{sv}", "HELLO-1", "why", 0).error(), "org.orchd1.Error.Conflict")
        << "its lease is free";
    EXPECT_EQ(call("ReleaseTransitionLease", "ssa{sv}", "HELLO-1", "why", 1, "now", "b", 1).error(),
              "org.orchd1.Error.InvalidArgument");
    EXPECT_EQ(call("ReleaseMergeLease", "ssa{sv}", "local:/nowhere", "why", 1, "force", "b", 1).error(),
              "org.orchd1.Error.NoSuchTask");
    EXPECT_EQ(call("Reap").error(), "org.orchd1.Error.Unavailable") << "there is no systemd here to start it";
    settings_.reaper_enabled = false;
    EXPECT_EQ(call("Reap").error(), "org.orchd1.Error.Conflict");
}

TEST_F(ServiceTest, deliveries_are_listed_shown_and_taken_in_again) {
    const store::NewDelivery delivery{.source = "gitea/hello",
                                      .dedup_key = "k",
                                      .body_hash = "h",
                                      .event = "push",
                                      .body = "{\"ref\":\"\xff\"}",
                                      .received_at = 7};
    ASSERT_TRUE(db_.write([&](store::Tx& tx) { return store::add_deliveries(tx, std::span(&delivery, 1)); }));
    ASSERT_TRUE(db_.write([&](store::Tx& tx) { return store::settle_delivery(tx, 1, store::DeliveryState::failed, "odd"); }));

    const auto list = call("ListDeliveries", "a{sv}", 1, "state", "s", "failed");
    std::uint64_t id = 0, at = 0;
    const char *source = nullptr, *event = nullptr, *state = nullptr, *outcome = nullptr;
    ASSERT_GE(sd_bus_message_enter_container(list.message.get(), 'a', "(tsstss)"), 0) << list.error_text();
    ASSERT_GE(sd_bus_message_read(list.message.get(), "(tsstss)", &id, &source, &event, &at, &state, &outcome), 0);
    EXPECT_EQ(std::string(source) + event + state + outcome, "gitea/hellopushfailedodd");
    EXPECT_EQ(id + at, 8U);
    EXPECT_EQ(call("ListDeliveries", "a{sv}", 1, "state", "s", "odd").error(), "org.orchd1.Error.InvalidArgument");

    const auto shown = boost::json::parse(call("GetDelivery", "t", std::uint64_t{1}).text()).as_object();
    EXPECT_EQ(shown.at("body").as_string(), "{\"ref\":\"\xef\xbf\xbd\"}") << "as far as the bus can carry it";
    EXPECT_EQ(call("GetDelivery", "t", std::uint64_t{9}).error(), "org.orchd1.Error.NoSuchTask");

    EXPECT_EQ(call("ReplayDelivery", "t", std::uint64_t{1}).error(), "");
    EXPECT_EQ(store::find_delivery(db_, 1)->value().state, store::DeliveryState::pending);
    EXPECT_EQ(call("ReplayDelivery", "t", std::uint64_t{9}).error(), "org.orchd1.Error.NoSuchTask");
}

TEST_F(ServiceTest, leases_are_listed_with_whose_they_are) {
    const auto task = make_task("HELLO-1");
    const auto jobs = store::list_jobs(db_, {});
    ASSERT_TRUE(jobs);
    const auto taken = db_.write([&](store::Tx& tx) -> Status {
        const auto now = host::now();
        const store::LeaseOwner owner{.unit = "orchd-step@HELLO-1.service", .invocation_id = "i", .boot_id = "b", .pid = 7};
        auto fence = store::acquire_transition(tx, task.id, owner, 0, Stage::analysis, std::nullopt, now);
        if (!fence) return fail(fence.error());
        auto held = store::acquire_held(tx, store::LeaseKind::merge, "/srv/git/hello.git", task.id, jobs->at(0).job.id, now);
        return held ? Status() : fail(held.error());
    });
    ASSERT_TRUE(taken);
    const auto leases = call("ListLeases");
    ASSERT_GE(sd_bus_message_enter_container(leases.message.get(), 'a', "(sssstsstso)"), 0) << leases.error_text();
    for (const std::string expected :
         {"transition HELLO-1 HELLO-1 hello 0 orchd-step@HELLO-1.service", "merge /srv/git/hello.git HELLO-1 hello 1 "}) {
        const char *kind = nullptr, *key = nullptr, *item = nullptr, *project = nullptr, *unit = nullptr;
        std::uint64_t job = 0;
        ASSERT_GE(sd_bus_message_enter_container(leases.message.get(), 'r', "sssstsstso"), 0);
        ASSERT_GE(sd_bus_message_read(leases.message.get(), "sssstss", &kind, &key, &item, &project, &job, &unit, nullptr), 0);
        ASSERT_GE(sd_bus_message_skip(leases.message.get(), "tso"), 0);
        ASSERT_GE(sd_bus_message_exit_container(leases.message.get()), 0);
        EXPECT_EQ(std::string(kind) + ' ' + key + ' ' + item + ' ' + project + ' ' + std::to_string(job) + ' ' + unit,
                  expected);
    }
}

TEST_F(ServiceTest, introspection_says_what_the_checked_in_xml_says) {
    make_task("HELLO-1");
    std::ifstream file(ORCHD_INTERFACE_XML);
    std::stringstream checked_in;
    checked_in << file.rdbuf();
    const std::vector<std::pair<const char*, const char*>> objects{{"/org/orchd1", "org.orchd1.Manager"},
                                                                   {"/org/orchd1/task/HELLO_2d1", "org.orchd1.Task"},
                                                                   {"/org/orchd1/job/1", "org.orchd1.Job"}};
    for (const auto& [path, interface] : objects) {
        sd_bus_message* raw = nullptr;
        ASSERT_GE(sd_bus_message_new_method_call(caller_.get(), &raw, "org.orchd1", path, "org.freedesktop.DBus.Introspectable",
                                                 "Introspect"),
                  0);
        const auto expected = interface_of(checked_in.str(), interface);
        ASSERT_FALSE(expected.empty()) << interface;
        EXPECT_EQ(interface_of(send(*caller_, host::Message(raw)).text(), interface), expected) << path;
    }
}

}  // namespace
}  // namespace orchd::control
