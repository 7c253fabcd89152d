// One advance under way: whose turn it is, what it looks at, and the only way in which it writes.
//
// Every write asks inside its transaction whether the turn still counts: the advance job is still running under this turn's
// run and, once the transition lease was acquired, its fence is the newest. If not, nothing is written and lost() is true from
// then on: the turn's process stops at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/events.h"
#include "engine/gates.h"
#include "engine/ports.h"
#include "store/records.h"

namespace orchd::engine {

class Turn {
public:
    Turn(World& world, store::Task task, const settings::Project& project, store::Job job)
        : world_(world), task_(std::move(task)), project_(project), job_(std::move(job)) {}

    // Takes the transition lease, from a dead owner too (whose unit is stopped first where it is only seen empty), and reads
    // the task anew. False: another owner lives. Without leases (ORCH_TRANSITION_LEASE_ENABLED, …_REPOS) the
    // compare-and-swap alone decides.
    [[nodiscard]] Result<bool> acquire(const store::LeaseOwner& owner);
    // Opens mirror and forge and fetches; also under the merge lease, to see what is there by then. A branch that somebody
    // deleted on the forge while its task is open is put back as it was last worked on.
    [[nodiscard]] Status look();

    using Work = std::function<Status(const Acting&)>;
    // One transaction, with boundaries NAME.before and NAME.after around it.
    [[nodiscard]] Status write(std::string_view name, const Work& work);
    // As write, and in the same transaction the advance job ends as done and the transition lease is released: the turn's last.
    [[nodiscard]] Status end(std::string_view name, const Work& work);
    // The turn's last where it could not do its work now: the job goes back to the queue with back-off. When its attempts have
    // run out, or at once where the fault lasts (engine/stall), it fails, and the task is held `infra` with the reason.
    [[nodiscard]] Status put_back(const Error& error);

    [[nodiscard]] bool lost() const { return lost_; }
    [[nodiscard]] World& world() { return world_; }
    [[nodiscard]] const store::Task& task() const { return task_; }
    [[nodiscard]] const settings::Project& project() const { return project_; }
    [[nodiscard]] const store::Job& job() const { return job_; }
    [[nodiscard]] std::int64_t fence() const { return fence_.value_or(0); }
    [[nodiscard]] git::Mirror& mirror() { return *mirror_; }
    [[nodiscard]] forge::Forge& forge() { return *forge_; }
    // As of the last look: the task's branch on the forge (empty: none yet), and what its code is there.
    [[nodiscard]] const std::string& head() const { return head_; }
    [[nodiscard]] const Code& code() const { return code_; }
    [[nodiscard]] GateContext gate_context() { return {world_, task_, project_, *mirror_, head_, code_}; }
    [[nodiscard]] bool works(Role role) const { return project_.workers.contains(role); }

private:
    [[nodiscard]] bool leased() const;  // whether transitions of the project take the lease
    [[nodiscard]] Result<std::optional<store::LeaseOwner>> dead_owner(const store::LeaseOwner& self, bool& forced);
    [[nodiscard]] Result<std::optional<std::int64_t>> take_lease(const store::LeaseOwner& owner);
    [[nodiscard]] Status put_branch_back();
    [[nodiscard]] Status still_counts(store::Tx& tx);
    [[nodiscard]] Status release(store::Tx& tx);
    [[nodiscard]] Status give_up(const Acting& who, const std::string& error, Hold hold, const std::string& reason);

    World& world_;
    store::Task task_;
    const settings::Project& project_;
    store::Job job_;
    std::optional<std::int64_t> fence_;
    bool lost_ = false;
    std::unique_ptr<git::Mirror> mirror_;
    std::unique_ptr<forge::Forge> forge_;
    std::string head_;
    Code code_;
};

}  // namespace orchd::engine
