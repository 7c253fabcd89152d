// R12: two tasks of one repository that merge at the same time, with one of them killed or paused at every boundary: the
// target's history is linear, has each once, and never stood on a commit that was not tested.
#include <gtest/gtest.h>

#include "core/boundary.h"
#include "engine/leases.h"
#include "support/world.h"

namespace orchd::engine {
namespace {

using support::must;

constexpr const char* items[] = {"HELLO-1", "HELLO-2"};

// What happens at the n-th boundary that is passed outside of it.
struct Hostility {
    int at = 0, passed = 0;
    bool under_way = false;
    std::function<void()> what;
} hostility;

void strike(std::string_view) {
    if (hostility.under_way || ++hostility.passed != hostility.at) return;
    hostility.under_way = true;
    struct Over {
        ~Over() { hostility.under_way = false; }
    } over;
    hostility.what();
}

class Race {
public:
    Race() {
        scene_.without({Role::staging, Role::build});  // the merge is all that is tried
        for (const auto* item : items) {
            scene_.task(item).in(Stage::deploy_staging);
            scene_.task(item).commits({{item, "new\n"}});
        }
        begin_ = scene_.forge.at("main");
    }
    Race(const Race&) = delete;
    ~Race() { set_boundary_hook(nullptr); }

    // False: the race was over before the n-th boundary.
    bool run(int n, std::function<void(Race&)> what) {
        hostility = {.at = n, .what = [this, what = std::move(what)] { what(*this); }};
        set_boundary_hook(strike);
        go_on();
        set_boundary_hook(nullptr);
        return hostility.passed >= n;
    }
    // The one who passes the boundary is stopped there, and the other works as long as it can.
    static void pause(Race& race) { race.work_of(race.at_work_ == items[0] ? items[1] : items[0]); }
    static void kill(Race&) { throw support::Crashed{}; }

    void expect_each_merged_once() {
        const auto& bare = scene_.forge.path;
        EXPECT_EQ(scene::sh(bare, "git rev-list --merges --count main"), "0") << "the history is linear";
        for (const auto* item : items) {
            const auto task = scene_.task(item).row();
            ASSERT_EQ(task.stage, Stage::done) << item << ": " << task.hold_reason << task.waiting_for;
            EXPECT_EQ(scene::sh(bare, std::string("git rev-list --count main -- ") + item), "1") << item;
            EXPECT_EQ(scene_.task(item).events("merged").size(), 1u) << item;
            EXPECT_EQ(scene::sh(bare, "git merge-base --is-ancestor " + task.merged + " main && echo yes"), "yes");
        }
        for (const auto& stood : targets_) EXPECT_TRUE(tested(stood)) << stood << " was never tested";
        EXPECT_EQ(targets_.size(), 2u);
        EXPECT_TRUE(must(store::all_held(scene_.db, store::LeaseKind::merge)).empty());
        EXPECT_TRUE(must(store::held_transitions(scene_.db)).empty());
    }

private:
    bool tested(const std::string& commit) {
        const auto statuses = must(store::statuses_of(scene_.db, "hello", commit));
        return std::ranges::any_of(statuses, [](const auto& s) { return s.state == Colour::green; });
    }
    void note_target() {
        const auto now = scene_.forge.at("main");
        if (now != begin_ && (targets_.empty() || targets_.back() != now)) targets_.push_back(now);
    }
    void work_on(const store::Claim& claim) {
        const auto before = std::exchange(at_work_, claim.work_item);
        try {
            if (claim.job.role == Role::step)
                (void)scene_.step(claim.work_item);
            else
                scene_.work(claim.work_item, claim.job.role);
        } catch (const support::Crashed&) {
            scene_.units.table.clear();
            scene_.recover(claim.work_item);
        }
        note_target();
        at_work_ = before;
    }
    std::optional<store::Claim> due(const std::string& item) {
        scene_.claim();
        for (const auto& claim : scene_.running)
            if (item.empty() || claim.work_item == item) return claim;
        return std::nullopt;
    }
    void work_of(const std::string& item) {
        for (int turns = 0; turns < 20; ++turns) {
            const auto next = due(item);
            if (!next) return;
            work_on(*next);
        }
    }
    void go_on() {
        for (int turns = 0; turns < 200; ++turns) {
            if (const auto next = due(items[turns % 2]))
                work_on(*next);
            else if (const auto other = due(""))
                work_on(*other);
            else if (scene_.task(items[0]).stage() == Stage::done && scene_.task(items[1]).stage() == Stage::done)
                return;
            else
                scene_.pass(scene_.settings.backoff_cap_s * 1000);
        }
    }

    support::Scene scene_;
    std::string begin_, at_work_;
    std::vector<std::string> targets_;  // where the target stood, one after the other
};

// Every fifth, from `first` on: all of them are minutes.
void at_boundaries_from(int first, void (*what)(Race&)) {
    int boundaries = 0;
    for (int n = first;; n += 5) {
        SCOPED_TRACE("boundary " + std::to_string(n));
        Race race;
        const bool struck = race.run(n, what);
        race.expect_each_merged_once();
        if (!struck) break;
        if (::testing::Test::HasFailure()) break;
        boundaries = n;
    }
    EXPECT_GE(boundaries, 30);
}

TEST(MergeRace, R12_PausedAnywhereWhileTheOtherGoesOn) { at_boundaries_from(1, Race::pause); }
TEST(MergeRace, R12_KilledAnywhere) { at_boundaries_from(3, Race::kill); }

}  // namespace
}  // namespace orchd::engine
