#include <filesystem>
#include <set>

#include "core/boundary.h"
#include "core/work_item.h"
#include "engine/maintain_parts.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

Result<bool> any_live(store::Db& db, store::JobFilter of) {
    of.only_live = true;
    of.limit = 1;
    auto live = store::list_jobs(db, of);
    if (!live) return fail(live.error());
    return !live->empty();
}

// One project's repositories as the pass looks at them, fetched.
class Upkeep {
public:
    static Result<Upkeep> open(World& world, const settings::Project& project) {
        auto forge = world.open_forge(project);
        if (!forge) return fail(forge.error());
        auto mirror = world.open_mirror(project);
        if (!mirror) return fail(mirror.error());
        if (auto fetched = (*forge)->fetch(**mirror); !fetched) return fail(fetched.error());
        auto target = (*mirror)->forge_head(project.target);
        if (!target) return fail(target.error());
        return Upkeep(world, project, std::move(*mirror), std::move(*forge), std::move(*target));
    }

    // Those of tasks, ours and the forge's.
    Result<std::set<std::string>> branches() const {
        std::set<std::string> all;
        for (const auto* place : {"heads", "remotes/forge"}) {
            auto names = git::branch_names(mirror_->path(), place, std::string(task_branches), options());
            if (!names) return fail(names.error());
            all.insert(names->begin(), names->end());
        }
        return all;
    }

    // Removes the branch where its time has come. False: it stays.
    Result<bool> remove(const std::string& branch) {
        auto task = ended_task(branch);
        if (!task || !*task) return task ? Result<bool>(false) : fail(task.error());
        auto ours = mirror_->head(branch);
        if (!ours) return fail(ours.error());
        auto theirs = forge_->head(branch);
        if (!theirs) return fail(theirs.error());
        auto spare = nothing_lost(**task, *ours, *theirs);
        if (!spare || !*spare) return spare;
        // Ours first: all that it holds is on the forge, and so a pass that ends in between is carried on by the next.
        boundary("maintain.branch.before");
        auto removed = *ours ? git::Bare(mirror_->path(), options()).remove(branch, **ours) : Status{};
        if (removed && *theirs) removed = forge_->remove(branch, **theirs);
        boundary("maintain.branch.after");
        if (!removed && removed.error().code == Errc::not_permitted) return false;  // the forge keeps its branches by a rule
        if (!removed) return fail(removed.error());
        return true;
    }

private:
    Upkeep(World& world, const settings::Project& project, std::unique_ptr<git::Mirror> mirror,
           std::unique_ptr<forge::Forge> forge, std::optional<std::string> target)
        : world_(world), project_(project), mirror_(std::move(mirror)), forge_(std::move(forge)), target_(std::move(target)) {}

    [[nodiscard]] git::Options options() const { return {.timeout_s = world_.settings.git_timeout_s}; }

    // The task whose branch it is, if that is this project's, has ended, has nothing under way, and has not been written to for
    // the retention. Such a task stays so: it moves no more, and no run of it begins.
    Result<std::optional<store::Task>> ended_task(const std::string& branch) const {
        const auto slash = branch.find('/');
        if (!WorkItem::parse(branch.substr(slash + 1))) return std::nullopt;
        auto task = store::find_task(world_.db, branch.substr(slash + 1));
        if (!task) return fail(task.error());
        if (!*task || (*task)->branch != branch || (*task)->project != project_.name || !terminal((*task)->stage))
            return std::nullopt;
        const auto kept_ms = world_.settings.branch_retention_days * day_ms;
        if (world_.now().utc_ms - (*task)->updated_at < kept_ms) return std::nullopt;
        auto live = any_live(world_.db, {.work_item = (*task)->work_item});
        if (!live) return fail(live.error());
        return *live ? std::nullopt : std::move(*task);
    }

    Result<bool> in_target(const std::string& commit) const {
        if (!target_) return false;
        return mirror_->is_ancestor(commit, *target_);
    }

    // Whether the forge's branch is as we left it or in the target, ours on the forge, and the merge where it was put: so that
    // nothing goes that was pushed by others since, was never pushed, or is nowhere else after somebody turned the target back.
    Result<bool> nothing_lost(const store::Task& task, const std::optional<std::string>& ours,
                              const std::optional<std::string>& theirs) const {
        if (!task.merged.empty()) {
            auto there = in_target(task.merged);
            if (!there || !*there) return there;
        }
        if (theirs && *theirs != task.head) {
            auto merged = in_target(*theirs);
            if (!merged || !*merged) return merged;
        }
        if (!ours || ours == theirs) return true;
        if (theirs) {
            auto pushed = mirror_->is_ancestor(*ours, *theirs);
            if (!pushed || *pushed) return pushed;
        }
        return in_target(*ours);
    }

    World& world_;
    const settings::Project& project_;
    std::unique_ptr<git::Mirror> mirror_;
    std::unique_ptr<forge::Forge> forge_;
    std::optional<std::string> target_;  // the target's head on the forge
};

Status remove_branches(World& world, const settings::Project& project, Maintained& done) {
    auto upkeep = Upkeep::open(world, project);
    if (!upkeep) return fail(upkeep.error());
    auto branches = upkeep->branches();
    if (!branches) return fail(branches.error());
    Status first_failed;
    for (const auto& branch : *branches) {
        auto removed = upkeep->remove(branch);
        if (!removed && first_failed) first_failed = fail(removed.error());
        done.branches += removed && *removed ? 1 : 0;
    }
    return first_failed;
}

Status tidy_mirror(World& world, const settings::Project& project, const std::string& mirror, Maintained& done) {
    // Whoever has a job of the project to do may need a commit that no branch leads to any more.
    const auto idle = [&]() -> Result<bool> {
        auto live = any_live(world.db, {.project = project.name});
        if (!live) return live;
        return !*live;
    };
    auto tidied = bounded("maintain.mirror",
                          [&] { return git::tidy_objects(mirror, idle, {.timeout_s = world.settings.git_timeout_s}); });
    if (!tidied) return fail(tidied.error());
    done.mirrors += *tidied ? 1 : 0;
    return {};
}

}  // namespace

Status keep_repositories(World& world, Maintained& done) {
    for (const auto& project : world.projects.good) {
        const auto mirror = world.paths.mirrors_dir + '/' + project.name + ".git";
        std::error_code unreadable;
        if (!std::filesystem::exists(mirror, unreadable)) continue;  // no task of it was ever worked
        for (const auto& kept : {remove_branches(world, project, done), tidy_mirror(world, project, mirror, done)}) {
            if (kept) continue;
            ++done.failures;
            world.warn("", "maintenance of " + project.name + ": " + kept.error().text);
        }
    }
    return {};
}

}  // namespace orchd::engine
