#include <boost/json.hpp>

#include "core/names.h"
#include "core/text.h"
#include "host/systemd.h"
#include "orchctl/commands.h"
#include "orchctl/host_config.h"
#include "orchctl/sight.h"
#include "settings/table.h"
#include "settings/timers.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

// A number (sizes are bytes), a switch or a list of texts.
json::value value_of(const settings::Key& key, const settings::Settings& values) {
    return std::visit([&](auto field) { return json::value_from(values.*field); }, key.field);
}

Status show(Session& session) {
    const auto loaded = host_settings();
    if (!loaded) return fail(loaded.error());
    if (session.json) {
        json::array array;
        for (const auto& origin : loaded->origins) {
            array.push_back({{"key", origin.key},
                             {"value", value_of(*settings::find_key(origin.key), loaded->settings)},
                             {"unit", origin.unit},
                             {"env", origin.env},
                             {"from", origin.where},
                             {"text", origin.text}});
        }
        session.document(array);
        return {};
    }
    Table table({{"KEY"}, {"VALUE", Align::right}, {"UNIT"}, {"FROM"}, {"TEXT"}});
    for (const auto& origin : loaded->origins) {
        const auto colour = origin.where == "default" ? Paint::dim : Paint::none;
        table.add({origin.key, origin.value, origin.unit, {origin.where, colour}, {origin.text, Paint::dim}});
    }
    session.table(table);
    return {};
}

// Timers that systemd runs at another interval than is set. Nothing to say where it cannot be asked.
std::vector<std::string> timers_out_of_step(const settings::Settings& values) {
    std::vector<std::string> problems;
    const auto bus = host::open_system_bus();
    if (!bus) return problems;
    host::Manager manager(**bus);
    for (const auto& timer : settings::timer_intervals()) {
        const auto runs = manager.timer_interval_s(std::string(timer.unit));
        const auto set = values.*timer.interval_s;
        if (!runs || !*runs || **runs == set) continue;
        problems.push_back(std::string(timer.unit) + " runs every " + std::to_string(**runs) + " s, " + std::string(timer.key) +
                           " is " + std::to_string(set) + " s: `systemctl daemon-reload` puts them in step");
    }
    return problems;
}

// Names in lists of projects that no project has: a slip of the pen would switch something off without a word.
std::vector<std::string> unknown_projects(const settings::Settings& values, const settings::Projects& projects) {
    std::vector<std::string> problems;
    for (const auto& entry : values.transition_lease_repos)
        if (entry != "*" && settings::find(projects, entry) == nullptr)
            problems.push_back("transition_lease_repos names " + entry + ", which is no project with a valid file");
    return problems;
}

Status check(Session& session) {
    std::vector<std::string> problems;
    settings::Settings values;
    if (const auto loaded = host_settings()) {
        values = loaded->settings;
        // Processes go on with a warning: a name that is no setting changes nothing, and here somebody asks whether it does.
        problems = loaded->warnings;
        for (auto& problem : timers_out_of_step(values)) problems.push_back(std::move(problem));
    } else {
        problems = lines_of(loaded.error().text);
    }
    const auto projects = settings::load_projects(std::string(names::projects_dir), values);
    for (const auto& problem : projects.problems) {
        for (auto& line : lines_of(problem.text)) problems.push_back(std::move(line));
    }
    for (auto& problem : unknown_projects(values, projects)) problems.push_back(std::move(problem));
    for (auto& problem : unreadable_files()) problems.push_back(std::move(problem));
    return report(session, problems, "Settings and " + counted(projects.good.size(), "project") + " are in order.");
}

}  // namespace

void add_config(Command app, Session& session) {
    const auto config = app.family("config", "Settings of this host");
    config.add("show", "Show every setting, its value and where that comes from").does([&session] { return show(session); });
    config.add("check", "Check the settings and every project file").does([&session] { return check(session); });
}

}  // namespace orchd::orchctl
