#include "settings/nearest.h"

#include <algorithm>
#include <vector>

namespace orchd::settings {

int edit_distance(std::string_view a, std::string_view b) {
    // Optimal string alignment over three rows: the one in the making, the last and the one before it.
    std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const int replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
    std::optional<std::string> best;
    int best_distance = 0;
    for (const auto& candidate : known) {
        const int distance = edit_distance(word, candidate);
        const int near_enough = std::max(2, static_cast<int>(candidate.size()) / 3);
        if (distance > near_enough || distance >= static_cast<int>(candidate.size())) continue;
        if (!best || distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
    const auto found = nearest(word, known);
    return found ? "; did you mean " + *found + "?" : "";
}

}  // namespace orchd::settings
