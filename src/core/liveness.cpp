#include "core/liveness.h"
#include "core/planted.h"

namespace orchd {

Liveness judge(const Owner& owner, const UnitSeen& seen, const std::string& boot_id) {
    if (owner.boot_id != boot_id && !planted("boot_ignored")) return Liveness::dead;
    if (!seen.readable) return planted("unknown_is_dead") ? Liveness::dead : Liveness::unknown;
    const bool both_known = !owner.invocation_id.empty() && !seen.invocation_id.empty();
    if (both_known && owner.invocation_id != seen.invocation_id) return Liveness::dead;
    if (seen.populated || seen.job_pending) return Liveness::alive;
    return Liveness::empty;
}

}  // namespace orchd
