#include "support/world.h"

#include <algorithm>

#include "core/boundary.h"
#include "core/front_matter.h"
#include "engine/advance.h"
#include "engine/code.h"
#include "engine/gates.h"

namespace orchd::support {

std::vector<Status> FakeUnits::start(const std::vector<engine::StartRequest>& requests) {
    std::vector<Status> answers;
    for (const auto& request : requests) {
        if (refuses.contains(request.unit)) {
            answers.emplace_back(orchd::fail(Errc::unavailable, request.unit + " is not started now"));
            continue;
        }
        started.push_back(request);
        runs(request.unit, "invocation-" + std::to_string(started.size()));
        answers.emplace_back();
    }
    return answers;
}
Status FakeUnits::stop(const std::string& unit) {
    stopped.push_back(unit);
    table.erase(unit);
    return {};
}
Status FakeUnits::clean(const std::string& unit) {
    cleaned.push_back(unit);
    return {};
}
UnitSeen FakeUnits::see(const std::string& unit) { return see_all({unit}).front(); }
std::vector<UnitSeen> FakeUnits::see_all(const std::vector<std::string>& units) {
    ++looks;
    std::vector<UnitSeen> all;
    all.reserve(units.size());
    for (const auto& unit : units) all.push_back(seen(unit));
    return all;
}
UnitSeen FakeUnits::seen(const std::string& unit) const {
    const auto found = table.find(unit);
    return found == table.end() ? UnitSeen{} : found->second;
}
Result<std::vector<std::string>> FakeUnits::ours() {
    std::vector<std::string> names;
    for (const auto& [name, seen] : table) names.push_back(name);
    return names;
}

Status WatchedForge::fetch(git::Mirror& mirror) {
    if (watch_.refuses) return orchd::fail(*watch_.refuses);
    return real_->fetch(mirror);
}
Status WatchedForge::push(git::Mirror& mirror, const std::string& branch, const std::string& commit,
                          const std::string& expected) {
    ++watch_.pushes;
    if (watch_.refuses) return orchd::fail(*watch_.refuses);
    if (watch_.before_push) watch_.before_push();
    return real_->push(mirror, branch, commit, expected);
}
Status WatchedForge::merge(git::Mirror& mirror, const std::string& target, const std::string& commit, const std::string& from) {
    ++watch_.merges;
    if (watch_.before_merge) watch_.before_merge();
    return real_->merge(mirror, target, commit, from);
}
Result<bool> WatchedForge::contains(git::Mirror& mirror, const std::string& target, const std::string& commit) {
    if (watch_.silent) return orchd::fail(Errc::unavailable, "the forge does not answer");
    return real_->contains(mirror, target, commit);
}

namespace {

settings::Project sample_project(const std::string& repository) {
    settings::Project project;
    project.name = "hello";
    project.prefix = "HELLO";
    project.forge_path = repository;
    for (const Role role : {Role::analyst, Role::architect, Role::developer, Role::reviewer, Role::ci, Role::test,
                            Role::staging, Role::retest, Role::build}) {
        project.workers[role].command = {"./" + std::string(to_text(role))};
    }
    project.deploy = settings::Project::Deploy{"/hook", "/config"};
    return project;
}

}  // namespace

namespace {

void record(Scene& scene, const store::Task& task, std::int64_t stage_seq, store::VerdictRow verdict) {
    auto world = scene.world();
    auto mirror = must(world.open_mirror(scene.project()));
    must(must(world.open_forge(scene.project()))->fetch(*mirror));
    verdict.task_id = task.id;
    verdict.stage_seq = stage_seq;
    verdict.commit = task.head;
    verdict.patch_id = must(engine::code_of(*mirror, scene.project(), task.work_item, task.head)).patch_id;
    verdict.by = "test";
    verdict.at = scene.now.utc_ms;
    scene.write([&](store::Tx& tx) { return store::add_verdict(tx, verdict); });
}

// What the stages that the task has passed said of the code that is there now.
void judged(Scene& scene, const store::Task& task) {
    if (task.stage <= Stage::development || terminal(task.stage)) return;
    scene.write([&](store::Tx& tx) {
        return store::put_status(tx, {.project = scene.project().name,
                                      .commit = task.head,
                                      .context = engine::ci_context,
                                      .description = "well done",
                                      .state = Colour::green,
                                      .at = scene.now.utc_ms});
    });
    for (const auto& [stage, gate] : {std::pair{Stage::review, Gate::review_approved}, {Stage::testing, Gate::tests_passed}}) {
        const auto passed = static_cast<int>(task.stage) - static_cast<int>(stage);
        if (passed > 0)
            record(scene, task, std::max<std::int64_t>(1, task.stage_seq - passed),
                   {.gate = gate, .colour = Colour::green, .reason = "well done"});
    }
}

std::string push(Scene& scene, const store::Task& task, const std::map<std::string, std::string>& files) {
    scene::sh(scene.forge.person, "git fetch -q; git checkout -q -B work origin/" + task.branch +
                                      " 2>/dev/null || git checkout -q -B work origin/main; git clean -qfd");
    for (const auto& [path, text] : files) scene::write(scene.forge.person + '/' + path, text);
    auto head = scene.forge.commit("git add -A; git diff --cached --quiet || git commit -qm '" + task.work_item +
                                   "'; git push -q origin work:" + task.branch);
    scene.write([&](store::Tx& tx) { return store::set_head(tx, task.id, head, scene.now); });
    return head;
}

std::map<std::string, std::string> artefact(const std::string& work_item, const std::string& name,
                                            const std::string& front_matter) {
    return {{artefact_folder(work_item) + '/' + name, "---\n" + front_matter + "\n---\n"}};
}

}  // namespace

TaskWords& TaskWords::in(Stage stage) {
    auto known = must(store::find_task(scene_.db, work_item_));
    if (!known) {
        scene_.write([&](store::Tx& tx) -> Status {
            const auto project = must(store::ensure_project(tx, scene_.project().name));
            must(store::create_task(tx, project.id, work_item_, "task/" + work_item_, "A title", "A body", scene_.now));
            return {};
        });
        commits({});
    }
    auto world = scene_.world();
    scene_.write([&](store::Tx& tx) -> Status {
        auto task = row();
        while (task.stage != stage) {
            if (!must(store::write_stage(tx, task.id, task.stage, task.stage_seq, orchd::row(task.stage).next, task.retries, "",
                                         0, scene_.now)))
                return orchd::fail(Errc::conflict, "a lease is in the way");
            task = must(store::find_task(tx.db(), task.id)).value();
        }
        return engine::start_stage(world, tx, task, scene_.project());
    });
    judged(scene_, row());
    return *this;
}

store::Task TaskWords::row() const { return must(store::find_task(scene_.db, work_item_)).value(); }

std::string TaskWords::commits(const std::map<std::string, std::string>& files) {
    auto head = push(scene_, row(), files);
    judged(scene_, row());
    return head;
}

std::string TaskWords::writes(const std::string& name, const std::string& front_matter) {
    return commits(artefact(work_item_, name, front_matter));
}

void TaskWords::verdict(Gate gate, Colour colour, const std::string& reason, bool unusable) {
    const auto task = row();
    record(scene_, task, task.stage_seq, {.gate = gate, .colour = colour, .reason = reason, .unusable = unusable});
}

std::vector<std::string> TaskWords::events(const std::string& kind) const {
    std::vector<std::string> data;
    for (const auto& event : must(store::list_events(scene_.db, {.task_id = row().id, .after_id = 0, .limit = 10'000})))
        if (event.kind == kind) data.push_back(event.data);
    return data;
}

Scene::Scene(const store::OpenOptions& options) : db(must(store::Db::open(folder / "orchd.db", options))) {
    projects.good.push_back(sample_project(forge.path));
}

engine::World Scene::world(const std::string& actor) {
    return {.db = db,
            .units = &units,
            .now = [this] { return now; },
            .settings = settings,
            .projects = projects,
            .paths = {folder.path(), folder / "releases", folder / "runs", folder / "left"},
            .actor = actor,
            .open_mirror =
                [this](const settings::Project& p) {
                    return git::open_mirror(folder / (p.name + ".git"),
                                            {.target = p.target, .own_history = p.forge_accept_history});
                },
            .open_forge = [this](const settings::Project& p) -> Result<std::unique_ptr<forge::Forge>> {
                auto real = forge::open(p, {});
                if (!real) return orchd::fail(real.error());
                return std::make_unique<WatchedForge>(std::move(*real), watch);
            },
            .random = [] { return 0.5; },
            .free_bytes = [this] { return free_bytes; },
            .inodes = [this] { return inodes; },
            .last_line = [this](const std::string&) { return last_line; }};
}

void Scene::without(std::initializer_list<Role> roles) {
    for (const Role role : roles) {
        project().workers.erase(role);
        if (role == Role::test) project().workers.erase(Role::retest);
        if (role == Role::build) project().deploy.reset();
    }
}

void Scene::reboot() {
    now.boot_id += "'";
    now.boot_ms = 1000;
    now.utc_ms += 60'000;
    units.table.clear();
    write([&](store::Tx& tx) {
        return store::rebase_due_times(tx, settings.backoff_cap_s * 1000, settings.defer_limit_s * 1000, now);
    });  // as the worker does when it starts
}

void Scene::claim() {
    store::Limits limits{.max_concurrency = 1000, .max_steps = 1000, .projects = {}};
    for (const auto& p : must(store::all_projects(db)))
        limits.projects.push_back({.project_id = p.id, .max_concurrency = 0, .roles = {}});
    for (auto& claim : write([&](store::Tx& tx) { return store::claim(tx, limits, 1000, now); })) {
        running.push_back(std::move(claim));
    }
}

bool Scene::runs(const std::string& work_item, Role role) {
    claim();
    return std::ranges::any_of(running, [&](const auto& c) { return c.work_item == work_item && c.job.role == role; });
}

store::Claim Scene::take(const std::string& work_item, Role role) {
    claim();
    const auto found =
        std::ranges::find_if(running, [&](const auto& c) { return c.work_item == work_item && c.job.role == role; });
    if (found == running.end()) throw std::runtime_error(work_item + " has no due job for " + std::string(to_text(role)));
    auto claim = *found;
    running.erase(found);
    return claim;
}

Status Scene::step(const std::string& work_item) {
    const auto claim = take(work_item, Role::step);
    const auto invocation = "step-" + std::to_string(++invocations_);
    units.runs(claim.run.unit, invocation);
    auto here = world();
    auto advanced = engine::advance(here, work_item, {claim.run.unit, invocation, now.boot_id, 100 + invocations_});
    units.is_gone(claim.run.unit);
    return advanced;
}

void Scene::end(const store::Claim& claim, JobStatus to, const std::string& error) {
    auto here = world("finish");
    write([&](store::Tx& tx) -> Status {
        const auto head = must(store::find_task(tx.db(), claim.job.task_id))->head;
        if (!must(store::finish_job(tx, claim.job.id, claim.run.id, to, error, head, now)))
            return orchd::fail(Errc::conflict, "the job moved on");
        return engine::ask_advance(here, tx, must(store::find_task(tx.db(), claim.job.task_id)).value());
    });
}

namespace {

void put_status(Scene& scene, const store::Claim& claim, const char* context, Colour colour, const std::string& text) {
    const auto task = must(store::find_task(scene.db, claim.job.task_id)).value();
    const auto commit = claim.job.commit.empty() ? task.head : claim.job.commit;
    scene.write([&](store::Tx& tx) {
        return store::put_status(tx, {.project = scene.project().name,
                                      .commit = commit,
                                      .context = context,
                                      .description = text,
                                      .state = colour,
                                      .at = scene.now.utc_ms});
    });
}

void put_live(Scene& scene, const std::string& commit) {
    scene.write([&](store::Tx& tx) {
        return store::put_release(
            tx, {.project = scene.project().name, .commit = commit, .previous = {}, .state = "live", .at = scene.now.utc_ms});
    });
}

// What a run of this role and finish leave behind. The verdict first, where finish writes the artefact itself.
void leave(Scene& scene, const store::Claim& claim, Colour colour, const std::string& reason) {
    auto task = scene.task(claim.work_item);
    const bool good = colour == Colour::green;
    // On top of whatever is there: what somebody else pushed meanwhile, no verdict knows.
    const auto writes = [&](const std::string& name, const std::string& front_matter) {
        push(scene, task.row(), artefact(claim.work_item, name, front_matter));
    };
    switch (claim.job.role) {
        case Role::analyst:
            writes("10-analysis.md", "status: READY");
            break;
        case Role::architect:
            writes("11-architecture.md", "status: READY");
            break;
        case Role::developer:
            task.commits({{claim.work_item + ".cpp", "int x" + std::to_string(claim.job.id) + ";\n"}});
            break;
        case Role::reviewer:
            writes("12-review.md", good ? "verdict: APPROVED" : "verdict: REQUEST_CHANGES");
            task.verdict(Gate::review_approved, colour, reason);
            break;
        case Role::tester:
        case Role::test:
            task.verdict(Gate::tests_passed, colour, reason);
            writes("13-test-report.md", good ? "result: PASS" : "result: FAIL");
            break;
        case Role::staging:
            task.verdict(Gate::staging_status, colour, reason);
            writes("15-staging-log.md", good ? "staging_status: SUCCESS" : "staging_status: FAILED");
            break;
        case Role::deploy:
            if (good) put_live(scene, claim.job.commit);
            task.verdict(Gate::deploy_status, colour, reason);
            break;
        case Role::ci:
            put_status(scene, claim, engine::ci_context, colour, reason);
            break;
        case Role::retest:
            put_status(scene, claim, engine::retest_context, colour, reason);
            break;
        case Role::build:
        case Role::step:
            break;
    }
}

}  // namespace

void Scene::work(const std::string& work_item, Role role) {
    const auto claim = take(work_item, role);
    leave(*this, claim, Colour::green, "well done");
    end(claim, JobStatus::done);
}

void Scene::fail(const std::string& work_item, Role role, const std::string& reason) {
    const auto claim = take(work_item, role);
    const bool judges = role == Role::reviewer || kind_of(role) != JobKind::agent;
    if (judges) {
        leave(*this, claim, Colour::red, reason);
    } else {
        task(work_item).verdict(row(task(work_item).stage()).gates.front(), Colour::red, reason, true);
    }
    end(claim, judges ? JobStatus::done : JobStatus::failed, reason);
}

void Scene::settle() {
    for (claim(); !running.empty(); claim()) {
        const auto next = running.front();
        if (next.job.role == Role::step)
            must(step(next.work_item));
        else
            work(next.work_item, next.job.role);
    }
}

void Scene::recover(const std::string& work_item) {
    std::erase_if(running, [&](const auto& c) { return c.work_item == work_item; });
    for (const auto& claim : must(store::live_jobs(db))) {
        if (claim.work_item != work_item) continue;
        write([&](store::Tx& tx) -> Status {
            must(store::begin_stopping(tx, claim.job.id, claim.run.id, "its unit died"));
            must(store::requeue(tx, claim.job.id, claim.run.id, due_now(now), "its unit died", now));
            return {};
        });
    }
}

namespace {

int crash_at = 0;
std::vector<std::string> boundaries;

}  // namespace

CrashAt::CrashAt(int n) {
    crash_at = n;
    boundaries.clear();
    set_boundary_hook([](std::string_view name) {
        boundaries.emplace_back(name);
        if (static_cast<int>(boundaries.size()) == crash_at) throw Crashed{};
    });
}
CrashAt::~CrashAt() { set_boundary_hook(nullptr); }
const std::vector<std::string>& CrashAt::passed() { return boundaries; }

}  // namespace orchd::support
