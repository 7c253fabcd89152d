#include "listener/failures.h"

#include <algorithm>

namespace orchd::listener {

bool Failures::one_more(const std::string& source, std::int64_t now_ms) {
    if (clean_at_.size() >= most_sources && !clean_at_.contains(source)) {
        std::erase_if(clean_at_, [&](const auto& entry) { return entry.second <= now_ms; });
        // So many at once that none can be told from the others.
        if (clean_at_.size() >= most_sources) return true;
    }
    auto& clean_at = clean_at_.try_emplace(source, now_ms).first->second;
    clean_at = std::max(clean_at, now_ms);
    const auto furthest = now_ms + burst * refill_ms;
    if (clean_at + refill_ms > furthest) return true;
    clean_at += refill_ms;
    return false;
}

}  // namespace orchd::listener
