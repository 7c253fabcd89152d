#include "sim/witness.h"

#include <algorithm>
#include <stdexcept>

#include "core/front_matter.h"
#include "core/names.h"
#include "core/pipeline.h"
#include "sim/must.h"
#include "store/facts.h"
#include "store/query.h"
#include "store/tasks.h"

namespace orchd::sim {
namespace {

using store::Row;

constexpr const char* does_not_move = "a paused or held task does not move";
constexpr const char* live_owner = "no lease is taken from a live owner";
constexpr const char* one_run = "one running agent per task, and only for its job's run";

}  // namespace

Witness::Witness(Scheduler& scheduler, const Systemd& systemd, store::Db& db, const settings::Settings& settings)
    : scheduler_(scheduler), systemd_(systemd), db_(db), settings_(settings) {}

std::set<std::string>& Witness::boundaries_passed() {
    static std::set<std::string> names;
    return names;
}

std::string Witness::who() const {
    const auto* p = scheduler_.present();
    return p == nullptr ? "nobody" : p->name;
}

void Witness::look() {
    before_ = tasks_;
    must(db_.read([this](store::Db&) -> Status {  // one transaction: it is cheaper
        look_at_tasks();
        look_at_jobs();
        look_at_leases();
        look_at_holders("SELECT repo, task_id, job_id FROM merge_leases", merge_);
        look_at_holders("SELECT target, task_id, job_id FROM target_leases", target_);
        return {};
    }));
    first_look_ = false;
}

void Witness::look_at_tasks() {
    const auto rows = must(store::list_rows(
        db_,
        "SELECT id, work_item, stage, stage_seq, hold <> 'none', paused_at IS NOT NULL, project_id, retries_developer,"
        " retries_again, retries_conflict, waiting_for = 'check_analysis_approved' FROM tasks",
        [](const Row& row) {
            return std::pair(row.integer(0), TaskSeen{.work_item = row.text(1),
                                                      .stage_text = row.text(2),
                                                      .stage = store::word<Stage>(row, 2),
                                                      .seq = row.integer(3),
                                                      .project = row.integer(6),
                                                      .held = row.integer(4) != 0,
                                                      .paused = row.integer(5) != 0,
                                                      .asks = row.integer(10) != 0,
                                                      .retries = {.developer = static_cast<int>(row.integer(7)),
                                                                  .again = static_cast<int>(row.integer(8)),
                                                                  .conflict = static_cast<int>(row.integer(9))}});
        }));
    for (const auto& [id, now] : rows) {
        const auto found = before_.find(id);
        if (found != before_.end() && !first_look_) look_at_task(found->second, now);
        tasks_[id] = now;
        const auto asked = now.work_item + '/' + std::to_string(now.seq);
        if (now.asks && !asked_.contains(asked))
            asked_[asked] =
                must(store::find_row(db_, "SELECT coalesce(max(id), 0) FROM deliveries", store::first_integer)).value();
    }
}

bool Witness::told(const std::string& key_like) {
    return must(store::find_row(db_, "SELECT 1 FROM outbox WHERE dedup_key LIKE ? LIMIT 1", store::first_integer, key_like))
        .has_value();
}

void Witness::look_at_task(const TaskSeen& before, const TaskSeen& now) {
    const auto& item = now.work_item;
    if (now.seq != before.seq) {
        const bool sent_back = who() == "orchd-control" && can_be_sent_back(before.stage, now.stage);
        if (now.seq != before.seq + 1 || (!legal_edge(before.stage, now.stage) && !sent_back))
            violate("stages move along the table's edges, one at a time",
                    who() + " moved " + item + " from " + before.stage_text + '/' + std::to_string(before.seq) + " to " +
                        now.stage_text + '/' + std::to_string(now.seq));
        // The worker moves a task only where a person in the tracker had it tried again.
        const bool by_person = who() == "orchd-control" || who().starts_with("orchd-worker");
        if (!by_person && (before.held || before.paused))
            violate(does_not_move, who() + " moved " + item + " to " + now.stage_text);
        if (!by_person && !told(item + '/' + std::to_string(now.seq) + "/stage"))
            violate("what people are told is written with what it tells",
                    item + " is at " + now.stage_text + ", and nobody was told");
    } else if (now.stage != before.stage) {
        violate("stages move along the table's edges, one at a time", item + " has another stage under the same number");
    }
    const auto& counts = now.retries;
    if (counts.developer > settings_.retry_cap || counts.conflict > settings_.conflict_cap ||
        counts.again > settings_.again_cap)
        violate("retries are capped", item + " was sent back or asked again once too often");
    if (counts.developer > before.retries.developer && now.seq == before.seq)
        violate("deaths never count against the developer", who() + " counted one against " + item);
    const bool forward = now.seq != before.seq && now.stage == row(before.stage).next && before.stage != Stage::deploy;
    if (forward && bad_word_[item])
        violate("a red word stops its stage", item + " moved on to " + now.stage_text + " after a run that said no");
    if (forward && before.stage == Stage::development) look_at_what_development_brought(item);
    if (now.held && !before.held && !told(item + '/' + std::to_string(now.seq) + "/needs-you/%"))
        violate("what people are told is written with what it tells", item + " is held, and nobody was told");
}

void Witness::look_at_jobs() {
    static const std::string columns =
        "SELECT id, task_id, run_id, kind, status, attempts, max_attempts, deferrals FROM jobs WHERE ";
    static const std::string live = columns + "status IN ('queued', 'running', 'stopping')";
    static const std::string one = columns + "id = ?";
    const auto read = [](const Row& row) {
        return std::pair(row.integer(0), JobSeen{.task = row.integer(1),
                                                 .run = row.maybe_integer(2).value_or(0),
                                                 .kind = store::word<JobKind>(row, 3),
                                                 .status = store::word<JobStatus>(row, 4),
                                                 .attempts = static_cast<int>(row.integer(5)),
                                                 .deferrals = static_cast<int>(row.integer(7)),
                                                 .max_attempts = static_cast<int>(row.integer(6))});
    };
    auto rows = must(store::list_rows(db_, live, read));
    for (const auto& [id, seen] : jobs_) {
        const bool listed = std::ranges::any_of(rows, [id = id](const auto& row) { return row.first == id; });
        if (!listed)
            if (auto row = must(store::find_row(db_, one, read, id))) rows.push_back(*row);
    }
    for (const auto& [id, now] : rows) look_at_job(id, now);
}

void Witness::look_at_job(std::int64_t id, JobSeen now) {
    const auto found = jobs_.find(id);
    if (found != jobs_.end()) {
        const auto before = found->second;
        now.claims = before.claims;
        // What is queued takes over the attempts of one that was cancelled for it.
        if (before.status == JobStatus::queued && now.status == JobStatus::queued) now.claims += now.attempts - before.attempts;
        now.claimed_at = before.claimed_at;
        now.finishes = before.finishes;
        if (before.status == JobStatus::queued && now.status == JobStatus::running) {
            ++now.claims;
            now.claimed_at = scheduler_.clock();
            now.finishes = 0;
            claimed(id, now);
        }
        if (before.status == JobStatus::running && now.status == JobStatus::stopping) called_dead(id, before);
        const bool ran = before.status == JobStatus::running || before.status == JobStatus::stopping;
        if (ran && now.status != JobStatus::running && now.status != JobStatus::stopping) left_running(id, before, now);
    } else {
        now.claims = now.attempts;
    }
    if (live(now.status))
        jobs_[id] = now;
    else
        jobs_.erase(id);
}

void Witness::claimed(std::int64_t id, const JobSeen& job) {
    const auto& task = before_[job.task];
    const bool all_paused =
        must(store::find_row(db_, "SELECT 1 FROM settings_state WHERE key = 'paused'", store::first_integer)).has_value();
    const bool project_paused = must(store::find_row(db_, "SELECT 1 FROM projects WHERE id = ? AND paused_at IS NOT NULL",
                                                     store::first_integer, task.project))
                                    .has_value();
    if (task.held || task.paused || all_paused || project_paused)
        violate(does_not_move, who() + " claimed job " + std::to_string(id) + " of " + task.work_item);
    for (const auto& [other_id, other] : before_)
        if (needs_[task.work_item].contains(other.work_item) && other.stage != Stage::done)
            violate("what a task needs is done first",
                    who() + " claimed job " + std::to_string(id) + " of " + task.work_item + " before " + other.work_item);
    const bool forgotten = must(store::find_row(db_,
                                                "SELECT 1 FROM stalls JOIN runs ON runs.id = run_id WHERE job_id = ?"
                                                " AND part = 'end' AND state = 'given_up' LIMIT 1",
                                                store::first_integer, id))
                               .has_value();
    if (forgotten)
        violate("an end that was given up is gone on with", "job " + std::to_string(id) + " runs its command once more");
    if (job.attempts != job.claims)
        violate("attempts are counted", "job " + std::to_string(id) + " was claimed " + std::to_string(job.claims) +
                                            " times and says " + std::to_string(job.attempts));
}

// Some are killed before they can count themselves.
void Witness::finish_ended(std::int64_t run) {
    constexpr std::int64_t killed_uncounted = 6;
    for (auto& [id, job] : jobs_) {
        if (job.run != run || job.status != JobStatus::running) continue;
        const bool over =
            must(store::find_row(db_, "SELECT 1 FROM runs WHERE id = ? AND exit_kind IS NOT NULL", store::first_integer, run))
                .has_value();
        if (over && ++job.finishes > settings_.finish_max_tries + killed_uncounted)
            violate("no run stands longer than its cap of tries", "job " + std::to_string(id) + " keeps its slot after " +
                                                                      std::to_string(job.finishes) + " tries of its end");
    }
}

// Whether a process of the unit works for the job's run, other than the one that writes.
bool Witness::at_work(std::string_view stem, const JobSeen& job) const {
    const auto* p = systemd_.process_of(names::unit(stem, tasks_.at(job.task).work_item));
    return p != nullptr && p != scheduler_.present() && !p->killed && p->run == job.run;
}

bool Witness::overdue(const JobSeen& job) const {
    return scheduler_.clock() - job.claimed_at > settings_.reaper_max_running_s * 1000;
}

// What begins after the look that found nothing may be stopped again: nothing was lost.
bool Witness::was_there(std::string_view stem, const JobSeen& job) {
    const auto unit = names::unit(stem, tasks_.at(job.task).work_item);
    return systemd_.process_of(unit)->began_at < seen_at_[unit];
}

void Witness::called_dead(std::int64_t id, const JobSeen& before) {
    if (who() == "orchd-control" || overdue(before)) return;
    for (const auto stem : {names::agent, names::deploy, names::step})
        if (at_work(stem, before) && was_there(stem, before))
            violate("no live run is called dead",
                    who() + " gave up job " + std::to_string(id) + " while its " + std::string(stem) + " is at work");
}

// The job's run is over, as the database has it from now on: nothing of it may be at work.
void Witness::left_running(std::int64_t id, const JobSeen& before, const JobSeen& now) {
    const auto& task = tasks_[before.task];
    const auto what = "job " + std::to_string(id) + " of " + task.work_item + " is " + std::string(to_text(now.status)) +
                      " by " + who() + " while its ";
    for (const auto stem : {names::step, names::agent, names::deploy, names::prepare})
        if ((stem == names::step) == (before.kind == JobKind::advance) && at_work(stem, before))
            violate("a requeued run's cgroup was empty", what + std::string(stem) + " is at work");
    if (now.status == JobStatus::queued && now.attempts - now.deferrals >= now.max_attempts && !task.held)
        violate("what has no attempts left is held", what + "attempts are used up");
    if (const auto code = code_of_run_.find(before.run); code != code_of_run_.end() && now.status == JobStatus::done)
        work_[task.work_item] = {code->second};
    const bool judged = now.status == JobStatus::done || now.status == JobStatus::failed;
    if (judged && before.kind != JobKind::advance && !runs_ended_.contains(before.run))
        violate("an exit belongs to the run that ended", what + "run " + std::to_string(before.run) + " never ended");
}

void Witness::stopping(const std::string& unit) {
    const auto* p = systemd_.process_of(unit);
    if (p == nullptr || p->run == 0 || p->killed) return;
    for (const auto& [id, job] : jobs_)
        if (job.run == p->run && job.status == JobStatus::running && !overdue(job))
            violate("no live run is stopped unasked", who() + " stops " + unit + " in the middle of job " + std::to_string(id));
}

// What a person pushed to a task's branch is never lost: people write ever greater numbers into a file of the branch.
void Witness::branch_moved(const Repository& repository, const std::string& branch, const std::string& commit,
                           const std::string& from) {
    const auto file = "helped-" + branch.substr(branch.find('/') + 1);
    const auto number = [&](const std::string& id) {
        const auto* c = repository.find(id);
        const auto found = c == nullptr ? Files::const_iterator{} : c->files.find(file);
        return c == nullptr || found == c->files.end() ? 0L : std::stol(found->second);
    };
    if (late_pushes_rewind && from.empty() && scheduler_.present() == nullptr) {
        const auto item = branch.substr(branch.find('/') + 1);
        const auto& files = repository.find(commit)->files;
        const auto code = files.find(item + ".cpp");
        work_[item].insert(code == files.end() ? std::string() : code->second);
    }
    if (!from.empty() && number(commit) < number(from))
        violate("what people push is not lost", who() + " overwrote what a person pushed to " + branch);
}

std::string Witness::digest() {
    const auto text = [](const Row& row) { return row.text(0); };
    return *must(store::find_row(
        db_,
        "SELECT (SELECT group_concat(stage_seq || stage || hold) FROM tasks) || (SELECT group_concat(status || attempts ||"
        " coalesce(run_id, 0)) FROM jobs) || (SELECT coalesce(group_concat(fence || coalesce(unit, '')), '') FROM"
        " transition_leases) || (SELECT count(*) || '/' || coalesce(max(id), 0) FROM events) || (SELECT count(*) FROM outbox)",
        text));
}

void Witness::look_at_new_boot() {
    const auto running = must(store::find_row(
        db_,
        "SELECT j.id FROM jobs AS j JOIN runs AS r ON r.id = j.run_id WHERE j.status = 'running' AND r.exit_kind IS NULL"
        " AND r.boot_id <> ? LIMIT 1",
        store::first_integer, scheduler_.now().boot_id));
    if (running) violate("another boot is proof at once", "job " + std::to_string(*running) + " still runs in another boot");
}

bool Witness::lives(const LeaseSeen& owner) const {
    const auto* p = systemd_.process_of(owner.unit);
    return p != nullptr && !p->killed && p->invocation == owner.invocation && owner.boot == scheduler_.now().boot_id;
}

void Witness::look_at_leases() {
    const auto rows = must(
        store::list_rows(db_, "SELECT task_id, unit, invocation_id, boot_id, fence FROM transition_leases", [](const Row& row) {
            return std::pair(row.integer(0), LeaseSeen{row.text(1), row.text(2), row.text(3), row.integer(4)});
        }));
    auto* present = scheduler_.present();
    for (const auto& [task, now] : rows) {
        auto& before = leases_[task];
        const bool changed = now.invocation != before.invocation || now.unit != before.unit;
        const bool own = present != nullptr && present->invocation == before.invocation;
        if (changed && !before.unit.empty() && !own && lives(before))
            violate(live_owner, who() + " took the transition lease of " + tasks_[task].work_item + " from " + before.unit);
        if (present != nullptr && changed && !now.unit.empty() && now.invocation == present->invocation)
            fences_[{present->pid, task}] = now.fence;
        before = now;
        if (present == nullptr) continue;
        const auto mine = fences_.find({present->pid, task});
        if (mine != fences_.end() && now.fence > mine->second)
            violate("nothing is written under an old fence", who() + " wrote with fence " + std::to_string(mine->second) +
                                                                 ", the newest is " + std::to_string(now.fence));
    }
}

void Witness::look_at_holders(const char* sql, std::map<std::string, HolderSeen>& seen) {
    const auto rows = must(store::list_rows(db_, sql, [](const Row& row) {
        return std::pair(row.text(0), HolderSeen{row.integer(1), row.integer(2)});
    }));
    auto before = std::exchange(seen, {});
    for (const auto& [key, now] : rows) {
        seen[key] = now;
        const auto found = before.find(key);
        if (found == before.end() || found->second.task == now.task) continue;
        for (const auto& [id, job] : jobs_) {
            const bool holds = id == found->second.job || (job.task == found->second.task && job.kind == JobKind::advance);
            if (holds && (job.status == JobStatus::running || job.status == JobStatus::stopping))
                violate(live_owner, who() + " took " + key + " from " + tasks_[found->second.task].work_item + ", whose job " +
                                        std::to_string(id) + " is " + std::string(to_text(job.status)));
        }
    }
}

void Witness::run_began(Process& process, std::int64_t run_id) {
    process.run = run_id;
    if (!runs_begun_.insert(run_id).second) violate(one_run, "run " + std::to_string(run_id) + " is worked a second time");
    const auto status = must(store::find_row(
        db_, "SELECT status FROM jobs WHERE run_id = ?", [](const Row& row) { return row.text(0); }, run_id));
    if (!status || (*status != "running" && *status != "stopping"))
        violate(one_run, process.name + " begins run " + std::to_string(run_id) + ", which is " + status.value_or("nobody's"));
}

void Witness::look_at_what_lands(const Repository& repository, const std::string& commit, const std::string& from,
                                 bool has_tests) {
    constexpr const char* what_lands = "nothing lands whose patch was not reviewed and tested";
    const auto patch = repository.patch(from, commit, std::string(artefacts_folder));
    if (patch.empty()) violate(what_lands, repository.name + ": " + commit + " changes nothing");
    for (const auto& [path, text] : repository.find(commit)->files)
        if (text.starts_with("<<<<<<<"))
            violate("nothing lands that could not be brought in", commit + " has marks of a conflict in " + path);
    for (const auto& [branch, head] : repository.forge) {
        if (head != commit || !branch.starts_with("task/")) continue;
        const auto item = branch.substr(5);
        // What was judged is what lands, but for what a branch that merged the target has of it: that stands there as judged.
        const auto& there = repository.find(from)->files;
        const auto stands = [&](const auto& change) {
            const auto found = there.find(change.first);
            return patch.contains(change.first) || (found == there.end() ? "" : found->second) == change.second.second;
        };
        const auto judged = [&](Role by) {
            return std::ranges::any_of(judged_[{item, by}], [&](const Patch& whole) {
                return std::ranges::includes(whole, patch) && std::ranges::all_of(whole, stands);
            });
        };
        if (!judged(Role::reviewer)) violate(what_lands, commit + " of " + item + " was not reviewed");
        if (has_tests && !judged(Role::test)) violate(what_lands, commit + " of " + item + " was not tested");
    }
}

void Witness::merged(const Process* by, const Repository& repository, const std::string& commit, const std::string& from,
                     bool must_be_tested, bool has_tests) {
    if (!repository.is_ancestor(from, commit))
        violate("the target's history only grows", repository.name + ": " + commit + " does not contain " + from);
    for (const auto& out : repository.taken_out)
        if (repository.is_ancestor(out, commit))
            violate("what people take out of the target stays out",
                    repository.name + ": " + commit + " brings " + out + " back");
    if (must_be_tested && !tested_.contains(commit))
        violate("exactly what was tested is merged", repository.name + ": " + commit + " was never tested green");
    look_at_what_lands(repository, commit, from, has_tests);
    if (by == nullptr) return;
    const auto intended =
        must(store::find_row(db_, "SELECT 1 FROM effects WHERE state = 'intended' AND key LIKE '%/merge' AND result = ?",
                             store::first_integer, commit));
    if (!intended) violate("what is done was written down before", by->name + " merges " + commit + " without an intention");
    const auto holder = merge_.find("local:" + forge_path_of(repository.name));
    if (holder == merge_.end() || tasks_[holder->second.task].work_item != by->work_item)
        violate("one holder per merge lease, and only the holder merges", by->name + " merges without the lease");
    if (++merges_[by->work_item] > 1) violate("each task is merged once", by->work_item + " is merged again, as " + commit);
}

void Witness::deployed(const Process& by, const Repository& repository, const std::string& commit, const std::string& before) {
    if (!deployed_.insert(commit).second) violate("one deploy per commit", by.name + " deploys " + commit + " again");
    if (!before.empty() && before != commit && repository.is_ancestor(commit, before))
        violate("an older commit is never deployed", by.name + " deploys " + commit + " over " + before);
}

void Witness::boundary(Process& process, std::string_view name) {
    boundaries_passed().emplace(name);
    if (!process.owes.empty() && name != process.owes + ".after")
        violate("every effect stands between two boundaries",
                process.name + " came to " + std::string(name) + " before " + process.owes + ".after");
    process.owes.clear();
    process.inside = name.ends_with(".before") ? std::string(name.substr(0, name.size() - 7)) : std::string();
}

void Witness::effect(Process& process, const std::string& what) {
    if (process.inside.empty())
        violate("every effect stands between two boundaries", process.name + ": " + what + " stands in none");
    process.owes = process.inside;
}

void Witness::process_ended(const Process& process) {
    if (!process.killed && !process.owes.empty())
        violate("every effect stands between two boundaries", process.name + " ended before " + process.owes + ".after");
}

void Witness::pass_made(std::int64_t began_ms) {
    const auto at = must(store::find_row(db_, "SELECT at FROM settings_state WHERE key = 'reaper_pass'", store::first_integer));
    if (at.value_or(0) < began_ms) violate("each pass of the reaper is on record", who() + " recorded none");
}

void Witness::look_at_waiting() {
    // Of another that is held, say. One that was cancelled moves nobody any more.
    const auto others_move_it = [&](std::int64_t id) {
        const auto unmet = must(store::unmet_dependencies(db_, id));
        return !unmet.empty() && std::ranges::none_of(unmet, [&](auto needed) {
            return must(store::find_task(db_, needed)).value().stage == Stage::cancelled;
        });
    };
    for (const auto& [id, task] : tasks_)
        if (!terminal(task.stage) && !task.held && !task.paused && !others_move_it(id))
            violate("nothing waits for ever",
                    task.work_item + " stands at " + task.stage_text + ", nobody has anything to do, and nobody was told");
}

void Witness::look_at_outcome(const std::map<std::string, std::unique_ptr<Repository>>& repositories) {
    for (const auto& [name, repository] : repositories) {
        const auto& history = repository->target_history;
        for (std::size_t i = 1; i < history.size(); ++i)
            if (!repository->taken_out.contains(history[i - 1]) && !repository->is_ancestor(history[i - 1], history[i]))
                violate("the target's history only grows", name + " lost " + history[i - 1]);
    }
    const auto done = must(store::list_rows(db_,
                                            "SELECT t.work_item, p.name, t.merged FROM tasks AS t JOIN projects AS p"
                                            " ON p.id = t.project_id WHERE t.stage = 'done'",
                                            [](const Row& row) {
                                                return std::array{row.text(0), row.text(1), row.text(2)};
                                            }));
    for (const auto& [item, project, merged] : done) {
        const auto& repository = *repositories.at(project);
        const auto& main = repository.forge.at("main");
        if (merged.empty() || !repository.is_ancestor(merged, main))
            violate("what is done is merged", item + " is done, and main does not contain '" + merged + "'");
        else if (!work_is_in(repository, item))
            violate("what is done is merged", item + " is done, and its work is not in main");
    }
}

void Witness::work_left(std::int64_t run_id, const std::string& work_item, const std::string& code) {
    code_of_run_[run_id] = code;
    work_[work_item].insert(code);
}

// A patch, or code that is in main already by a merge that came late.
void Witness::look_at_what_development_brought(const std::string& work_item) {
    const auto* repository = repository_of ? repository_of(work_item) : nullptr;
    if (repository == nullptr) return;
    const auto branch = repository->forge.find("task/" + work_item);
    if (branch == repository->forge.end() || !patch_of(*repository, branch->second).empty()) return;
    if (!work_is_in(*repository, work_item))
        violate("development brings a patch", work_item + " is over with development at " + branch->second + ", without one");
}

// The code of the run that ended well last, or of a later one that was cut short and whose commits were kept. Where no run left
// any, what is merged is what a person did.
bool Witness::work_is_in(const Repository& repository, const std::string& work_item) const {
    const auto found = work_.find(work_item);
    const auto work = found == work_.end() ? std::set<std::string>{""} : found->second;
    return repository.any_in("main", [&](const Files& files) {
        const auto code = files.find(work_item + ".cpp");
        if (code != files.end() && work.contains(code->second)) return true;
        const bool helped = files.contains("helped-" + work_item);
        return work.contains("") && helped;
    });
}

void Witness::look_at_live(const std::map<std::string, std::string>& live) {
    for (const auto& [project, commit] : live) {
        const auto on_record = must(store::live_release(db_, project));
        // What became of a deploy that was cut short, and whose task was cancelled, nobody looks at any more.
        const auto cancelled =
            must(store::find_row(db_, "SELECT count(*) FROM tasks WHERE stage = 'cancelled'", store::first_integer));
        if (cancelled.value_or(0) == 0 && !commit.empty() && (!on_record || on_record->commit != commit))
            violate("what is live is on record",
                    commit + " is, and on record is " + (on_record ? on_record->commit : "nothing"));
    }
}

}  // namespace orchd::sim
