// What the tests of intake share: a house whose project has a forge and a tracker, and deliveries as they come in.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "engine/intake.h"
#include "engine/operate.h"
#include "store/deliveries.h"
#include "store/seen.h"
#include "support/corpus.h"
#include "support/world.h"

namespace orchd::support {

inline const std::string sample_head = "9fceb02d0ae598e95dc970b74767f19372d61af8";

class IntakeTest : public testing::Test {
protected:
    IntakeTest() {
        scene.project().forge_repository = "acme/app";
        scene.project().tracker_kind = "plane";
        scene.project().tracker_project = "4af68566-94a4-4eb3-94aa-50dc9427067b";
        scene.now.utc_ms = 1'790'000'000'000;  // after the samples: a stamp from the future counts as of now
        world.warn = [this](const std::string&, const std::string& text) { warnings.push_back(text); };
    }
    // The same house over another connection, or another database.
    engine::World over(store::Db& db) {
        return {.db = db,
                .now = world.now,
                .settings = world.settings,
                .projects = world.projects,
                .paths = world.paths,
                .actor = "worker",
                .open_mirror = world.open_mirror,
                .open_forge = world.open_forge,
                .random = world.random};
    }
    // Puts a delivery on record under a key of its own; its id.
    std::int64_t arrives(const std::string& source, const std::string& event, const std::string& body) {
        const store::NewDelivery delivery{.source = source,
                                          .dedup_key = "key-" + std::to_string(++keys),
                                          .body_hash = "h",
                                          .event = event,
                                          .body = body,
                                          .received_at = scene.now.utc_ms};
        (void)scene.write([&](store::Tx& tx) { return store::add_deliveries(tx, std::span(&delivery, 1)); });
        return must(store::list_deliveries(scene.db, {.limit = 1})).at(0).id;
    }
    std::int64_t arrives(const std::string& folder, const std::string& name) {
        const auto s = sample(folder, name);
        return arrives(folder, s.event, s.body);
    }
    engine::IntakeResult take_in() {
        engine::IntakeResult all;
        for (bool more = true; more;) {
            const auto result = must(intake.pass(100));
            all.done += result.done, all.ignored += result.ignored, all.failed += result.failed;
            more = result.more;
        }
        return all;
    }
    // Arrives and is taken in; what became of it.
    store::Delivery taken(const std::string& source, const std::string& event, const std::string& body) {
        const auto id = arrives(source, event, body);
        (void)take_in();
        return delivery(id);
    }
    store::Delivery taken(const std::string& folder, const std::string& name) {
        const auto s = sample(folder, name);
        return taken(folder, s.event, s.body);
    }
    store::Delivery delivery(std::int64_t id) { return must(store::find_delivery(scene.db, id)).value(); }
    void replay(std::int64_t id) {
        scene.write([&](store::Tx& tx) { return store::replay_delivery(tx, id); });
    }
    std::optional<store::Task> task(const std::string& item = "HELLO-1") { return must(store::find_task(scene.db, item)); }
    int queued(Role role) {
        int n = 0;
        for (const auto& c : must(store::list_jobs(scene.db, {.status = JobStatus::queued}))) n += c.job.role == role;
        return n;
    }
    void cancel_advances() {
        for (const auto& c : must(store::list_jobs(scene.db, {.status = JobStatus::queued})))
            if (c.job.role == Role::step)
                scene.write([&](store::Tx& tx) { return store::cancel_queued(tx, c.job.id, "", scene.now); });
    }
    void hold(Hold hold) {
        scene.write([&](store::Tx& tx) -> Status {
            must(store::set_retries(tx, task()->id, {.developer = 3}, scene.now));
            return store::set_hold(tx, task()->id, hold, "the reason", scene.now);
        });
    }
    // A person put the item into To Analyse again, at such an hour of the day of the samples.
    store::Delivery asked_again(const std::string& hour) {
        const auto s = sample("plane", "issue-created");
        return taken("plane", s.event,
                     with(with(with(s.body, "\"action\": \"created\"", "\"action\": \"updated\""), "\"field\": null",
                               "\"field\": \"state\""),
                          "2026-07-01T10:00:00.123456Z", "2026-07-01T" + hour + ":00:00.000000Z"));
    }

    Scene scene;
    engine::World world = scene.world("worker");
    tracker::AsTold tracker;
    forge::AsTold forge;
    engine::Intake intake{world, tracker, forge};
    std::vector<std::string> warnings;
    int keys = 0;
};

}  // namespace orchd::support
