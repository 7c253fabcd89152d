// What differs in a run's work tree from how it was checked out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "git/bench.h"

namespace orchd::git {

// The tree of `commit` with every difference taken in: files changed, gone and new. Nothing that is a repository of its own,
// and nothing that git calls special: what could not be taken in is a reason in `into`. `base` as in Gathering.
[[nodiscard]] Result<std::string> tree_with_differences(const Bench& bench, const LeftClone& left, const Gathering& what,
                                                        const Snapshot& checkout, const std::string& commit, Gathered& into);
// What cannot be read is opened for its owner, who is here. What is neither file, link nor folder, by path.
[[nodiscard]] std::vector<std::string> open_up(const std::string& work_tree);
// Files of the clone's own index that are in a conflict.
[[nodiscard]] std::vector<std::string> unmerged(const Bench& bench, const LeftClone& left);
// Whether a work tree beside the clone has changes that are in no commit.
[[nodiscard]] bool has_changes(const Bench& bench, const std::string& git_dir, const std::string& work_tree);

}  // namespace orchd::git
