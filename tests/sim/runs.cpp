// What runs in units, people, and fate.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/front_matter.h"
#include "engine/left.h"
#include "sim/house.h"

namespace orchd::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t for_ever = 86'400'000;

void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
}

// How a run can end other than well.
enum class Ill { exits_3, again_later, times_out, not_found, killed_early, killed_late, red, hangs, kinds };

}  // namespace

// As the launcher: one spec is one run.
std::optional<engine::Spec> House::take_spec(const std::string& item, const std::string& left, bool deploy) {
    std::ifstream file(folder_ + "/runs/" + item + "/spec.json");
    auto spec = engine::spec_from_json({std::istreambuf_iterator<char>(file), {}});
    if (!spec || (spec->kind == JobKind::deploy) != deploy) return std::nullopt;
    const auto mark = left + "/taken-" + std::to_string(spec->run_id);
    if (fs::exists(mark)) return std::nullopt;
    fs::remove_all(left);
    write(mark, "");
    witness_.run_began(*scheduler_.present(), spec->run_id);
    return *spec;
}

// What a developer brings: on top of main, where that is needed to fit.
std::string House::commit_code(const engine::Spec& spec) {
    auto& r = *repositories_.at(spec.project);
    auto head = spec.commit;
    const auto& main = r.seen["main"];
    const bool resolves = !all_the_time("everything conflicts");
    if (resolves &&
        (!r.rebase(head, main, r.fork_point(head, main, r.dropped)).conflicts.empty() || !settings_.premerge_rebase_always))
        head = r.merge(head, main);
    return work_on(head, "int x" + std::to_string(spec.run_id) + ';', spec);
}

// The head of what the run did; empty of one that commits nothing.
std::string House::commit_work(const engine::Spec& spec, bool good) {
    auto& r = *repositories_.at(spec.project);
    const auto artefact = [&](Artefact a, const std::string& front) {
        const auto text = "---\n" + front + "\n---\nRun " + std::to_string(spec.run_id) + '\n';
        return r.commit({head_to_work_on(spec)}, {{artefact_path(spec.work_item, a), text}}, spec.work_item);
    };
    good = good && !all_the_time("every review is red");
    if (spec.role == Role::analyst) return artefact(Artefact::analysis, "status: READY");
    if (spec.role == Role::architect) return artefact(Artefact::architecture, "status: READY");
    if (spec.role == Role::reviewer) return artefact(Artefact::review, good ? "verdict: APPROVED" : "verdict: REQUEST_CHANGES");
    return spec.role == Role::developer ? commit_code(spec) : std::string();
}

int House::agent(const std::string& item) {
    const auto left = folder_ + "/left/" + item;
    const auto spec = take_spec(item, left, false);
    return spec ? work(*spec, left) : 75;
}

int House::work(const engine::Spec& spec, const std::string& left) {
    auto ill = Ill::kinds;
    if (chance_.strikes(Stroke::outcome)) ill = static_cast<Ill>(chance_.detail(static_cast<std::uint64_t>(Ill::kinds)));
    const bool agent = spec.kind == JobKind::agent;
    scheduler_.sleep(20 + static_cast<std::int64_t>(chance_.strikes(Stroke::slow) ? chance_.detail(50'000) : 0));
    auto& self = *scheduler_.present();
    const auto says = [&](bool good) { witness_.run_said(spec.work_item, good); };
    if (agent && ill == Ill::kinds && chance_.strikes(Stroke::odd)) return leave_oddly(spec, left);
    switch (ill) {
        case Ill::exits_3:
            says(false);
            return 3;
        case Ill::again_later:
            if (const auto when = chance_.detail(4); when < 3)
                write(
                    left + "/result/retry_at",
                    when == 0 ? "soon" : std::to_string(scheduler_.now().utc_ms / 1000 + 30 * static_cast<std::int64_t>(when)));
            return 75;
        case Ill::times_out:
            scheduler_.sleep(spec.timeout_s * 1000);
            return 124;
        case Ill::not_found:
            return 127;
        case Ill::killed_early:
            scheduler_.kill(self);
            break;
        case Ill::hangs:
            scheduler_.sleep(for_ever);
            break;
        default:
            break;
    }
    if (spec.role == Role::developer && all_the_time("developers do nothing")) {
        leave(spec, left, spec.commit, {});
        says(true);
        return 0;
    }
    if (agent) leave(spec, left, commit_work(spec, ill != Ill::red), {});
    if (spec.role == Role::build) write(left + "/result/release.tar", spec.commit);
    if (spec.role == Role::reviewer && all_the_time("every review is red")) ill = Ill::red;
    if (spec.role == Role::developer && all_the_time("everything conflicts")) push_to_main(spec.project, spec.work_item);
    if (ill == Ill::killed_late) scheduler_.kill(self);
    says(ill != Ill::red || (agent && spec.role != Role::reviewer));
    if (!agent && ill == Ill::red) return 1;
    if (!agent) witness_.tested(spec.commit);
    if (spec.role == Role::reviewer || spec.role == Role::test)
        if (ill != Ill::red) witness_.judged(spec.work_item, spec.role, patch_of(*repositories_.at(spec.project), spec.commit));
    return 0;
}

int House::deploy_hook(const std::string& item) {
    const auto left = folder_ + "/left/deploy-" + item;
    const auto spec = take_spec(item, left, true);
    if (!spec) return 75;
    auto& live = live_[spec->project];
    if (live == spec->commit) return 0;
    auto ill = 4UL;
    if (chance_.strikes(Stroke::outcome)) ill = chance_.detail(4);
    scheduler_.sleep(200);
    if (ill == 0) return 1;  // and rolled back
    if (ill == 1) return 75;
    scheduler_.point("deploy switches", At::boundary);
    if (live == spec->commit) return 0;
    const auto before = std::exchange(live, spec->commit);
    witness_.deployed(*scheduler_.present(), *repositories_.at(spec->project), spec->commit, before);
    scheduler_.point("deploy switched", At::boundary);
    scheduler_.sleep(200);
    if (ill != 2) return 0;
    witness_.rolled_back(spec->commit);
    live = before;
    return 1;
}

// Who works beside orchd, on the same forge.
void House::people() {
    constexpr std::int64_t every_ms = 1500;
    if (chance_.is_calm()) return;
    scheduler_.in(every_ms, [this] { people(); });
    if (chance_.strikes(Stroke::push)) push_something();
}

// Worlds in which one thing goes wrong each time, until all is calm.
bool House::all_the_time(const char* what) const { return !chance_.is_calm() && chance_.has(what, 0.05); }

void House::push_to_main(const std::string& project, const std::string& against) {
    auto& r = *repositories_.at(project);
    auto& main = r.forge["main"];
    main = r.commit({main}, {{against.empty() ? "people" : against + ".cpp", std::to_string(scheduler_.clock())}},
                    "a person works");
    r.target_history.push_back(main);
    witness_.tested(main);
    scheduler_.note("!! a person pushes to main of " + project + (against.empty() ? "" : ", against " + against));
}

void House::push_something() {
    const auto& project = projects_.good[chance_.detail(projects_.good.size())].name;
    auto& r = *repositories_.at(project);
    const auto& item = items_[chance_.detail(items_.size())];
    const auto n = std::to_string(scheduler_.clock());
    if (chance_.detail(3) == 0 && r.forge.contains("task/" + item)) {
        auto& branch = r.forge["task/" + item];
        branch = r.commit({branch}, {{"helped-" + item, n}}, "a person helps");
        return scheduler_.note("!! a person pushes to the branch of " + item);
    }
    if (chance_.detail(8) == 0 && r.forge.erase("task/" + item) > 0)
        return scheduler_.note("!! a person deletes the branch of " + item);
    if (chance_.detail(16) == 0) {
        r.denies_rewrites = !r.denies_rewrites;
        return scheduler_.note("!! a person has " + project + (r.denies_rewrites ? " deny" : " allow") + " rewritten branches");
    }
    const bool conflicts = chance_.detail(4) == 0;
    auto& main = r.forge["main"];
    if (const auto& last = *r.find(main); last.message == "a person works" && chance_.detail(4) == 0) {
        scheduler_.note("!! a person sets main of " + project + " back from " + main.substr(0, 8));
        r.taken_out.insert(main);
        main = last.parents.front();
        r.target_history.push_back(main);
        return;
    }
    push_to_main(project, conflicts ? item : "");
}

// No merge takes out of a branch what main was set back from, where its work changed the same: a person writes it anew.
void House::rebase_by_hand(const std::string& project, const std::string& branch) {
    auto& r = *repositories_.at(project);
    const auto found = r.forge.find(branch);
    if (found == r.forge.end()) return;
    const auto& main = r.forge.at("main");
    auto once = r.dropped;
    once.insert(r.taken_out.begin(), r.taken_out.end());
    const auto base = r.fork_point(found->second, main, once);
    if (r.is_ancestor(base, main) || r.rebase(found->second, main, base).conflicts.empty()) return;
    Files work;
    for (const auto& path : r.changed(base, found->second)) {
        const auto& files = r.find(found->second)->files;
        const auto mine = files.find(path);
        work[path] = mine == files.end() ? std::string() : mine->second;
    }
    found->second = r.commit({main}, work, "rebased by hand");
    scheduler_.note("!! a person rebases " + branch + " of " + project + " by hand");
}

void House::chaos() {
    constexpr std::int64_t every_ms = 500, longest_ms = 120'000;
    if (scheduler_.clock() > longest_ms) chance_.calm();
    if (chance_.is_calm()) return;
    scheduler_.in(every_ms, [this] { chaos(); });
    if (chance_.strikes(Stroke::reload)) {
        scheduler_.note("!! daemon-reload");
        systemd_.daemon_reload();
    }
    if (chance_.strikes(Stroke::clock)) {
        const auto hours = static_cast<std::int64_t>(chance_.detail(3)) - 1;
        scheduler_.note("!! the clock is turned by " + std::to_string(hours) + " h");
        scheduler_.turn_clock(hours * 3'600'000);
    }
    if (chance_.strikes(Stroke::outage)) begin_outage();
    if (chance_.strikes(Stroke::away)) send_worker_away();
    if (chance_.strikes(Stroke::power_cut)) power_cut();
}

void House::begin_outage() {
    const auto& project = projects_.good[chance_.detail(projects_.good.size())].name;
    const bool lasts = chance_.detail(2) == 0;
    auto& outage = outages_[project];
    outage.words = lasts ? "error: insufficient permission for adding an object to repository database ./objects"
                         : "fatal: the remote end hung up unexpectedly";
    // One that lasts, but is not known as such, ends by its tries.
    outage.known = lasts && chance_.detail(3) != 0;
    if (lasts && !outage.known) outage.words = "fatal: what nobody has seen yet";
    outage.until = lasts ? 0 : scheduler_.clock() + 1 + static_cast<std::int64_t>(chance_.detail(90'000));
    scheduler_.note("!! " + project + " takes nothing " + (lasts ? "until it is mended: " : "for a while: ") + outage.words);
}

void House::send_worker_away() {
    away_until_ = scheduler_.clock() + 1 + static_cast<std::int64_t>(chance_.detail(60'000));
    scheduler_.note("!! there is no worker for a while");
    for (auto& [name, daemon] : daemons_)
        if (name.starts_with("orchd-worker") && daemon.process != nullptr) scheduler_.kill(*daemon.process);
}

}  // namespace orchd::sim
