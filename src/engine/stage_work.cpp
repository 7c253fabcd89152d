#include "engine/stage_work.h"

#include "core/planted.h"
#include "engine/advance.h"
#include "engine/gates.h"
#include "engine/judged.h"
#include "engine/leases.h"
#include "store/facts.h"
#include "store/jobs.h"

namespace orchd::engine {
namespace {

using Due = Result<std::optional<DueWork>>;

// Who works the stage first; nobody where the project has nobody for it.
std::optional<Role> first_role(Stage stage, const settings::Project& project) {
    const auto role = row(stage).first_role;
    if (role == Role::test && !project.workers.contains(Role::test)) {
        return project.workers.contains(Role::tester) ? std::make_optional(Role::tester) : std::nullopt;
    }
    if (!role || (kind_of(*role) == JobKind::check && !project.workers.contains(*role))) return std::nullopt;
    return role;
}

// Whether the role's work at this stage number has come to an end that the gate can judge: a run that ended well, or a verdict.
struct Worked {
    bool well = false;    // the next work may follow
    bool judged = false;  // the gate has its answer
};
Result<Worked> has_worked(Turn& turn, Role role, Gate gate) {
    auto& db = turn.world().db;
    const auto& task = turn.task();
    auto row = store::find_verdict(db, task.id, task.stage_seq, gate);
    if (!row) return fail(row.error());
    auto worked = store::worked(db, task.id, task.stage_seq, role);
    if (!worked) return fail(worked.error());
    return Worked{*worked && !*row, row->has_value()};
}

Due ci_due(Turn& turn) {
    if (!turn.works(Role::ci)) return std::nullopt;
    auto lacks = nothing_new(turn.gate_context());
    if (!lacks) return fail(lacks.error());
    if (!lacks->empty()) return std::nullopt;  // the gate says so
    auto status = status_of(turn.world().db, turn.project().name, turn.head(), ci_context);
    if (!status) return fail(status.error());
    if (*status) return std::nullopt;
    return DueWork{.role = Role::ci, .commit = turn.head()};
}

Due deploy_due(Turn& turn) {
    auto live = live_commit(turn.world().db, turn.project().name);  // before the gate judges what is live
    if (!live) return fail(live.error());
    auto status = ask(Gate::deploy_status, turn.gate_context());
    if (!status) return fail(status.error());
    if (status->colour != Colour::undecided) return std::nullopt;
    DueWork work{Role::deploy, turn.task().merged, production_target(turn.project().name), wait_deploy_target, *live};
    auto built = store::worked(turn.world().db, turn.task().id, turn.task().stage_seq, Role::build);
    if (!built) return fail(built.error());
    if (!*built && turn.works(Role::build)) work.role = Role::build;
    return work;
}

}  // namespace

Result<std::string> live_commit(store::Db& db, const std::string& project) {
    auto live = store::live_release(db, project);
    if (!live) return fail(live.error());
    return *live ? (*live)->commit : std::string();
}

Due due_work(Turn& turn) {
    const Stage stage = turn.task().stage;
    if (stage == Stage::deploy) return deploy_due(turn);
    const auto role = first_role(stage, turn.project());
    if (!role) return std::nullopt;
    const Gate judged_by = stage == Stage::deploy_staging ? Gate::staging_status : row(stage).gates.front();
    auto worked = has_worked(turn, *role, judged_by);
    if (!worked) return fail(worked.error());
    if (worked->judged) return std::nullopt;
    if (worked->well) return stage == Stage::development ? ci_due(turn) : std::nullopt;
    if (stage == Stage::deploy_staging)
        return DueWork{*role, turn.head(), staging_target(turn.project().name), wait_staging_target};
    if (kind_of(*role) == JobKind::check) return DueWork{.role = *role, .commit = turn.head()};
    return DueWork{.role = *role};
}

Status ask_advance(World& world, store::Tx& tx, const store::Task& task) {
    if (planted("advance_lost"))
        if (auto running = store::running_advance(tx.db(), task.id); running && *running) return {};
    const Acting who = acting(world, tx);
    auto asked = queue_job(who, {.task_id = task.id,
                                 .role = Role::step,
                                 .due = due_now(who.now),
                                 .max_attempts = static_cast<int>(world.settings.job_max_attempts),
                                 .commit = {}});
    if (!asked) return fail(asked.error());
    return {};
}

Status start_stage(World& world, store::Tx& tx, const store::Task& task, const settings::Project& project) {
    const auto role = first_role(task.stage, project);
    const bool needs_target = task.stage == Stage::deploy_staging || task.stage == Stage::deploy;
    if (!role || needs_target) return ask_advance(world, tx, task);
    const Acting who = acting(world, tx);
    auto queued = queue_job(who, {.task_id = task.id,
                                  .role = *role,
                                  .due = due_now(who.now),
                                  .max_attempts = static_cast<int>(world.settings.job_max_attempts),
                                  .commit = {}});
    if (!queued) return fail(queued.error());
    return {};
}

}  // namespace orchd::engine
