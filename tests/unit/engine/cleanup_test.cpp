// Clean-up of branches and releases: over states drawn by chance, nothing that is live or nowhere else is ever removed; and
// what is neither does go.
#include <fstream>
#include <random>

#include "engine/maintain.h"
#include "run_life.h"

namespace orchd::support {
namespace {

namespace fs = std::filesystem;
using Refs = std::map<std::string, std::string>;

constexpr std::int64_t day_ms = 86'400'000;

// One draw of a house: six tasks in six conditions, their branches on the forge and in the mirror, and releases.
class Drawn {
public:
    explicit Drawn(unsigned seed) : chance_(seed) {
        scene.settings.branch_retention_days = 30;
        scene.settings.backups_kept = 0;
        mirror();
        for (int n = 1; n <= 6; ++n) draw_task("HELLO-" + std::to_string(n));
        draw_releases();
        scene.pass(40 * day_ms);
        draw_task("HELLO-7");  // ended lately, if it did
    }

    Scene scene;
    std::set<std::string> live, spent, live_releases, dead_releases;

    Refs on_forge() { return refs(scene.forge.path, "refs/heads"); }
    Refs in_mirror() { return refs(scene.folder / "hello.git", "refs/heads"); }
    engine::Maintained pass() {
        auto world = scene.world("maintenance");
        world.warn = [](const std::string&, const std::string& text) { ADD_FAILURE() << text; };
        return must(engine::maintain(world));
    }
    // Commits of `from` that no reference of the repository leads to.
    std::string lost(const std::string& repository, const Refs& from) {
        std::string commits;
        for (const auto& [name, commit] : from) commits += ' ' + commit;
        return commits.empty() ? "" : scene::sh(repository, "git rev-list" + commits + " --not --all");
    }
    std::string fetched() { return scene.folder / "hello.git"; }

private:
    bool coin() { return std::uniform_int_distribution(0, 1)(chance_) == 1; }
    int one_of(int count) { return std::uniform_int_distribution(0, count - 1)(chance_); }

    std::unique_ptr<git::Mirror> mirror() {
        auto world = scene.world();
        auto opened = must(world.open_mirror(scene.project()));
        must(opened->fetch(scene.forge.path));
        return opened;
    }
    static Refs refs(const std::string& repository, const std::string& under) {
        Refs all;
        std::istringstream lines(scene::sh(repository, "git for-each-ref --format='%(refname) %(objectname)' " + under));
        for (std::string name, commit; lines >> name >> commit;) all[name] = commit;
        return all;
    }

    void draw_task(const std::string& item) {
        const std::string branch = "task/" + item;
        const bool old = scene.now.utc_ms == begun_;
        scene.task(item).in(Stage::development);
        auto head = scene.task(item).commits({{item + ".txt", "work of " + item}});
        const bool open = one_of(4) == 0, merged = coin(), kept_job = one_of(4) == 0;
        if (merged) {
            scene::sh(scene.forge.person, "git fetch -q; git checkout -qB m origin/main; git merge -q --no-edit origin/" +
                                              branch + "; git push -q origin m:main");
            if (coin()) head = scene.task(item).commits({{item + ".log", "the deploy log of " + item}});
        }
        if (!open) end(item, merged ? head : "", kept_job);
        bool elsewhere = true;
        switch (one_of(4)) {  // the mirror's own branch
            case 0:
                break;
            case 1:
                must(mirror()->set_head(branch, head, ""));
                break;
            case 2:
                must(mirror()->set_head(branch, scene.forge.at("main"), ""));
                break;
            default: {
                auto ours = mirror();
                elsewhere = false;
                must(ours->set_head(branch, must(ours->commit_file(head, "unpushed", item, "never pushed")), ""));
            }
        }
        const bool pushed_to = one_of(4) == 0;
        if (pushed_to)
            scene::sh(scene.forge.person, "git fetch -q; git checkout -qB p origin/" + branch +
                                              "; echo mine >mine; git add .; "
                                              "git commit -qm mine; git push -q origin p:" +
                                              branch);
        const bool quiet = !open && !kept_job;
        if (!quiet || !old) live.insert("refs/heads/" + branch);
        if (quiet && old && elsewhere && !pushed_to) spent.insert("refs/heads/" + branch);
    }

    // Done (merged) or cancelled, with nothing left to do, unless a job is kept.
    void end(const std::string& item, const std::string& merged, bool kept_job) {
        const auto task = scene.task(item).row();
        scene.write([&](store::Tx& tx) -> Status {
            if (!merged.empty()) must(store::set_merged(tx, task.id, scene.forge.at("main"), scene.now));
            must(store::write_stage(tx, task.id, task.stage, task.stage_seq, merged.empty() ? Stage::cancelled : Stage::done,
                                    {}, "", 0, scene.now));
            for (const auto& claim : must(store::list_jobs(tx.db(), {.work_item = item, .only_live = true})))
                if (!kept_job) must(store::cancel_queued(tx, claim.job.id, "over", scene.now));
            return {};
        });
    }

    void draw_releases() {
        const char digits[] = "0123456789abcdef";
        const bool building = coin();
        if (building) {
            const auto task = scene.task("HELLO-8").in(Stage::development).row();
            scene.write([&](store::Tx& tx) -> Status {
                for (const auto& claim : must(store::list_jobs(tx.db(), {.work_item = "HELLO-8", .only_live = true})))
                    must(store::cancel_queued(tx, claim.job.id, "over", scene.now));
                must(store::enqueue(tx, {.task_id = task.id, .role = Role::build, .commit = std::string(40, 'f')}, scene.now));
                return {};
            });
            scene.claim();
            live.insert("refs/heads/task/HELLO-8");
        }
        for (int n = 0; n < 8; ++n) {
            const std::string commit(40, digits[n]);
            const bool known = coin(), half = !known && coin();
            const auto file = scene.folder / ("releases/hello/" + commit + (half ? ".tar.new" : ".tar"));
            fs::create_directories(fs::path(file).parent_path());
            std::ofstream(file) << "x";
            if (known)
                scene.write([&](store::Tx& tx) {
                    return store::put_release(tx, {.project = "hello", .commit = commit, .state = "built", .at = n});
                });
            (known || building ? live_releases : dead_releases).insert(file);
        }
        std::ofstream(scene.folder / "releases/hello/README") << "not ours";
        live_releases.insert(scene.folder / "releases/hello/README");
    }

    std::mt19937 chance_;
    const std::int64_t begun_ = scene.now.utc_ms;
};

TEST(Cleanup, NothingLiveOrUnpushedIsRemovedWhateverTheState) {
    int removed = 0, releases = 0;
    for (unsigned seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Drawn house(seed);
        const auto forge_before = house.on_forge(), mirror_before = house.in_mirror();
        const auto done = house.pass();
        const auto forge_after = house.on_forge(), mirror_after = house.in_mirror();
        removed += done.branches;
        releases += done.releases;
        for (const auto& [name, commit] : forge_before) {
            const bool gone = !forge_after.contains(name);
            EXPECT_FALSE(gone && (house.live.contains(name) || !name.starts_with("refs/heads/task/"))) << name;
            EXPECT_TRUE(gone || forge_after.at(name) == commit) << name;
            EXPECT_EQ(gone, house.spent.contains(name)) << name;
        }
        Refs unpushed;
        for (const auto& [name, commit] : mirror_before) {
            const bool there = mirror_after.contains(name) && mirror_after.at(name) == commit;
            EXPECT_TRUE(there || !house.live.contains(name)) << name;
            EXPECT_FALSE(mirror_after.contains(name) && house.spent.contains(name)) << name;
            if (!forge_before.contains(name) || forge_before.at(name) != commit) unpushed[name] = commit;
        }
        EXPECT_EQ(house.lost(house.fetched(), unpushed), "") << "in the mirror alone, and gone";
        for (const auto& file : house.live_releases) EXPECT_TRUE(fs::exists(file)) << file;
        for (const auto& file : house.dead_releases) EXPECT_FALSE(fs::exists(file)) << file;
        EXPECT_EQ(house.pass().branches, 0) << "once is enough";
    }
    EXPECT_GT(removed, 0);
    EXPECT_GT(releases, 0);
}

TEST(Cleanup, ABranchWhoseMergeWasTurnedBackStays) {
    RunLife life;
    auto& scene = life.scene;
    scene.settings.backups_kept = 0;
    const auto base = scene.forge.at("main");
    life.task().in(Stage::deploy);
    const auto head = life.task().commits({{"a", "b"}});
    scene::sh(scene.forge.person, "git push -q origin " + head + ":main");
    life.task().in(Stage::done);
    scene.write([&](store::Tx& tx) -> Status {
        must(store::set_merged(tx, life.task().row().id, head, scene.now));
        for (const auto& claim : life.queued()) must(store::cancel_queued(tx, claim.job.id, "over", scene.now));
        return {};
    });
    scene::sh(scene.forge.path, "git update-ref refs/heads/main " + base);
    auto world = scene.world("maintenance");
    (void)must(world.open_mirror(scene.project()));
    scene.pass(400 * day_ms);
    EXPECT_EQ(must(engine::maintain(world)).branches, 0);
    scene::sh(scene.forge.path, "git update-ref refs/heads/main " + head);
    EXPECT_EQ(must(engine::maintain(world)).branches, 1);
}

TEST(Cleanup, ABuildUnderWayIsSeenBehindAnyNumberOfNewerJobs) {
    Scene scene;
    scene.settings.backups_kept = 0;
    const std::string commit(40, 'c');
    const auto task = scene.task("HELLO-1").in(Stage::development).row();
    scene.write([&](store::Tx& tx) -> Status {
        for (const auto& claim : must(store::list_jobs(tx.db(), {.work_item = "HELLO-1", .only_live = true})))
            must(store::cancel_queued(tx, claim.job.id, "over", scene.now));
        must(store::enqueue(tx, {.task_id = task.id, .role = Role::build, .commit = commit}, scene.now));
        return {};
    });
    scene.claim();
    scene.write([&](store::Tx& tx) -> Status {
        for (int n = 2; n < 1010; ++n) {
            const auto item = "HELLO-" + std::to_string(n);
            const auto newer = must(store::create_task(tx, task.project_id, item, "task/" + item, "A title", "", scene.now));
            must(store::enqueue(tx, {.task_id = newer.id, .role = Role::analyst}, scene.now));
        }
        return {};
    });
    const auto file = scene.folder / ("releases/hello/" + commit + ".tar");
    fs::create_directories(fs::path(file).parent_path());
    std::ofstream(file) << "x";
    auto world = scene.world("maintenance");
    (void)must(world.open_mirror(scene.project()));
    EXPECT_EQ(must(engine::maintain(world)).releases, 0);
    EXPECT_TRUE(fs::exists(file));
}

TEST(Cleanup, AForgeThatCannotBeReachedIsToldAndKeepsNobodyElseWaiting_R40) {
    Scene scene;
    scene.settings.backups_kept = 0;
    scene.projects.good.push_back(scene.project());
    scene.projects.good.back().name = "gone";
    scene.projects.good.back().forge_path = scene.folder / "nowhere";
    auto world = scene.world("maintenance");
    for (const auto& project : scene.projects.good) (void)must(world.open_mirror(project));
    std::vector<std::string> warnings;
    world.warn = [&](const std::string&, const std::string& text) { warnings.push_back(text); };
    EXPECT_EQ(must(engine::maintain(world)).failures, 1);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings.front(), "maintenance of gone: " + scene.projects.good.back().forge_path +
                                    " is no bare repository that the user orchd can read: 'orchctl project check gone' says"
                                    " what it takes");
}

}  // namespace
}  // namespace orchd::support
