// From a failing seed to the few strokes of fate that make it fail.
#pragma once

#include <functional>
#include <set>

#include "sim/house.h"

namespace orchd::sim {

using Live = std::function<Outcome(const std::set<StrokeId>& without)>;
// The strokes that can be left out while the same invariant is still violated: what happens without them is the shrunk
// schedule.
[[nodiscard]] std::set<StrokeId> shrink(const Live& live, const Outcome& failing);

}  // namespace orchd::sim
