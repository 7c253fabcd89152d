// What is done for a mirror from time to time: packed, and freed of what nobody can need any more.
#include <charconv>
#include <map>

#include "git/git.h"
#include "git/lock.h"
#include "git/repository.h"

namespace orchd::git {
namespace {

// Less than this is left as it lies: packing anew costs more than it saves. Every fetch that brought something left a pack.
constexpr std::int64_t many_loose = 1000, many_packs = 8;
constexpr const char* old_enough = "2.weeks.ago";  // by the files' own times

// Whether so much has gathered, by `git count-objects -v`: "count: 12", "packs: 3", ….
Result<bool> worth_packing(const Repository& repository) {
    const auto told = output(repository.call({"count-objects", "-v"}));
    if (!told) return fail(told.error());
    std::map<std::string, std::int64_t> counts;
    for (const auto& line : split(*told, '\n')) {
        const auto colon = line.find(": ");
        if (colon != line.npos)
            std::from_chars(line.data() + colon + 2, line.data() + line.size(), counts[line.substr(0, colon)]);
    }
    return counts["count"] + counts["garbage"] > many_loose || counts["packs"] > many_packs;
}

}  // namespace

Result<std::vector<std::string>> branch_names(const std::string& repository, const std::string& prefix,
                                              const std::string& start, const Options& options) {
    const auto folder = "refs/" + prefix + '/';
    const auto listed =
        output(Repository{repository, options.timeout_s}.call({"for-each-ref", "--format=%(refname)", folder + start}));
    if (!listed) return fail(listed.error());
    std::vector<std::string> names;
    for (const auto& line : split(*listed, '\n')) names.push_back(line.substr(folder.size()));
    return names;
}

Result<bool> tidy_objects(const std::string& mirror, const std::function<Result<bool>()>& idle, const Options& options) {
    const Repository repository{mirror, options.timeout_s};
    auto worth = worth_packing(repository);
    if (!worth || !*worth) return worth;
    const auto alone = UseLock::alone(mirror, options.timeout_s);
    if (!alone) return fail(alone.error());
    const auto lock = repository.lock_for_writing();
    if (!lock) return fail(lock.error());
    auto may = idle();
    if (!may || !*may) return may;
    const std::string older = old_enough;
    for (const auto& args : {std::vector<std::string>{"repack", "--quiet", "-d", "-A", "--unpack-unreachable=" + older},
                             {"prune", "--expire=" + older}})
        if (auto done = output(repository.call(args)); !done) return fail(done.error());
    return true;
}

}  // namespace orchd::git
