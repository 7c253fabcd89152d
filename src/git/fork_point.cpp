// Where a branch left the target, and what the target was set back from.
#include <algorithm>

#include "git/mirror.h"

namespace orchd::git {

// Before the fetch, so that a process which is killed after it loses nothing: whoever fetches next finds it.
Status DiskMirror::keep_dropped(const std::string& known, const std::string& theirs) const {
    if (target_.empty()) return {};
    const auto line_of = [&](const std::string& lines) {
        for (const auto& line : split(lines, '\n'))
            if (line.substr(line.find(' ') + 1) == target_) return line.substr(0, line.find(' '));
        return std::string();
    };
    const auto before = line_of(known);
    if (before.empty() || before == line_of(theirs)) return {};
    const auto kept = output(repository_.call({"update-ref", "--no-deref", "refs/dropped/" + target_ + '/' + before, before}));
    return kept ? Status{} : fail(kept.error());
}

Status DiskMirror::forget_kept() const {
    if (target_.empty()) return {};
    const auto there = repository_.commit_of("refs/remotes/forge/" + target_);
    if (!there) return fail(there.error());
    if (!*there) return {};  // nothing to be in: all of it is dropped
    const auto contained = output(repository_.call(
        {"for-each-ref", "--format=delete %(refname)", "--merged=" + **there, "refs/dropped/" + target_ + '/'}));
    if (!contained) return fail(contained.error());
    if (contained->empty()) return {};
    auto forget = repository_.call({"update-ref", "--no-deref", "--stdin"});
    forget.input = *contained;
    const auto done = output(forget);
    return done ? Status{} : fail(done.error());
}

Result<std::vector<std::string>> DiskMirror::dropped() const {
    const auto listed = output(repository_.call({"for-each-ref", "--format=%(objectname)", "refs/dropped/" + target_ + '/'}));
    if (!listed) return fail(listed.error());
    return split(*listed, '\n');
}

// A branch that merged both what the target was set back from and what it is now leaves it in two places. As long as it holds
// the former it does not stand on the target. One that holds more than one such line leaves it where a merge of these lines
// would be: that commit is made, the same each time, so that what is not in it is the branch's own.
Result<std::string> DiskMirror::one_base(const std::string& head, const std::vector<std::string>& bases) {
    if (bases.size() == 1) return bases.front();
    std::vector<std::string> out;
    for (const auto& base : bases) {
        const auto there = repository_.is_ancestor(base, head);
        if (!there) return fail(there.error());
        if (!*there) out.push_back(base);
    }
    if (out.empty()) return bases.front();
    std::ranges::sort(out);
    auto all = out.front();
    for (auto next = out.begin() + 1; next != out.end(); ++next) {
        auto merged = merge_bases(all, *next);
        if (!merged) return merged;
        all = std::move(*merged);
    }
    return all;
}

Result<std::string> DiskMirror::fork_point(const std::string& branch, const std::string& commit) {
    if (auto ok = check_oid(commit); !ok) return fail(ok.error());
    const auto there = forge_head(branch);
    if (!there) return fail(there.error());
    if (!*there) return fail(Errc::no_such, "the forge has no branch " + branch);
    std::vector<std::string> args{"merge-base", "--all", commit, **there};
    if (!target_.empty() && branch == target_) {
        const auto once = dropped();
        if (!once) return fail(once.error());
        args.insert(args.end(), once->begin(), once->end());
    }
    const auto what = repository_.call(std::move(args));
    const auto answer = call(what);
    if (!answer) return fail(answer.error());
    if (answer->status == 0) return one_base(**there, split(answer->out, '\n'));
    if (answer->status == 1) return fail(Errc::refused, commit + " and " + branch + " have no commit in common");
    return fail(refused(what, *answer));
}

}  // namespace orchd::git
