#include "engine/code.h"

#include "core/front_matter.h"

namespace orchd::engine {
namespace {

Result<std::string> target_head(git::Mirror& mirror, const settings::Project& project) {
    auto target = mirror.forge_head(project.target);
    if (!target) return fail(target.error());
    if (!*target)
        return fail(Errc::refused, "the forge has no branch " + project.target + " of project " + project.name +
                                       ": push one, or name another as target in " + project.file);
    return **target;
}

}  // namespace

Result<std::string> base_of(git::Mirror& mirror, const settings::Project& project, const std::string& commit) {
    return target_head(mirror, project).and_then([&](const auto&) { return mirror.fork_point(project.target, commit); });
}

Result<Code> code_of(git::Mirror& mirror, const settings::Project& project, const std::string& work_item,
                     const std::string& commit) {
    auto target = target_head(mirror, project);
    if (!target) return fail(target.error());
    auto base = mirror.fork_point(project.target, commit);
    if (!base) return fail(base.error());
    auto patch_id = mirror.patch_id(*base, commit, artefact_folder(work_item));
    if (!patch_id) return fail(patch_id.error());
    return Code{*target, *base, *patch_id};
}

}  // namespace orchd::engine
