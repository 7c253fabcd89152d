// git and a forge in memory: commits with files, branches by compare-and-swap. One Repository is the forge's and the mirror's
// objects of a project; each has branches of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "forge/forge.h"
#include "git/git.h"

namespace orchd::sim {

using Files = std::map<std::string, std::string>;

// By file: what it was and what it is.
using Patch = std::map<std::string, std::pair<std::string, std::string>>;
// As git's patch-id: the same for the same patch; "empty" for none.
[[nodiscard]] std::string id_of(const Patch& patch);

struct Commit {
    std::vector<std::string> parents;
    Files files;
    std::string message;
};

// Where the project's file says that a repository is; nothing is there.
[[nodiscard]] inline std::string forge_path_of(const std::string& name) { return "/sim/" + name; }

class Repository {
public:
    explicit Repository(std::string name);

    // A commit with `files` changed on top of the first parent; "" as content removes. Its id says what it is: the same commit
    // made again is the same.
    std::string commit(std::vector<std::string> parents, const Files& changes, const std::string& message);
    [[nodiscard]] const Commit* find(const std::string& id) const;
    [[nodiscard]] bool is_ancestor(const std::string& ancestor, const std::string& id) const;
    // Whether any commit of the forge's branch, as far back as it goes, is such.
    [[nodiscard]] bool any_in(const std::string& branch, const std::function<bool(const Files&)>& such) const;
    [[nodiscard]] std::string merge_base(const std::string& a, const std::string& b) const;
    [[nodiscard]] std::vector<std::string> changed(const std::string& from, const std::string& to) const;
    // What the commit changes from `base`, apart from what is in this folder.
    [[nodiscard]] Patch patch(const std::string& base, const std::string& id, const std::string& without) const;
    // Where `id` leaves `head`, and what that was once: what it was once counts first.
    [[nodiscard]] std::string fork_point(const std::string& id, const std::string& head,
                                         const std::set<std::string>& once) const;
    [[nodiscard]] git::Mirror::Rebased rebase(const std::string& head, const std::string& onto, const std::string& base);
    // As a fetch: the mirror sees the forge's branches, and remembers what main was set back from.
    void fetch();
    // As a developer would who resolves conflicts: a merge of `other` into `head`, where head's side wins.
    std::string merge(const std::string& head, const std::string& other);

    std::string name;
    std::map<std::string, std::string> forge;        // the forge's branches
    std::map<std::string, std::string> seen, heads;  // the mirror's: the forge's as last fetched, its own
    bool denies_rewrites = false;                    // as receive.denyNonFastforwards
    std::set<std::string> dropped;                   // the mirror's: what main was once, and is not any more
    std::vector<std::string> target_history;         // of the forge's main, oldest first
    std::set<std::string> taken_out;                 // of main by people who set it back: never to be in it again

private:
    struct Picked {
        std::string id;
        std::vector<std::string> conflicts;
    };
    Picked pick(const std::string& id, const std::string& onto);
    // What `id` changed since `from`, on top of `onto`.
    Picked three_way(const std::string& id, const std::string& from, const std::string& onto);
    std::map<std::string, Commit> commits_;
};

// What happens around a call from outside: the process may be interrupted before and after, the call may fail.
struct Outside {
    // True: it fails now, before anything was done. Named by the call.
    std::function<bool(const std::string& call)> before;
    // What the repository says to whoever asks anything of it, while it takes nothing; else nothing.
    std::function<std::optional<Error>()> refuses;
    // After the deed: true: the answer is lost.
    std::function<bool(const std::string& call)> after;
    std::function<void(const std::string& branch, const std::string& commit, const std::string& from, bool merge)> moved;
    // The deed itself, so that it can happen later where its process died while it was under way.
    std::function<Status(const std::string& call, const std::function<Status()>& deed)> attempt;
};

// What the commit brings to the forge's main.
[[nodiscard]] Patch patch_of(const Repository& repository, const std::string& id);

[[nodiscard]] std::unique_ptr<git::Mirror> open_mirror(Repository& repository, Outside& outside);
[[nodiscard]] std::unique_ptr<forge::Forge> open_forge(Repository& repository, Outside& outside);

}  // namespace orchd::sim
