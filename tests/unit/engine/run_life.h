// The life of a run in a test: claimed and prepared by the engine, its units and its command played by hand.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "core/front_matter.h"
#include "core/names.h"
#include "engine/left.h"
#include "engine/runs.h"
#include "engine/spec.h"
#include "git/run_side.h"
#include "support/world.h"

namespace orchd::support {

class RunLife {
public:
    explicit RunLife(const store::OpenOptions& options = {.mode = store::Mode::create}) : scene(options) {}

    Scene scene;
    engine::World worker = scene.world("worker");
    engine::Dispatcher dispatcher{worker};

    [[nodiscard]] static std::string agent(const std::string& work_item = "HELLO-1") {
        return names::unit(names::agent, work_item);
    }
    TaskWords task(const std::string& work_item = "HELLO-1") { return scene.task(work_item); }
    int dispatch() { return must(dispatcher.pass(100)).started; }
    // The live job that runs a unit, with its run.
    store::Claim live(const std::string& work_item = "HELLO-1") {
        for (auto& claim : must(store::live_jobs(scene.db)))
            if (claim.work_item == work_item && claim.job.kind != JobKind::advance) return claim;
        throw std::runtime_error(work_item + " has no live run");
    }
    store::Job job(std::int64_t id) { return must(store::find_job(scene.db, id)).value(); }
    store::Run run(std::int64_t id) { return must(store::find_run(scene.db, id)).value(); }
    std::vector<store::Claim> queued(const std::string& work_item = "HELLO-1") {
        return must(store::list_jobs(scene.db, {.work_item = work_item, .status = JobStatus::queued}));
    }
    int count_queued(Role role) {
        return static_cast<int>(std::ranges::count_if(queued(), [&](const auto& c) { return c.job.role == role; }));
    }

    Status prepare(const std::string& work_item = "HELLO-1") {
        auto here = scene.world("prepare");
        return engine::prepare(here, work_item);
    }
    // The stage's first run, claimed, started and prepared: its command runs now.
    store::Claim start(Stage stage) {
        task().in(stage);
        return start();
    }
    store::Claim start() {
        dispatch();
        must(prepare());
        takes_its_spec();
        return live();
    }
    // Queues a job of this role, whatever the stage, and starts it.
    store::Claim start(Role role, const std::string& commit) {
        const auto row = task().row();
        scene.write([&](store::Tx& tx) {
            return store::enqueue(tx, {.task_id = row.id, .role = role, .due = due_now(scene.now), .commit = commit},
                                  scene.now);
        });
        return start();
    }
    engine::Spec spec(const std::string& work_item = "HELLO-1") {
        return must(engine::spec_from_json(scene::read(scene.folder / ("runs/" + work_item + "/spec.json"))));
    }

    // As the launcher does first.
    void takes_its_spec() {
        scene::write(scene.folder / ("left/taken-" + std::to_string(spec().run_id)), "");
        says({.head = spec().commit, .reasons = {}, .told = {}});
    }
    // As the launcher does last.
    void says(const engine::Left& left) { scene::write(scene.folder / "left/left.json", engine::to_json(left)); }
    // What the command commits in its clone; left as a bundle, as its unit does.
    void commits(const std::map<std::string, std::string>& files) {
        const auto given = spec();
        const auto clone = scene.folder / ("clone-" + std::to_string(given.run_id));
        must(git::make_clone({scene.folder / "hello.git", clone, given.branch, given.commit}));
        for (const auto& [path, text] : files) scene::write(clone + '/' + path, text);
        const git::Gathering what{.clone = {scene.folder / "hello.git", clone, given.branch, given.commit},
                                  .base = given.base,
                                  .bench = scene.folder / "bench",
                                  .artefacts = artefact_folder(given.work_item),
                                  .author = "agent",
                                  .message = "work"};
        const git::Snapshot nothing_is_known;
        const auto left = must(git::gather(what, &nothing_is_known));
        must(git::write_bundle(what, left.head, scene.folder / "left/bundle"));
        says({left.head, left.reasons, left.told});
    }
    void leaves(const std::string& name, const std::string& text) {
        scene::write(scene.folder / ("left/result/" + name), text);
    }

    // What systemd hands to the finish of a run that exited so.
    [[nodiscard]] engine::Monitor exited(int status) {
        return {status == 0 ? "success" : "exit-code", "exited", std::to_string(status), invocation()};
    }
    [[nodiscard]] std::string invocation() { return scene.units.see(live().run.unit).invocation_id; }
    Status finish(const engine::Monitor& monitor) {
        for (const auto& claim : must(store::live_jobs(scene.db))) scene.units.is_gone(claim.run.unit);
        auto here = scene.world("finish");
        return engine::finish(here, "HELLO-1", monitor);
    }
    void ends(int status) {
        const auto monitor = exited(status);
        must(finish(monitor));
    }
    // A pass, long enough after the last for its ticks to count.
    engine::Recovered recover() {
        scene.pass(engine::between_ticks_ms);
        return must(engine::recover(worker));
    }

    // Of the stage's present number.
    std::optional<store::VerdictRow> verdict(Gate gate) {
        const auto row = task().row();
        return must(store::find_verdict(scene.db, row.id, row.stage_seq, gate));
    }
    Colour status(const std::string& commit, const std::string& context) {
        for (const auto& s : must(store::statuses_of(scene.db, "hello", commit)))
            if (s.context == context) return s.state;
        return Colour::undecided;
    }
    [[nodiscard]] std::string forge_head() { return scene.forge.at("task/HELLO-1"); }
    [[nodiscard]] std::string forge_file(const std::string& path) {
        return scene::sh(scene.forge.path, "git show task/HELLO-1:" + path);
    }
    [[nodiscard]] static std::string artefact(Artefact which) { return artefact_path("HELLO-1", which); }
    // How many commits the branch has over `since`.
    [[nodiscard]] int commits_since(const std::string& since) {
        return std::stoi(scene::sh(scene.forge.path, "git rev-list --count " + since + "..task/HELLO-1"));
    }
};

// Does the work, killed at the n-th boundary that it passes; false where it passes fewer and comes to its end.
template <class Work>
[[nodiscard]] bool killed_at(int n, Work&& work) {
    CrashAt crash(n);
    try {
        std::forward<Work>(work)();
        return false;
    } catch (const Crashed&) {
        return true;
    }
}

}  // namespace orchd::support
