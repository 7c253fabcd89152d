// The merge gate (R12): under the repository's merge lease rebase onto the target, re-test exactly that commit, and
// fast-forward the target to it. Each round of these is written down in the effect ledger as "rebase" and "merge" of its number
// (R14), so a turn that finds a round under way carries on with it; a target that moved means another round.
#pragma once

#include <string>
#include <vector>

#include "core/pipeline.h"
#include "engine/turn.h"

namespace orchd::engine {

// Whether a round is under way for the branch as it is: its gates were green when it began, and what it pushed itself since is
// covered by the re-test.
[[nodiscard]] Result<bool> merge_under_way(Turn& turn);

struct MergeResult {
    enum class Kind {
        merged,      // the target has `commit`
        test,        // `commit` is rebased and pushed: it is to be re-tested
        red,         // `answer` says why the task goes back: conflicts, or a red re-test
        unjudged,    // a verdict does not hold for what would land: back to `stage`, as `answer` says
        lease_held,  // another task is merging into this repository
        give_way,    // `merge_tries` rounds on end came to nothing, or one more where the task gave way too often already
        refused,     // `answer` says why a person has to decide
        cannot_tell  // the merge may have happened or not, and the forge does not say
    };
    Kind kind;
    std::string commit = {};
    GateAnswer answer = {};  // give_way: why the last round came to nothing
    Stage stage = Stage::review;
    std::int64_t rounds = 0;  // give_way: how many there were at this stage number
};
// What became of a merge that an earlier stage number intended and never moved on from: a person had the stage worked anew
// meanwhile. It is `merged`, or `cannot_tell`; nothing where there is none, or it did not happen and is abandoned now.
[[nodiscard]] Result<std::optional<MergeResult>> left_over_merge(Turn& turn);
// Carries the merge on as far as it goes without waiting. Errors: to be tried again later.
[[nodiscard]] Result<MergeResult> merge(Turn& turn);

}  // namespace orchd::engine
