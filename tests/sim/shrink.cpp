#include "sim/shrink.h"

#include <algorithm>

namespace orchd::sim {

// Delta debugging: leaves out ever smaller chunks. What is left out changes what comes later, so each try is a life of its own.
std::set<StrokeId> shrink(const Live& live, const Outcome& failing) {
    std::set<StrokeId> without;
    auto struck = failing.strokes;
    for (std::size_t chunk = std::max<std::size_t>(1, struck.size() / 2);;) {
        bool smaller = false;
        for (std::size_t from = 0; from < struck.size();) {
            auto fewer = without;
            const auto to = std::min(from + chunk, struck.size());
            fewer.insert(struck.begin() + static_cast<std::ptrdiff_t>(from), struck.begin() + static_cast<std::ptrdiff_t>(to));
            auto tried = live(fewer);
            if (tried.violation && tried.violation->invariant == failing.violation->invariant) {
                without = std::move(fewer);
                struck = std::move(tried.strokes);
                smaller = true;
            } else {
                from = to;
            }
        }
        if (chunk == 1 && !smaller) return without;
        chunk = std::max<std::size_t>(1, chunk / 2);
    }
}

}  // namespace orchd::sim
