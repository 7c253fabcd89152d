// What the tests of the transition path share.
#pragma once

#include <gtest/gtest.h>
#include <algorithm>
#include <string>
#include <vector>

#include "engine/advance.h"
#include "engine/operate.h"
#include "support/world.h"

namespace orchd::engine {

using support::must;

class Advance : public ::testing::Test {
protected:
    support::TaskWords task(const std::string& work_item = "HELLO-1") { return scene.task(work_item); }
    // Works the stage that the task stands in, and takes the step that follows.
    void work_and_step(Role role) {
        scene.work("HELLO-1", role);
        must(scene.step("HELLO-1"));
    }
    std::vector<store::OutboxRow> posts(const std::string& containing) {
        auto all = must(store::due_posts(scene.db, "journal", 1000, scene.now));
        std::erase_if(all, [&](const auto& post) { return post.body.find(containing) == std::string::npos; });
        return all;
    }
    void set_retries(const Retries& retries) {
        scene.write([&](store::Tx& tx) { return store::set_retries(tx, task().row().id, retries, scene.now); });
    }
    support::Scene scene;
};

}  // namespace orchd::engine
