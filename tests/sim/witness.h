// What must always hold. It sees every commit and every deed in the world at the moment it is done, with the process that did
// it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "settings/project.h"
#include "sim/repository.h"
#include "sim/scheduler.h"
#include "sim/systemd.h"
#include "store/records.h"

namespace orchd::sim {

class Witness {
public:
    Witness(Scheduler& scheduler, const Systemd& systemd, store::Db& db, const settings::Settings& settings);

    // After each commit, before anybody else commits.
    void look();

    // Deeds in the world.
    void run_began(Process& process, std::int64_t run_id);
    void run_ended(std::int64_t run_id) { runs_ended_.insert(run_id); }
    // An agent left its task's code like this; once its run has ended well, that is the task's work.
    void work_left(std::int64_t run_id, const std::string& work_item, const std::string& code);
    void work_there(const std::string& work_item, const std::string& code) { work_[work_item] = {code}; }
    void finish_ended(std::int64_t run_id);
    void run_said(const std::string& work_item, bool good) { bad_word_[work_item] = !good; }
    void stopping(const std::string& unit);
    void seen(const std::string& unit) { seen_at_[unit] = scheduler_.clock(); }
    void branch_moved(const Repository& repository, const std::string& branch, const std::string& commit,
                      const std::string& from);
    void tested(const std::string& commit) { tested_.insert(commit); }
    // The forge's target moved. `by`: the process that asked for it; null if it died meanwhile.
    void merged(const Process* by, const Repository& repository, const std::string& commit, const std::string& from,
                bool must_be_tested, bool has_tests);
    // The code with this patch was approved, or passed its tests.
    void judged(const std::string& work_item, Role by, Patch patch) { judged_[{work_item, by}].push_back(std::move(patch)); }
    void deployed(const Process& by, const Repository& repository, const std::string& commit, const std::string& before);
    void rolled_back(const std::string& commit) { deployed_.erase(commit); }
    void person_pushed(const std::string& commit) { by_people_.insert(commit); }
    // What a person asked for, as it was answered.
    void needs(const std::string& work_item, const std::string& needed) { needs_[work_item].insert(needed); }
    void needs_no_more(const std::string& work_item, const std::string& needed) { needs_[work_item].erase(needed); }
    // The reaper made a pass, which it began at this UTC time.
    void pass_made(std::int64_t began_ms);

    // Every effect stands between two named boundaries.
    void boundary(Process& process, std::string_view name);
    void effect(Process& process, const std::string& what);
    void process_ended(const Process& process);

    // At the end, when all is quiet.
    void look_at_outcome(const std::map<std::string, std::unique_ptr<Repository>>& repositories);
    // Whether what is on record as live is what is: by project.
    void look_at_live(const std::map<std::string, std::string>& live);
    // What the database says of tasks, jobs, leases, effects and the history.
    [[nodiscard]] std::string digest();
    // After a power cut and one pass of recovery.
    void look_at_new_boot();
    // Whether each task that is not over waits for somebody who was told.
    void look_at_waiting();

    // A fault of the engine that is not mended yet: it makes a branch on the forge by a push whose process dies, the push
    // arrives after the branch was made, worked on and deleted by a person, and so makes it anew at an old commit. The engine
    // takes that for a person's rewinding and goes on from there. Where this is set, the code of that old commit may be what
    // lands.
    bool late_pushes_rewind = false;
    // Of a work item; null where it has none.
    std::function<const Repository*(const std::string& work_item)> repository_of;

    // By work item and stage number: the last delivery that was there when a person was first asked to approve it.
    [[nodiscard]] const std::map<std::string, std::int64_t>& asked() const { return asked_; }

    [[nodiscard]] static std::set<std::string>& boundaries_passed();

private:
    struct TaskSeen {
        std::string work_item, stage_text;
        Stage stage = Stage::analysis;
        std::int64_t seq = 0, project = 0;
        bool held = false, paused = false, asks = false;
        Retries retries;
    };
    struct JobSeen {
        std::int64_t task = 0, run = 0;
        JobKind kind = JobKind::agent;
        JobStatus status = JobStatus::queued;
        int attempts = 0, deferrals = 0, max_attempts = 0, claims = 0;
        std::int64_t claimed_at = 0;
        int finishes = 0;  // that ended and left its run as it was
    };
    struct LeaseSeen {
        std::string unit, invocation, boot;
        std::int64_t fence = 0;
    };
    struct HolderSeen {
        std::int64_t task = 0, job = 0;
    };
    void look_at_tasks();
    void look_at_task(const TaskSeen& before, const TaskSeen& now);
    void look_at_jobs();
    void look_at_job(std::int64_t id, JobSeen now);
    void claimed(std::int64_t id, const JobSeen& job);
    void look_at_leases();
    void look_at_holders(const char* sql, std::map<std::string, HolderSeen>& seen);
    void called_dead(std::int64_t id, const JobSeen& before);
    [[nodiscard]] bool at_work(std::string_view stem, const JobSeen& job) const;
    [[nodiscard]] bool was_there(std::string_view stem, const JobSeen& job);
    [[nodiscard]] bool overdue(const JobSeen& job) const;
    void left_running(std::int64_t id, const JobSeen& before, const JobSeen& now);
    [[nodiscard]] bool told(const std::string& key_like);
    [[nodiscard]] bool lives(const LeaseSeen& owner) const;
    void look_at_what_development_brought(const std::string& work_item);
    [[nodiscard]] bool work_is_in(const Repository& repository, const std::string& work_item) const;
    void look_at_what_lands(const Repository& repository, const std::string& commit, const std::string& from, bool has_tests);
    [[nodiscard]] std::string who() const;
    void violate(const char* invariant, const std::string& what) { scheduler_.violate(invariant, what); }

    Scheduler& scheduler_;
    const Systemd& systemd_;
    store::Db& db_;
    const settings::Settings& settings_;
    std::map<std::int64_t, TaskSeen> tasks_, before_;  // now, and before the present commit
    std::map<std::int64_t, JobSeen> jobs_;
    std::map<std::int64_t, LeaseSeen> leases_;
    std::map<std::string, HolderSeen> merge_, target_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> fences_;  // (process, task) -> the fence it was given
    std::set<std::int64_t> runs_begun_, runs_ended_;
    std::map<std::string, std::int64_t> seen_at_;  // when somebody looked at a unit
    std::map<std::string, bool> bad_word_;         // by work item: its last run said no
    std::set<std::string> tested_, deployed_, by_people_;
    std::map<std::pair<std::string, Role>, std::vector<Patch>> judged_;
    std::map<std::string, std::int64_t> asked_;
    std::map<std::int64_t, std::string> code_of_run_;
    std::map<std::string, std::set<std::string>> work_;   // by work item: its code may be this
    std::map<std::string, int> merges_;                   // by work item
    std::map<std::string, std::set<std::string>> needs_;  // by work item: what it waits for
    bool first_look_ = true;
};

}  // namespace orchd::sim
