#include "engine/branch.h"

#include "core/boundary.h"
#include "core/planted.h"
#include "core/text.h"

namespace orchd::engine {
namespace {

constexpr int push_tries = 3;  // while others push at the same moment

}  // namespace

Result<TaskBranch> TaskBranch::open(World& world, const settings::Project& project, const store::Task& task) {
    auto mirror = world.open_mirror(project);
    if (!mirror) return fail(mirror.error());
    auto forge = world.open_forge(project);
    if (!forge) return fail(forge.error());
    return TaskBranch(std::move(*mirror), std::move(*forge), task.branch, project.target);
}

Status TaskBranch::push(const std::string& commit, const std::string& expected) {
    auto replaced = expected;
    if (planted("push_over_others"))
        if (auto there = forge_->head(name_); there && *there) replaced = **there;
    boundary("branch.push.before");
    auto pushed = forge_->push(*mirror_, name_, commit, replaced);
    boundary("branch.push.after");
    return pushed;
}

Status TaskBranch::follow(const std::string& head) {
    auto before = mirror_->head(name_);
    if (!before) return fail(before.error());
    return follow(head, before->value_or(""));
}

Status TaskBranch::follow(const std::string& head, const std::string& before) {
    return before == head ? Status{} : mirror_->set_head(name_, head, before);
}

Result<std::string> TaskBranch::make_ready() {
    if (auto fetched = fetch(); !fetched) return fail(fetched.error());
    auto there = mirror_->forge_head(name_);
    if (!there) return fail(there.error());
    auto ours = mirror_->head(name_);
    if (!ours) return fail(ours.error());
    if (!*there) {
        auto target = mirror_->forge_head(target_);
        if (!target) return fail(target.error());
        if (!*target)
            return fail(Errc::refused,
                        "the forge has no branch " + target_ + ": push one, or name another as target in the project's file");
        *there = *ours ? *ours : *target;
        if (auto pushed = push(**there, ""); !pushed) return fail(pushed.error());
        put_back_ = ours->has_value();
    }
    if (auto followed = follow(**there, ours->value_or("")); !followed) return fail(followed.error());
    return **there;
}

Result<TaskBranch::Landed> TaskBranch::land(const std::string& commit, const std::string& expected) {
    auto pushed = planted("push_forgotten") ? Status{} : push(commit, expected);
    // The mirror's branch is where the run's commits were laid on, unless somebody else was faster.
    if (pushed && mirror_->set_head(name_, commit, expected)) return Landed{.head = commit, .refused = {}};
    Landed landed{.head = commit, .refused = {}};
    if (!pushed) {
        if (pushed.error().code != Errc::conflict) return fail(pushed.error());
        if (auto fetched = fetch(); !fetched) return fail(fetched.error());
        auto present = mirror_->forge_head(name_);
        if (!present) return fail(present.error());
        auto on = land_on(commit, expected, present->value_or(""));
        if (!on) return on;
        landed = *on;
    }
    if (!landed.refused.empty()) return landed;
    if (auto followed = follow(landed.head); !followed) return fail(followed.error());
    return landed;
}

Result<TaskBranch::Landed> TaskBranch::land_on(const std::string& commit, const std::string& expected,
                                               const std::string& present) {
    if (present.empty()) {  // the branch was removed meanwhile: the work is not
        if (auto pushed = push(commit, ""); !pushed) return fail(pushed.error());
        return Landed{commit, {}};
    }
    auto landed_before = mirror_->is_ancestor(commit, present);
    if (!landed_before) return fail(landed_before.error());
    if (*landed_before) return Landed{present, {}};
    auto on_top = mirror_->is_ancestor(expected, present);
    if (!on_top) return fail(on_top.error());
    if (!*on_top) return Landed{{}, name_ + " was rewritten by somebody else meanwhile"};
    auto rebased = mirror_->rebase(commit, present, expected);
    if (!rebased) return fail(rebased.error());
    if (!rebased->conflicts.empty())
        return Landed{{},
                      "somebody else pushed to " + name_ + " meanwhile, and both changed " + joined(rebased->conflicts, ", ")};
    if (auto pushed = push(rebased->commit, present); !pushed)
        return fail(pushed.error().code == Errc::conflict ? Errc::unavailable : pushed.error().code, pushed.error().text);
    return Landed{rebased->commit, {}};
}

Result<std::string> TaskBranch::land_file(const std::string& path, const std::string& content, const std::string& message,
                                          const std::string& parent) {
    Error last{Errc::internal, {}};
    for (int i = 0; i < push_tries; ++i) {
        if (auto fetched = fetch(); !fetched) return fail(fetched.error());
        auto present = mirror_->forge_head(name_);
        if (!present) return fail(present.error());
        const auto& base = *present ? **present : parent;
        auto commit = mirror_->commit_file(base, path, content, message);
        if (!commit) return commit;
        auto pushed = push(*commit, present->value_or(""));
        if (pushed) {
            if (auto followed = follow(*commit); !followed) return fail(followed.error());
            return commit;
        }
        if (pushed.error().code != Errc::conflict) return fail(pushed.error());
        last = pushed.error();
    }
    return fail(Errc::unavailable, last.text);
}

}  // namespace orchd::engine
