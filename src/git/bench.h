// A repository of the launcher's own, in which git looks at a clone that was in a run's hands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "git/call.h"
#include "git/left_clone.h"
#include "git/run_side.h"

namespace orchd::git {

class Bench {
public:
    [[nodiscard]] static Result<Bench> make(const Gathering& what, const LeftClone& left);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& work_tree() const { return work_tree_; }
    // The same with another work tree.
    [[nodiscard]] Bench over(const std::string& work_tree) const;

    // Within the work tree and with an index of this name in the bench. All calls together have ten minutes.
    [[nodiscard]] Call call(std::vector<std::string> args, std::string input = {}, const std::string& index = "index") const;
    [[nodiscard]] Result<std::string> out(std::vector<std::string> args, std::string input = {},
                                          const std::string& index = "index") const;
    [[nodiscard]] Result<std::vector<std::string>> list(std::vector<std::string> args,
                                                        const std::string& index = "index") const;

    [[nodiscard]] Result<bool> has_commit(const std::string& id) const;
    [[nodiscard]] Result<bool> is_ancestor(const std::string& ancestor, const std::string& commit) const;
    // Whether it, or what it builds on, is new: neither of the start nor of any branch of the forge.
    [[nodiscard]] Result<bool> has_news(const std::string& commit) const;
    // Whether all that `other` brings is in `commit` already, in whatever commits.
    [[nodiscard]] Result<bool> has_all_of(const std::string& commit, const std::string& other) const;

    struct Entry {
        std::string mode, id;
    };
    using Entries = std::map<std::string, Entry>;
    [[nodiscard]] Result<Entries> entries_of(const std::string& tree) const;
    // Entries that are a repository of their own and no submodule: neither in `base`, nor in the tree's .gitmodules.
    [[nodiscard]] Result<std::vector<std::string>> stray_repositories(const std::string& tree, const std::string& base) const;
    // Files of the tree with marks of a conflict that those of `base` do not have.
    [[nodiscard]] Result<std::vector<std::string>> with_conflict_markers(const std::string& tree,
                                                                         const std::string& base) const;

private:
    std::string path_, work_tree_, start_;
    std::int64_t ends_ms_ = 0;
};

// A path for people: one printable line.
[[nodiscard]] std::string shown(const std::string& path);
// "a, b, c and 5 more"
[[nodiscard]] std::string shown(const std::vector<std::string>& paths);

}  // namespace orchd::git
