#include "settings/reading.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "core/boundary.h"
#include "core/names.h"

namespace orchd::settings {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::optional<LastGood> last_good(const Places& places) {
    auto last = read_last_good(places.last_good, places.boot_id);
    if (!last) return std::nullopt;
    return std::move(*last);
}

}  // namespace

std::string_view to_text(Condition::State state) {
    constexpr std::array<std::string_view, 3> words{"in force", "kept", "none"};
    return words[static_cast<std::size_t>(state)];
}

std::string said_of(const Condition& condition) {
    if (condition.state == Condition::State::in_force) return {};
    const auto more = condition.problems.size() > 1 ? " (and " + std::to_string(condition.problems.size() - 1) + " more)" : "";
    const auto wrong = (condition.problems.empty() ? std::string("they cannot be read") : condition.problems.front()) + more;
    if (condition.state == Condition::State::kept)
        return "The settings are wrong, and the last good ones stay in force: " + wrong;
    return "The settings are wrong, and no good ones of this boot are on record: nothing is begun until they are mended: " +
           wrong;
}

Places host_places(Sources sources, std::string boot_id) {
    return {std::move(sources), std::string(names::projects_dir), std::string(names::last_good), std::move(boot_id)};
}

Reading read(const Places& places) {
    Reading reading;
    auto& condition = reading.condition;
    const auto last = last_good(places);
    if (last) {
        condition.generation = last->generation;
        condition.good_at = last->at;
    }
    if (auto loaded = load(places.sources)) {
        reading.settings = loaded->settings;
        condition.warnings = std::move(loaded->warnings);
    } else {
        condition.problems = lines_of(loaded.error().text);
        condition.state = last ? Condition::State::kept : Condition::State::none;
        if (last) reading.settings = settings_of_text(last->settings);
    }
    reading.projects = load_projects(places.projects_dir, reading.settings, last ? last->projects : std::vector<ProjectText>());
    return reading;
}

void go_on_with_kept_projects(Projects& projects) {
    for (auto& kept : projects.kept) projects.good.push_back(std::move(kept));
    projects.kept.clear();
    std::ranges::sort(projects.good, {}, &Project::name);
}

Status keep(Reading& reading, const Places& places, const Now& now) {
    const auto before = last_good(places);
    auto& condition = reading.condition;
    if (condition.state == Condition::State::none) return {};
    const bool right = condition.state == Condition::State::in_force;
    LastGood next{.generation = before ? before->generation + 1 : 1,
                  .boot_id = places.boot_id,
                  .at = now.utc_ms,
                  .settings = right || !before ? settings_text(reading.settings) : before->settings,
                  .projects = reading.projects.texts};
    if (before && next.says_the_same_as(*before)) return {};
    if (auto written = bounded("settings.keep", [&] { return write_last_good(places.last_good, next); }); !written)
        return written;
    condition.generation = next.generation;
    condition.good_at = next.at;
    return {};
}

}  // namespace orchd::settings
