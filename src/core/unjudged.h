// Back to be judged anew: the one move that no gate of the present stage asks for.
#pragma once

#include "core/pipeline.h"

namespace orchd {

// The task goes back from `stage` to an earlier one, `to`, whose verdict does not hold for the code that is there now: others
// pushed. Counted as a conflict is, since that is nobody's verdict; what would be one more than `cap` is escalated.
[[nodiscard]] Decision unjudged(Stage stage, Stage to, const GateAnswer& answer, Retries before, int cap);

}  // namespace orchd
