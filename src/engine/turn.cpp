#include "engine/turn.h"

#include "core/boundary.h"
#include "core/job_life.h"
#include "core/liveness.h"
#include "engine/branch.h"
#include "engine/leases.h"
#include "engine/stall.h"
#include "store/jobs.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

bool same_process(const store::LeaseOwner& a, const store::LeaseOwner& b) {
    return a.unit == b.unit && a.invocation_id == b.invocation_id && a.boot_id == b.boot_id && a.pid == b.pid;
}

}  // namespace

// The owner on record if it is known to be dead or is this process itself, which may have failed half-way; nothing if it is not
// to be replaced. `forced`: it was certain only after its unit was stopped.
Result<std::optional<store::LeaseOwner>> Turn::dead_owner(const store::LeaseOwner& self, bool& forced) {
    auto lease = store::find_transition(world_.db, task_.id);
    if (!lease) return fail(lease.error());
    if (!*lease || !(*lease)->owner) return std::nullopt;
    const store::LeaseOwner& owner = *(*lease)->owner;
    if (same_process(owner, self)) return owner;
    switch (judge({owner.unit, owner.boot_id, owner.invocation_id}, world_.units->see(owner.unit), world_.now().boot_id)) {
        case Liveness::dead:
            return owner;
        case Liveness::empty:
            forced = true;
            if (auto stopped = bounded("advance.stop_owner", [&] { return world_.units->stop(owner.unit); }); !stopped)
                return fail(stopped.error());
            return owner;
        case Liveness::alive:
        case Liveness::unknown:
            break;
    }
    return std::nullopt;
}

bool Turn::leased() const {
    return world_.settings.transition_lease_enabled && settings::covers(world_.settings.transition_lease_repos, project_);
}

Result<bool> Turn::acquire(const store::LeaseOwner& owner) {
    if (!leased()) {
        auto lease = store::find_transition(world_.db, task_.id);
        if (!lease) return fail(lease.error());
        fence_ = *lease ? (*lease)->fence : 0;
        return true;
    }
    auto fence = take_lease(owner);
    if (!fence) return fail(fence.error());
    if (!*fence) return false;
    fence_ = **fence;
    auto task = store::find_task(world_.db, task_.id);
    if (!task) return fail(task.error());
    if (*task) task_ = std::move(**task);
    return true;
}

// The new fence; nothing while another owner lives.
Result<std::optional<std::int64_t>> Turn::take_lease(const store::LeaseOwner& owner) {
    bool forced = false;
    auto dead = dead_owner(owner, forced);
    if (!dead) return fail(dead.error());
    boundary("advance.lease.before");
    auto fence = world_.db.write([&](store::Tx& tx) -> Result<std::optional<std::int64_t>> {
        // Nor is the lease taken by one who was replaced meanwhile: it would keep it for nothing.
        if (auto counts = still_counts(tx); !counts) return fail(counts.error());
        const Acting who = acting(world_, tx);
        auto taken = store::acquire_transition(tx, task_.id, owner, *job_.run_id, task_.stage, *dead, who.now);
        if (!taken || !*taken || !*dead) return taken;
        auto noted = add_event(who, "lease_reclaimed", task_.id, job_.id,
                               {{"kind", "transition"}, {"key", task_.work_item}, {"forced", std::int64_t{forced}}});
        if (!noted) return fail(noted.error());
        return taken;
    });
    boundary("advance.lease.after");
    return fence;
}

Status Turn::look() {
    if (!mirror_) {
        auto mirror = world_.open_mirror(project_);
        if (!mirror) return fail(mirror.error());
        mirror_ = std::move(*mirror);
    }
    if (!forge_) {
        auto forge = world_.open_forge(project_);
        if (!forge) return fail(forge.error());
        forge_ = std::move(*forge);
    }
    if (auto fetched = forge_->fetch(*mirror_); !fetched) return fetched;
    auto head = mirror_->forge_head(task_.branch);
    if (!head) return fail(head.error());
    head_ = head->value_or("");
    if (head_.empty())
        if (auto back = put_branch_back(); !back || head_.empty()) return back;
    auto code = code_of(*mirror_, project_, task_.work_item, head_);
    if (!code) return fail(code.error());
    code_ = std::move(*code);
    return {};
}

Status Turn::put_branch_back() {
    auto ours = mirror_->head(task_.branch);
    if (!ours) return fail(ours.error());
    if (!*ours) return {};  // it was never there
    boundary("branch.push.before");
    auto pushed = forge_->push(*mirror_, task_.branch, **ours, "");
    boundary("branch.push.after");
    if (!pushed) return fail(pushed.error());
    head_ = **ours;
    const auto said = text_of_branch_put_back(task_);
    world_.warn(task_.work_item, said);
    auto put = write("advance.branch_back", [&](const Acting& who) {
        return add_event(who, "branch_restored", task_.id, job_.id, {{"commit", head_}, {"reason", said}});
    });
    return put;
}

Status Turn::still_counts(store::Tx& tx) {
    auto newest = fence_ ? store::fence_is_newest(tx.db(), task_.id, *fence_) : Result<bool>(true);
    if (!newest) return fail(newest.error());
    auto job = store::find_job(tx.db(), job_.id);
    if (!job) return fail(job.error());
    const bool ours = *job && (*job)->status == JobStatus::running && (*job)->run_id == job_.run_id;
    if (*newest && ours) return {};
    lost_ = true;
    return fail(Errc::conflict, "another process carries on with " + task_.work_item + " since: nothing more is done here");
}

Status Turn::write(std::string_view name, const Work& work) {
    boundary(std::string(name) + ".before");
    auto written = world_.db.write([&](store::Tx& tx) -> Status {
        if (auto counts = still_counts(tx); !counts) return counts;
        return work(acting(world_, tx));
    });
    boundary(std::string(name) + ".after");
    return written;
}

Status Turn::release(store::Tx& tx) {
    if (!fence_ || !leased()) return {};
    auto released = store::release_transition(tx, task_.id, *fence_);
    if (!released) return fail(released.error());
    return {};
}

Status Turn::end(std::string_view name, const Work& work) {
    auto ended = write(name, [&](const Acting& who) -> Status {
        if (auto worked = work(who); !worked) return worked;
        auto finished = store::finish_job(who.tx, job_.id, *job_.run_id, JobStatus::done, "", "", who.now);
        if (!finished) return fail(finished.error());
        if (auto noted = job_changed(who, job_, JobStatus::running, JobStatus::done); !noted) return noted;
        return release(who.tx);
    });
    if (!ended) return ended;
    world_.wake();
    world_.poke_events();
    return {};
}

Status Turn::give_up(const Acting& who, const std::string& error, Hold hold, const std::string& reason) {
    auto failed = store::finish_job(who.tx, job_.id, *job_.run_id, JobStatus::failed, error, "", who.now);
    if (!failed) return fail(failed.error());
    if (auto noted = job_changed(who, job_, JobStatus::running, JobStatus::failed, error); !noted) return noted;
    auto task = store::find_task(who.tx.db(), task_.id);
    if (!task) return fail(task.error());
    if (!*task || terminal((*task)->stage) || (*task)->hold != Hold::none) return {};
    if (auto released = release_leases(world_, who.tx, **task); !released) return released;
    return change_hold(who, **task, hold, reason);
}

Status Turn::put_back(const Error& error) {
    const auto& reason = error.text;
    const auto& settings = world_.settings;
    const auto wait = backoff_ms(job_.attempts, settings.backoff_base_s * 1000, settings.backoff_cap_s * 1000, world_.random());
    auto put = write("advance.put_back", [&](const Acting& who) -> Status {
        if (auto released = release(who.tx); !released) return released;
        // Of a turn that was in its transition: while it waits for its time, others go first.
        if (fence_)
            if (auto released = release_leases(world_, who.tx, task_); !released) return released;
        if (lasting(error)) return give_up(who, reason, Hold::infra, reason);
        if (job_.attempts >= job_.max_attempts)
            return give_up(who, reason, Hold::infra,
                           "no progress in " + std::to_string(job_.attempts) + " attempts: " + reason);
        auto stopping = store::begin_stopping(who.tx, job_.id, *job_.run_id, reason);
        if (!stopping) return fail(stopping.error());
        auto queued = store::requeue(who.tx, job_.id, *job_.run_id, due_in(who.now, wait), reason, who.now);
        if (!queued) return fail(queued.error());
        auto job = store::find_job(who.tx.db(), job_.id);  // cancelled, where another advance is queued already
        if (!job) return fail(job.error());
        return job_changed(who, job_, JobStatus::running, (*job)->status, reason);
    });
    if (!put) return put;
    world_.wake();
    world_.poke_events();
    return {};
}

}  // namespace orchd::engine
