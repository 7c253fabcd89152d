#include "orchctl/host_config.h"

#include <boost/json.hpp>
#include <sstream>

#include "core/names.h"
#include "core/text.h"
#include "host/host.h"

namespace orchd::orchctl {

Result<settings::Loaded> host_settings() {
    auto loaded = settings::load(settings::host_sources());
    // Not the caller's words are wrong but the host's files.
    if (!loaded) return fail(Errc::conflict, loaded.error().text);
    return loaded;
}

Result<settings::Projects> host_projects() {
    const auto loaded = host_settings();
    if (!loaded) return fail(loaded.error());
    return settings::load_projects(std::string(names::projects_dir), loaded->settings);
}

settings::Reading host_reading() {
    return settings::read(settings::host_places(settings::host_sources(), host::now().boot_id));
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string in_order(const settings::Projects& projects) {
    return counted(projects.good.size(), "project") + (projects.good.size() == 1 ? " is in order." : " are in order.");
}

Status report(Session& session, const std::vector<std::string>& problems, const std::string& fine) {
    if (session.json) {
        session.document(boost::json::object{{"problems", boost::json::value_from(problems)}});
    } else {
        for (const auto& problem : problems) session.line(printable(problem));
        if (problems.empty()) session.line(fine);
    }
    if (problems.empty()) return {};
    return fail(Errc::conflict, counted(problems.size(), "problem") + '.');
}

}  // namespace orchd::orchctl
