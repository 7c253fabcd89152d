// The engine's world in a test: a real database, a real bare repository as the local forge, a clock that is moved by hand, and
// units that stand in a table. What runs would do is done by hand, in the words of the domain.
#pragma once

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/ports.h"
#include "git/scene.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/leases.h"
#include "store/records.h"
#include "store/tasks.h"

namespace orchd {
inline void PrintTo(Stage stage, std::ostream* out) { *out << to_text(stage); }
}  // namespace orchd

namespace orchd::support {

// The value of a Result that must have one; otherwise the test fails and ends.
template <class T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    throw std::runtime_error(std::string(face(result.error().code).name) + ": " + result.error().text);
}
inline void must(const Status& status) {
    if (!status) throw std::runtime_error(std::string(face(status.error().code).name) + ": " + status.error().text);
}
inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// systemd as a table: a unit that is not in it is not loaded.
class FakeUnits : public engine::Units {
public:
    std::vector<Status> start(const std::vector<engine::StartRequest>& requests) override;
    Status stop(const std::string& unit) override;
    Status clean(const std::string& unit) override;
    UnitSeen see(const std::string& unit) override;
    std::vector<UnitSeen> see_all(const std::vector<std::string>& units) override;
    Result<std::vector<std::string>> ours() override;

    // The unit runs, or ran, under this invocation.
    void runs(const std::string& unit, const std::string& invocation) { table[unit] = {true, false, true, true, invocation}; }
    void is_gone(const std::string& unit) { table.erase(unit); }

    [[nodiscard]] UnitSeen seen(const std::string& unit) const;

    std::map<std::string, UnitSeen> table;
    std::vector<engine::StartRequest> started;
    std::vector<std::string> stopped, cleaned;
    int looks = 0;                  // at one unit or many
    std::set<std::string> refuses;  // units that systemd does not start for now
};

// A forge that counts what it is asked for and may be unable to answer.
class WatchedForge : public forge::Forge {
public:
    struct Watch {
        int pushes = 0, merges = 0;
        bool silent = false;                              // contains() does not answer
        std::function<void()> before_push, before_merge;  // what others do in the last moment
        std::optional<Error> refuses;                     // what it says to whoever fetches or pushes
    };
    WatchedForge(std::unique_ptr<forge::Forge> real, Watch& watch) : real_(std::move(real)), watch_(watch) {}
    Status fetch(git::Mirror& mirror) override;
    Result<std::optional<std::string>> head(const std::string& branch) override { return real_->head(branch); }
    Status push(git::Mirror& mirror, const std::string& branch, const std::string& commit,
                const std::string& expected) override;
    Status remove(const std::string& branch, const std::string& expected) override { return real_->remove(branch, expected); }
    Status merge(git::Mirror& mirror, const std::string& target, const std::string& commit, const std::string& from) override;
    Result<bool> contains(git::Mirror& mirror, const std::string& target, const std::string& commit) override;

private:
    std::unique_ptr<forge::Forge> real_;
    Watch& watch_;
};

class Scene;

// A task, by the words of a test: scene.task("HELLO-1").in(Stage::development).
class TaskWords {
public:
    TaskWords(Scene& scene, std::string work_item) : scene_(scene), work_item_(std::move(work_item)) {}
    // Puts the task there, made if it is not known, with the first work of the stage queued.
    TaskWords& in(Stage stage);
    [[nodiscard]] store::Task row() const;
    [[nodiscard]] Stage stage() const { return row().stage; }
    // Commits files (path -> text) to the task's branch on the forge, as its run would; the new head.
    std::string commits(const std::map<std::string, std::string>& files);
    std::string writes(const std::string& artefact, const std::string& front_matter);
    // Records a verdict for the code that is there now.
    void verdict(Gate gate, Colour colour, const std::string& reason = "because", bool unusable = false);
    [[nodiscard]] std::vector<std::string> events(const std::string& kind) const;  // their data, oldest first

private:
    Scene& scene_;
    std::string work_item_;
};

class Scene {
public:
    explicit Scene(const store::OpenOptions& options = {.mode = store::Mode::create});
    [[nodiscard]] engine::World world(const std::string& actor = "step");
    [[nodiscard]] TaskWords task(const std::string& work_item) { return {*this, work_item}; }
    [[nodiscard]] settings::Project& project() { return projects.good.front(); }
    // What no sample project of these tests has: these tables are taken out of the project's file.
    void without(std::initializer_list<Role> roles);

    template <class Work>
    auto write(Work&& work) {
        return must(db.write(std::forward<Work>(work)));
    }
    void pass(std::int64_t ms) { now.utc_ms += ms, now.boot_ms += ms; }
    void reboot();

    // Claims all that is due; what was claimed and is not done yet stays in `running`.
    void claim();
    [[nodiscard]] bool runs(const std::string& work_item, Role role);  // claims first
    // Performs the task's due advance as orchd-step@TASK would.
    Status step(const std::string& work_item);
    // The task's due run of this role ends well: commits what its role leaves, and says what finish says of it.
    void work(const std::string& work_item, Role role);
    // As work(), but its verdict is red, or (agents) the run fails.
    void fail(const std::string& work_item, Role role, const std::string& reason);
    // Everything that is due and what follows from it, until nothing is, every run ending well.
    void settle();
    // What recovery does with a job whose unit died.
    void recover(const std::string& work_item);

    scene::Folder folder;
    scene::Forge forge{folder};
    store::Db db;
    settings::Settings settings;
    settings::Projects projects;
    FakeUnits units;
    WatchedForge::Watch watch;
    std::int64_t free_bytes = std::int64_t{1} << 40;
    Inodes inodes;
    std::string last_line;  // of every run
    Now now{.utc_ms = 1'700'000'000'000, .boot_ms = 1'000'000, .boot_id = "boot-1"};
    std::vector<store::Claim> running;

private:
    store::Claim take(const std::string& work_item, Role role);
    void end(const store::Claim& claim, JobStatus to, const std::string& error = {});
    int invocations_ = 0;
};

// While it lives, the n-th boundary passed (from 1; 0: none) throws Crashed; all that were passed are noted.
struct Crashed {};
class CrashAt {
public:
    explicit CrashAt(int n);
    CrashAt(const CrashAt&) = delete;
    ~CrashAt();
    [[nodiscard]] static const std::vector<std::string>& passed();
};

}  // namespace orchd::support
