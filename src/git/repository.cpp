#include "git/repository.h"

namespace orchd::git {
namespace {

constexpr int most_loose_references = 64;

}  // namespace

Result<RepositoryLock> Repository::lock_for_writing() const {
    auto lock = RepositoryLock::take(path, timeout_s);
    if (!lock) return lock;
    // Where it cannot be done now, whoever writes next tries again.
    if (lock->remove_leftovers() > most_loose_references) (void)output(call({"pack-refs", "--all"}));
    return lock;
}

Result<std::optional<std::string>> Repository::commit_of(const std::string& reference) const {
    const auto what = call({"rev-parse", "--verify", "--quiet", reference + "^{commit}"});
    const auto answer = git::call(what);
    if (!answer) return fail(answer.error());
    if (answer->status == 0) return chomped(answer->out);
    if (answer->status == 1) return std::nullopt;
    return fail(refused(what, *answer));
}

Result<bool> Repository::flag(const std::string& key) const {
    const auto what = call({"config", "--file", path + "/config", "--type=bool", "--get", key});
    const auto answer = git::call(what);
    if (!answer) return fail(answer.error());
    if (answer->status > 1) return fail(refused(what, *answer));
    return chomped(answer->out) == "true";
}

Result<bool> Repository::has_commit(const std::string& commit) const {
    const auto found = commit_of(commit);
    if (!found) return fail(found.error());
    return found->has_value();
}

Result<bool> Repository::is_ancestor(const std::string& ancestor, const std::string& commit) const {
    const auto what = call({"merge-base", "--is-ancestor", ancestor, commit});
    const auto answer = git::call(what);
    if (!answer) return fail(answer.error());
    if (answer->status > 1) return fail(refused(what, *answer));
    return answer->status == 0;
}

Status Repository::update(const std::string& reference, const std::string& to, const std::string& from) const {
    const auto lock = lock_for_writing();
    if (!lock) return fail(lock.error());
    const auto what = call({"update-ref", "--no-deref", reference, to, from.empty() ? std::string(to.size(), '0') : from});
    const auto answer = git::call(what);
    if (!answer) return fail(answer.error());
    if (answer->status == 0) return {};
    const auto now = commit_of(reference);
    if (now && now->value_or("") != from)
        return fail(Errc::conflict,
                    reference + " is " + now->value_or("absent") + " now, not " + (from.empty() ? "absent" : from));
    return fail(refused(what, *answer));
}

Status Repository::remove(const std::string& reference, const std::string& from) const {
    const auto lock = lock_for_writing();
    if (!lock) return fail(lock.error());
    const auto what = call({"update-ref", "--no-deref", "-d", reference, from});
    const auto answer = git::call(what);
    if (!answer) return fail(answer.error());
    const auto now = commit_of(reference);
    if (!now) return fail(now.error());
    if (!*now) return {};
    if (**now != from) return fail(Errc::conflict, reference + " is " + **now + " now, not " + from);
    return fail(refused(what, *answer));
}

}  // namespace orchd::git
