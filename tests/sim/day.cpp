// An ordinary day: colleagues who push, delete, approve, rename and hold while tasks of one project are under way, also in the
// middle of a step; and what a person who asks why is told.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "engine/operate.h"
#include "engine/why.h"
#include "sim/house.h"
#include "sim/must.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::sim {
namespace {

constexpr const char* colleague = "uid:1001 bob";

}  // namespace

void House::day() {
    constexpr std::int64_t every_ms = 400;
    if (chance_.is_calm() || !chance_.knows(Stroke::day)) return;
    scheduler_.in(every_ms, [this] { day(); });
    if (!chance_.strikes(Stroke::day)) return;
    const auto& item = items_[chance_.detail(items_.size())];
    if (chance_.detail(3) == 0)
        push_as_colleague(item);
    else
        (void)call_as_colleague(item);
}

void House::push_as_colleague(const std::string& item) {
    const auto& project = projects_.good.front().name;
    auto& r = *repositories_.at(project);
    auto& main = r.forge.at("main");
    const auto branch = r.forge.find("task/" + item);
    const auto now = std::to_string(scheduler_.clock());
    const auto note = [&](const std::string& what) { scheduler_.note("!! a colleague " + what); };
    const auto what = chance_.detail(7);
    if (what >= 5) return push_to_main(project, what == 5 ? item : "");
    if (what == 4) {  // as another commit renames a file that this task may have changed
        const auto& files = r.find(main)->files;
        const auto file = files.find(item + ".cpp");
        if (file == files.end()) return;
        main = r.commit({main}, {{file->first, ""}, {"moved-" + item, file->second}}, "a person renames");
        r.target_history.push_back(main);
        witness_.tested(main);
        return note("renames a file of " + item);
    }
    if (branch == r.forge.end()) return;
    auto& head = branch->second;
    if (what == 0) {
        head = r.commit({head}, {{"helped-" + item, now}}, "a person helps");
        return note("pushes to the branch of " + item);
    }
    if (what == 1) {  // rewritten: its commits are one, with the same content
        auto once = r.dropped;
        once.insert(r.taken_out.begin(), r.taken_out.end());
        const auto base = r.fork_point(head, main, once);
        Files files;
        for (const auto& path : r.changed(base, head)) {
            const auto& there = r.find(head)->files;
            const auto found = there.find(path);
            files[path] = found == there.end() ? std::string() : found->second;
        }
        head = r.commit({base}, files, "squashed at " + now);
        return note("squashes the branch of " + item);
    }
    if (what == 2) r.forge["renamed/" + item + '-' + now] = head;
    r.forge.erase(branch);
    note(std::string(what == 2 ? "renames" : "deletes") + " the branch of " + item);
}

// A call of control by a process of its own, which may come in the middle of anything.
Process& House::call_as_colleague(const std::string& item) {
    const auto what = chance_.detail(20);
    scheduler_.note("!! a colleague does " + std::to_string(what) + " to " + item);
    auto& caller = scheduler_.spawn("orchd-control", [this, item, what] {
        Databases::Lease lease(databases_);
        auto here = world(lease.db(), "control");
        act_as_colleague(here, item, what);
        look_at_why(lease.db(), false);
        return 0;
    });
    callers_.insert(&caller);
    caller.on_end = [this](Process& ended) { callers_.erase(&ended); };
    return caller;
}

void House::act_as_colleague(engine::World& here, const std::string& item, std::uint64_t what) {
    const auto task = "task:" + item, project = "project:" + projects_.good.front().name;
    const auto job = [&] {
        const auto live = store::list_jobs(here.db, {.work_item = item, .only_live = true, .limit = 1});
        return live && !live->empty() ? live->front().job.id : 0;
    };
    switch (what) {
        case 0:
        case 1:
        case 2:
            return (void)engine::pause(here, task, "lunch", colleague);
        case 3:
            return (void)engine::pause(here, project, "a freeze", colleague);
        case 4:
            return (void)engine::cancel_job(here, job(), colleague);
        case 5:
            return (void)engine::reject(here, item, "not so", colleague);
        case 6:
            return (void)engine::send_back(here, item, Stage::development, "think again", colleague);
        case 7:
            return (void)engine::edit_task(here, item, {.title = "Said better", .priority = 9}, colleague);
        case 8:
        case 9:
            return (void)engine::retry(here, item, colleague);
        case 10:
        case 11:
            return (void)engine::release_hold(here, item, colleague);
        case 12:
        case 13:
        case 14:
            return (void)engine::approve(here, item, colleague);
        case 15:
            return (void)engine::resume(here, project, colleague);
        default:
            return (void)engine::resume(here, task, colleague);
    }
}

// Somebody comes between what a step has looked at and what it writes.
void House::meddle(const Process& process, std::string_view name) {
    constexpr std::array between{"advance.move.before",  "advance.work.before",   "advance.wait.before", "merge.intend.before",
                                 "merge.apply.before",   "merge.rebased.before",  "branch.push.before",  "merge.push.before",
                                 "finish.commit.before", "finish.put_away.before"};
    if (!chance_.knows(Stroke::day) || process.work_item.empty() || std::ranges::find(between, name) == between.end()) return;
    if (!chance_.strikes(Stroke::day) || chance_.detail(2) != 0) return;
    if (chance_.detail(3) == 0) return push_as_colleague(process.work_item);
    scheduler_.give_turn(call_as_colleague(process.work_item));
}

// `standstill`: nobody has anything to do, so each open task waits for a person, or for another task that does.
void House::look_at_why(store::Db& db, bool standstill) {
    constexpr const char* has_reason = "what stands still says why";
    const engine::WorldView view{.db = db,
                                 .settings = settings_,
                                 .projects = projects_,
                                 .now = scheduler_.now(),
                                 .free_bytes = INT64_MAX,
                                 .worker_lives = true};
    const auto looked = db.read([&](store::Db&) -> Status {
        const auto host = must(engine::look_at_host(view));
        for (const auto& item : items_) {
            const auto task = must(store::find_task(db, item)).value();
            if (terminal(task.stage)) continue;
            const auto around = must(engine::look_around(view, task));
            const auto said = engine::why(task, around, host);
            const bool held = task.hold != Hold::none && around.cancelled_need.empty();
            if (said.text.empty() || said.text.starts_with("Nothing is queued"))
                scheduler_.violate(has_reason, item + " is at " + std::string(to_text(task.stage)) + ": " + said.text);
            if (held && (blank(task.hold_reason) || !said.needs_you || said.command.empty() ||
                         said.text.find(task.hold_reason) == std::string::npos))
                scheduler_.violate(has_reason, item + " is held (" + task.hold_reason + "): " + said.text);
            if (standstill && !said.needs_you && said.command.empty() && around.needs.empty())
                scheduler_.violate(has_reason, item + " stands still: " + said.text);
        }
        return {};
    });
    if (!looked) throw std::runtime_error("nobody can say why: " + looked.error().text);
}

}  // namespace orchd::sim
