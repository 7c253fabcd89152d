#include "git/git.h"
#include "git/repository.h"

namespace orchd::git {

Result<std::optional<std::string>> Bare::head(const std::string& branch) const {
    if (auto ok = check_branch(branch); !ok) return fail(ok.error());
    return Repository{path_, options_.timeout_s, options_.as_user}.commit_of("refs/heads/" + branch);
}

Result<bool> Bare::contains(const std::string& branch, const std::string& commit) const {
    if (auto ok = check_oid(commit); !ok) return fail(ok.error());
    const auto at = head(branch);
    if (!at) return fail(at.error());
    if (!*at) return fail(Errc::no_such, path_ + " has no branch " + branch);
    const Repository repository{path_, options_.timeout_s};
    auto known = repository.has_commit(commit);
    if (!known || !*known) return known;
    return repository.is_ancestor(commit, **at);
}

Status Bare::fast_forward(const std::string& branch, const std::string& to, const std::string& from) const {
    if (auto ok = check_oid(from); !ok) return ok;
    const auto merged = contains(branch, to);
    if (!merged) return fail(merged.error());
    if (*merged) return {};
    const Repository repository{path_, options_.timeout_s};
    const auto forward = repository.is_ancestor(from, to);
    if (!forward) return fail(forward.error());
    if (!*forward)
        return fail(Errc::conflict, to + " does not descend from " + from + ", so " + branch + " cannot be forwarded to it");
    return repository.update("refs/heads/" + branch, to, from);
}

Status Bare::remove(const std::string& branch, const std::string& from) const {
    for (const auto& ok : {check_branch(branch), check_oid(from)})
        if (!ok) return ok;
    const Repository repository{path_, options_.timeout_s};
    const auto denied = repository.flag("receive.denyDeletes");
    if (!denied) return fail(denied.error());
    if (*denied) return fail(Errc::not_permitted, path_ + " denies that branches are deleted (receive.denyDeletes)");
    return repository.remove("refs/heads/" + branch, from);
}

Result<std::optional<std::string>> Bare::obstacle(const std::string& commit, const std::vector<std::string>& files) const {
    if (auto ok = check_oid(commit); !ok) return fail(ok.error());
    return Repository{path_, options_.timeout_s, options_.as_user}.obstacle(commit, files);
}

}  // namespace orchd::git
