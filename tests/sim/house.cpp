#include "sim/house.h"

#include <filesystem>
#include <fstream>

#include "core/boundary.h"
#include "core/front_matter.h"
#include "engine/advance.h"
#include "engine/gates.h"
#include "engine/operate.h"
#include "sim/must.h"
#include "store/facts.h"
#include "store/query.h"
#include "store/tasks.h"

namespace orchd::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t hour_ms = 3'600'000;

House* on_stage = nullptr;  // the one whose processes run

settings::Settings settings_of(const Chance& chance) {
    settings::Settings s;
    s.max_concurrency = 1 + static_cast<std::int64_t>(chance.property("max_concurrency", 4));
    s.max_steps = 1 + static_cast<std::int64_t>(chance.property("max_steps", 3));
    s.job_max_attempts = 3 + static_cast<std::int64_t>(chance.property("max_attempts", 3));
    s.finish_max_tries = 1 + static_cast<std::int64_t>(chance.property("finish_max_tries", 5));
    s.backoff_base_s = 1;
    s.backoff_cap_s = 20;
    s.recovery_interval_s = 5;
    s.reaper_dead_ticks = 1 + static_cast<std::int64_t>(chance.property("dead_ticks", 3));
    s.retry_cap = 1 + static_cast<std::int64_t>(chance.property("retry_cap", 3));
    s.again_cap = 1 + static_cast<std::int64_t>(chance.property("again_cap", 3));
    s.conflict_cap = 1 + static_cast<std::int64_t>(chance.property("conflict_cap", 3));
    s.give_way_cap = static_cast<std::int64_t>(chance.property("give_way_cap", 3));
    s.defer_cap_s = 40;
    s.defer_limit_s = 30 + 60 * static_cast<std::int64_t>(chance.property("defer_limit", 3));
    s.run_timeout_s = 20;
    s.reaper_max_running_s = 60;
    s.merge_tries = 1 + static_cast<std::int64_t>(chance.property("merge_tries", 3));
    s.premerge_rebase_always = !chance.has("branches are not rebased", 0.1);
    s.transition_lease_enabled = !chance.has("no transition leases", 0.1);
    return s;
}

settings::Project project_of(const Chance& chance, const std::string& name, const std::string& prefix,
                             const std::string& prompt) {
    settings::Project p;
    p.name = name;
    p.prefix = prefix;
    p.forge_path = forge_path_of(name);
    for (const Role role : {Role::analyst, Role::architect, Role::developer, Role::reviewer}) {
        p.workers[role].command = {"/agent"};
        p.workers[role].prompt_file = prompt;
        p.workers[role].network = role == Role::analyst;
    }
    for (const Role role : {Role::ci, Role::test, Role::staging, Role::build})
        if (!chance.has(name + " has no " + std::string(to_text(role)), 0.3)) p.workers[role].command = {"/check"};
    if (p.workers.contains(Role::test)) p.workers[Role::retest].command = {"/check"};
    if (!chance.has(name + " has no deploy", 0.3)) p.deploy = settings::Project::Deploy{"/hook", "/config", 30};
    return p;
}

}  // namespace

House::House(std::uint64_t seed, std::set<StrokeId> without, Databases& databases, std::string folder)
    : chance_(seed, std::move(without)),
      scheduler_(chance_),
      databases_(databases),
      folder_(std::move(folder)),
      settings_(settings_of(chance_)),
      systemd_(scheduler_, chance_,
               [this](auto& unit, auto& item, auto& monitor) -> Process& { return spawn(unit, item, monitor); }),
      witness_(scheduler_, systemd_, databases.watching(), settings_) {
    on_stage = this;
    set_boundary_hook([](std::string_view name) { on_stage->at_boundary(name); });
    Databases::hooks = {[] { on_stage->at_statement(); }, [] { return on_stage->may_commit(); }};
    scheduler_.at_each_point = [this](std::string_view) { committed(); };
    systemd_.run_ended = [this](std::int64_t run) { witness_.run_ended(run); };
    systemd_.finish_ended = [this](std::int64_t run) { witness_.finish_ended(run); };
    systemd_.unit_gone = [this] { unit_gone(); };
    systemd_.undo_prepare = [this](const std::string& item) { fs::remove_all(folder_ + "/runs/" + item); };
    furnish();
}

House::~House() {
    scheduler_.kill_all();
    set_boundary_hook(nullptr);
    Databases::hooks = {};
    on_stage = nullptr;
}

void House::at_boundary(std::string_view name) {
    auto* p = scheduler_.present();
    if (p == nullptr) return;
    if (p->killed) throw Killed{};
    committed();
    witness_.boundary(*p, name);
    if (!chance_.is_calm() && ++points_ > chaos_points_) chance_.calm();
    meddle(*p, name);
    scheduler_.point(name, At::boundary);
}

void House::at_statement() { scheduler_.point("", At::statement); }

bool House::may_commit() {
    const auto* p = scheduler_.present();
    if (p != nullptr && p->killed) return false;
    committed_ = true;
    return true;
}

// Whoever passes a point next is still the one who committed.
void House::committed() {
    if (!std::exchange(committed_, false)) return;
    if (auto* p = scheduler_.present()) witness_.effect(*p, "a commit");
    witness_.look();
}

void House::furnish() {
    databases_.clear();
    for (const auto* name : {"runs", "left", "releases"}) {
        fs::remove_all(folder_ + '/' + name);
        fs::create_directories(folder_ + '/' + name);
    }
    std::ofstream(folder_ + "/prompt") << "Use this: " << secret << '\n';
    const std::vector<std::pair<std::string, std::string>> names{{"one", "ONE"}, {"two", "TWO"}};
    const bool day = witness_.late_pushes_rewind = chance_.knows(Stroke::day);
    const auto projects = day ? 1 : 1 + chance_.property("projects", 10) / 8;
    for (std::size_t i = 0; i < projects; ++i) {
        const auto& [name, prefix] = names[i];
        projects_.good.push_back(project_of(chance_, name, prefix, folder_ + "/prompt"));
        Told::connect(projects_.good.back());
        auto& repository = *(repositories_[name] = std::make_unique<Repository>(name));
        auto& outside = outside_[name];
        const bool tested = projects_.good.back().workers.contains(Role::retest);
        const bool has_tests = projects_.good.back().workers.contains(Role::test);
        outside.before = [this, name = name](const std::string& call) {
            scheduler_.point(call, At::boundary);
            if ((call == "forge.merge" || call == "git.push") && chance_.strikes(Stroke::push)) push_something();
            if (call == "forge.merge" && all_the_time("main moves in each round")) push_to_main(name);
            return chance_.strikes(Stroke::forge);
        };
        outside.refuses = [this, name = name]() -> std::optional<Error> {
            const auto found = outages_.find(name);
            if (found == outages_.end() || (found->second.until != 0 && scheduler_.clock() > found->second.until))
                return std::nullopt;
            return Error{found->second.known ? Errc::refused : Errc::unavailable, "git push in /m.git: " + found->second.words};
        };
        outside.after = [this](const std::string& call) {
            scheduler_.point(call + " answers", At::boundary);
            return chance_.strikes(Stroke::forge);
        };
        outside.moved = [this, &repository, tested, has_tests](auto& branch, auto& commit, auto& from, bool merge) {
            scheduler_.note(repository.name + ": " + branch + " moved to " + commit.substr(0, 8));
            if (!merge) witness_.branch_moved(repository, branch, commit, from);
            if (merge) witness_.merged(scheduler_.present(), repository, commit, from, tested, has_tests);
        };
        outside.attempt = [this](const std::string& call, const std::function<Status()>& deed) -> Status {
            if (chance_.strikes(Stroke::in_flight)) {
                scheduler_.note("!! " + call + " arrives later than its process lives");
                ++in_flight_;
                scheduler_.in(static_cast<std::int64_t>(chance_.detail(20'000)), [this, deed] {
                    --in_flight_;
                    (void)deed();
                });
                scheduler_.kill(*scheduler_.present());
            }
            auto done = deed();
            if (done && scheduler_.present() != nullptr) witness_.effect(*scheduler_.present(), call);
            return done;
        };
    }
    witness_.repository_of = [this](const std::string& item) -> const Repository* {
        for (const auto& project : projects_.good)
            if (item.starts_with(project.prefix + '-')) return repositories_.at(project.name).get();
        return nullptr;
    };
    const auto tasks = day ? 2 + chance_.property("tasks", 2) : 1 + chance_.property("tasks", 3);
    constexpr std::array stages{Stage::analysis,       Stage::development,    Stage::review, Stage::testing,
                                Stage::deploy_staging, Stage::deploy_staging, Stage::deploy};
    for (std::size_t i = 1; i <= tasks; ++i) {
        const auto& project = projects_.good[i % projects_.good.size()];
        auto item = project.prefix + '-' + std::to_string(i);
        begin_task(project, item, stages[chance_.property("stage of " + item, stages.size() - 1)]);
        items_.push_back(std::move(item));
    }
    for (std::size_t i = 1; i < items_.size(); ++i)
        if (chance_.has(items_[i] + " needs the one before", 0.3)) begin_dependency(items_[i], items_[i - 1]);
    chaos_points_ = 100 + chance_.property("chaos", 2400);
}

// The task as if it had come so far, its work committed.
void House::begin_task(const settings::Project& project, const std::string& item, Stage stage) {
    Databases::Lease lease(databases_);
    auto here = world(lease.db(), "setup");
    auto& repository = *repositories_.at(project.name);
    const auto branch = "task/" + item;
    std::string head;
    if (stage > Stage::development) {
        head = repository.commit({repository.forge["main"]}, {{item + ".cpp", "int " + item + ";"}}, item);
        repository.forge[branch] = repository.heads[branch] = head;
        witness_.work_there(item, "int " + item + ";");
    }
    auto made = lease.db().write([&](store::Tx& tx) -> Status {
        const auto row = must(store::ensure_project(tx, project.name));
        auto task = must(store::create_task(tx, row.id, item, branch, "A title", "A body", here.now()));
        for (; task.stage != stage; task = *must(store::find_task(tx.db(), item)))
            (void)must(store::write_stage(tx, task.id, task.stage, task.stage_seq, orchd::row(task.stage).next, {}, "", 0,
                                          here.now()));
        if (!head.empty())
            if (auto set = store::set_head(tx, task.id, head, here.now()); !set) return set;
        if (!head.empty())
            (void)must(store::put_status(tx, {.project = project.name,
                                              .commit = head,
                                              .context = engine::ci_context,
                                              .description = "setup",
                                              .state = Colour::green,
                                              .at = here.now().utc_ms}));
        // As finish records what a reviewer and the tests say.
        for (const auto& [passed, by, gate] : {std::tuple{Stage::review, Role::reviewer, Gate::review_approved},
                                               {Stage::testing, Role::test, Gate::tests_passed}}) {
            if (passed >= stage) continue;
            const auto patch = patch_of(repository, head);
            witness_.judged(item, by, patch);
            auto said =
                store::add_verdict(tx, {.task_id = task.id,
                                        .stage_seq = task.stage_seq - (static_cast<int>(stage) - static_cast<int>(passed)),
                                        .gate = gate,
                                        .colour = Colour::green,
                                        .commit = head,
                                        .patch_id = id_of(patch),
                                        .by = "setup",
                                        .at = here.now().utc_ms});
            if (!said) return said;
        }
        return engine::start_stage(here, tx, task, project);
    });
    if (!made) throw std::runtime_error("the simulation cannot begin: " + made.error().text);
}

void House::begin_dependency(const std::string& item, const std::string& needed) {
    Databases::Lease lease(databases_);
    auto here = world(lease.db(), "setup");
    if (auto added = engine::add_dependency(here, item, needed, "setup"); !added)
        throw std::runtime_error("the simulation cannot begin: " + added.error().text);
    witness_.needs(item, needed);
}

engine::World House::world(store::Db& db, const std::string& actor, const std::string& item) {
    const auto alive = [this] {
        if (const auto* p = scheduler_.present(); p != nullptr && p->killed) throw Killed{};
    };
    return {.db = db,
            .units = this,
            .now =
                [this, alive] {
                    alive();
                    return scheduler_.now();
                },
            .settings = settings_,
            .projects = projects_,
            .paths = {folder_, folder_ + "/releases", folder_ + "/runs", folder_ + "/left/" + item},
            .actor = actor,
            .open_mirror = [this, alive](const settings::Project& p) -> Result<std::unique_ptr<git::Mirror>> {
                alive();
                return open_mirror(*repositories_.at(p.name), outside_.at(p.name));
            },
            .open_forge = [this, alive](const settings::Project& p) -> Result<std::unique_ptr<forge::Forge>> {
                alive();
                return open_forge(*repositories_.at(p.name), outside_.at(p.name));
            },
            .wake = [this] { poke_all(); },
            .random = [this] { return chance_.next(); },
            .warn =
                [this](const std::string& about, const std::string& text) {
                    log_ += about + ": " + text + '\n';
                    scheduler_.note("warning: " + about + ": " + text);
                }};
}

bool House::quiet() {
    if (!systemd_.quiet() || in_flight_ > 0 || scheduler_.anyone_stopped()) return false;
    const auto busy = store::find_row(
        databases_.watching(),
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE status IN ('running', 'stopping') OR (status = 'queued' AND blocked = 0))"
        " OR EXISTS (SELECT 1 FROM outbox WHERE state = 'pending') OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'pending')"
        " OR EXISTS (SELECT 1 FROM tasks WHERE hold = 'none' AND paused_at IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM tasks AS t WHERE waiting_for = 'check_analysis_approved' AND hold = 'none' AND NOT EXISTS"
        " (SELECT 1 FROM deps JOIN tasks AS n ON n.id = needs_task_id WHERE task_id = t.id AND n.stage <> 'done'))",
        store::first_integer);
    return must(busy).value_or(1) == 0;
}

void House::settle_in_peace() {
    constexpr int rounds = 10;
    for (int round = 0; round < rounds && !scheduler_.violation(); ++round) {
        if (!scheduler_.run([this] { return chance_.is_calm() && quiet(); }, scheduler_.clock() + 2 * hour_ms, 400'000))
            return scheduler_.violate("all comes to rest", "it did not within two hours of peace");
        witness_.look_at_waiting();
        look_at_why(databases_.watching(), true);
        look_at_recovery(false);
        if (all_done_ = std::ranges::all_of(
                items_,
                [this](const auto& item) { return terminal(must(store::find_task(databases_.watching(), item))->stage); });
            all_done_)
            return;
        auto& control = daemons_["orchd-control"];
        control.poked = true;  // whoever is asked for help helps
        if (control.process != nullptr) scheduler_.wake(*control.process);
        for (auto& [name, repository] : repositories_) repository->denies_rewrites = false;
        help_ = true;
        if (!scheduler_.run([this] { return !help_; }, scheduler_.clock() + hour_ms, 400'000)) return;
    }
    if (!scheduler_.violation())
        scheduler_.violate("with a person's help all comes to an end", "it did not in ten rounds of help");
}

// Recovery twice is recovery once: the second finds nothing to do.
void House::look_at_recovery(bool boot) {
    if (scheduler_.violation()) return;
    const Chance::Respite respite(chance_);
    Databases::Lease lease(databases_);
    auto here = world(lease.db(), "worker");
    (void)engine::recover(here);
    committed();
    const auto before = witness_.digest();
    (void)engine::recover(here);
    committed();
    if (boot) witness_.look_at_new_boot();
    if (witness_.digest() != before) scheduler_.violate("recovery twice is recovery once", "the second pass changed something");
}

void House::power_cut() {
    scheduler_.note("!! the power is cut");
    for (auto& [name, daemon] : daemons_) {
        if (daemon.process == nullptr) continue;
        daemon.process->on_end = nullptr;
        scheduler_.kill(*std::exchange(daemon.process, nullptr));
    }
    for (auto* caller : std::exchange(callers_, {})) scheduler_.kill(*caller);
    systemd_.power_cut();
    fs::remove_all(folder_ + "/runs");
    scheduler_.new_boot();
    if (chance_.detail(2) == 0) look_at_recovery(true);
    boot();
}

Outcome House::live() {
    committed_ = false;
    witness_.look();
    boot();
    people();
    day();
    senders();
    chaos();
    settle_in_peace();
    Outcome outcome;
    if (!scheduler_.violation()) witness_.look_at_outcome(repositories_);
    if (!scheduler_.violation()) witness_.look_at_live(live_);
    if (const auto differs = told_.differs(databases_.watching(), witness_.asked()); differs && !scheduler_.violation())
        scheduler_.violate("what is told is known as it is, in any order and however often", *differs);
    if (!scheduler_.violation()) look_for_secret();
    outcome.violation = scheduler_.violation();
    outcome.strokes = chance_.struck();
    outcome.hash = scheduler_.hash();
    outcome.trace = scheduler_.trace();
    outcome.simulated_ms = scheduler_.clock();
    for (const auto& item : items_)
        if (const auto task = must(store::find_task(databases_.watching(), item)); task)
            ++(task->stage == Stage::done ? outcome.done : outcome.cancelled);
    for (const auto& stroke : outcome.strokes) outcome.crashes += stroke.stroke == Stroke::crash ? 1 : 0;
    return outcome;
}

void House::look_for_secret() {
    if (databases_.contains(secret)) scheduler_.violate("no secret is in database or log", "the database has it");
    if (log_.find(secret) != std::string::npos) scheduler_.violate("no secret is in database or log", "the log has it");
}

}  // namespace orchd::sim
