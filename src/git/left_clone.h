// What stands in the git folder of a clone that was in a run's hands, read as files: no setting of it counts.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace orchd::git {

struct LeftClone {
    std::string git_dir;                           // empty: there is none
    std::string on;                                // the branch that HEAD names; empty: none
    std::string head;                              // HEAD's commit id; empty: not born, or not to be read
    std::map<std::string, std::string> branches;   // refs/heads/ by their names; a worktree's detached HEAD as "worktree NAME"
    std::map<std::string, std::string> worktrees;  // other work trees of it: name and folder, while that is there
    std::string stash;
    std::vector<std::string> merge_heads;
    std::string unfinished;  // "a rebase", …: HEAD is on its way to somewhere
};
[[nodiscard]] LeftClone read_left_clone(const std::string& folder);

}  // namespace orchd::git
