// What was judged, and whether that is what is there (R03): a review, tests and approvals count for the patch that they saw.
#pragma once

#include <optional>
#include <string>

#include "engine/gates.h"
#include "store/records.h"

namespace orchd::engine {

// Whether the verdict was given for the code at the context's head: the same patch, wherever it stands; the same commit but for
// artefacts of this work item; or one that comes out the same on the target, as after a clean rebase whose context moved.
[[nodiscard]] Result<bool> given_for(const store::VerdictRow& verdict, const GateContext& context);

// Whether nothing but this work item's artefacts came on top of `earlier`.
[[nodiscard]] Result<bool> only_artefacts_since(const std::string& earlier, const GateContext& context);

struct Unjudged {
    Stage stage;  // the earliest stage whose verdict does not hold
    GateAnswer answer;
};
// Of the stages that the task has passed, from development to where it stands; nothing where every verdict holds for the code
// at the context's head. Development's does not where no code is left, and the target has not what there was.
[[nodiscard]] Result<std::optional<Unjudged>> first_unjudged(const GateContext& context);

// What CI says of the code at the head: undecided where it has not run on it, at whatever commit. Nothing where the project has
// no CI. Development asks for the very commit; later a clean rebase is no other code.
[[nodiscard]] Result<std::optional<GateAnswer>> ci_of_the_code(const GateContext& context);

// Why the code at the head is no new product of development: there is none, or it is what was sent back. Empty where it is one.
[[nodiscard]] Result<std::string> nothing_new(const GateContext& context);

}  // namespace orchd::engine
