// What a claim would take now, and what keeps it from taking a job. A claim takes what the plan says and nothing else, so an
// answer to "why is it not started" that is read from here cannot be wrong.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "store/jobs.h"

namespace orchd::store {

// What runs now, against what may.
class Slots {
public:
    Slots() = default;
    Slots(const Limits& limits, bool steps);

    [[nodiscard]] Status count(Db& db);
    void take(std::int64_t project_id, Role role, int jobs = 1);
    [[nodiscard]] bool host_is_full() const { return total_ >= host_; }
    [[nodiscard]] bool project_is_full(std::int64_t project_id) const;
    [[nodiscard]] bool role_is_full(std::int64_t project_id, Role role) const;

private:
    bool steps_ = false;
    int host_ = 0, total_ = 0;
    std::map<std::int64_t, int> project_limit_, of_project_;
    std::map<std::pair<std::int64_t, Role>, int> role_limit_, of_role_;
};

// The first of these that holds of a queued job, in the order in which a claim asks.
enum class Obstacle {
    none,            // the next claim takes it
    host_paused,     // by a person, as a whole
    disk,            // free space is below the floor
    no_file,         // its project has no valid file
    project_paused,  // by a person
    blocked,         // jobs.blocked: its task is paused or held, or waits for another, or an advance of it runs
    not_due,         // backing off
    host_slots,      // the host's limit is reached, by what runs or by jobs that come first
    project_slots,   // the project's
    role_slots       // the role's in the project
};

class ClaimPlan {
public:
    struct Pick {
        std::int64_t job_id = 0, project_id = 0;
        Role role = Role::step;
    };
    // Reads only. Without `at_most`: all that fit, which is what claims one after the other take.
    [[nodiscard]] static Result<ClaimPlan> make(Db& db, const Limits& limits, const Now& now, int at_most = no_limit);

    [[nodiscard]] const std::vector<Pick>& picks() const { return picks_; }
    // Of a queued job as it stood when a plan without `at_most` was made.
    [[nodiscard]] Obstacle obstacle(const Job& job) const;

private:
    static constexpr int no_limit = 1 << 30;
    [[nodiscard]] Status fill(Db& db, const Now& now, int at_most, bool steps);

    std::vector<Pick> picks_;
    Slots steps_, runs_;
    std::set<std::int64_t> listed_, paused_;  // projects
    bool host_paused_ = false, disk_low_ = false;
    std::int64_t boot_ms_ = 0;
};

}  // namespace orchd::store
