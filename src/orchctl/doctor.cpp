#include "orchctl/doctor.h"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

constexpr std::array health_text{"ok", "warn", "fail"};
constexpr std::array health_paint{Paint::green, Paint::yellow, Paint::red};

std::string size_in_words(std::int64_t bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; bytes >= 10 * 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    return std::to_string(bytes) + " " + units[unit];
}

json::object document(const Findings& findings, const std::vector<Space>& taken) {
    json::array checks, space;
    for (const auto& f : findings)
        checks.push_back({{"check", f.what},
                          {"health", health_text[static_cast<std::size_t>(f.health)]},
                          {"text", f.text},
                          {"advice", f.advice}});
    for (const auto& s : taken) space.push_back({{"what", s.what}, {"path", s.path}, {"bytes", s.bytes}});
    return {{"checks", std::move(checks)}, {"space", std::move(space)}};
}

void tell(Session& session, const Findings& findings, const std::vector<Space>& taken) {
    Table checks({{"CHECK"}, {"HEALTH"}, {"WHAT"}});
    for (const auto& f : findings) {
        const auto index = static_cast<std::size_t>(f.health);
        checks.add({f.what, {health_text[index], health_paint[index]}, f.text + (f.advice.empty() ? "" : " " + f.advice)});
    }
    session.table(checks);
    session.heading("Space");
    Table space({{"WHAT"}, {"SIZE", Align::right}, {"PATH"}});
    for (const auto& s : taken) space.add({s.what, size_in_words(s.bytes), s.path});
    session.table(space);
}

Status doctor(Session& session) {
    // Anybody else would be told that what they cannot see is not there.
    if (::geteuid() != 0) return fail(Errc::not_permitted, "Only root can see all that is looked at: use sudo.");
    Findings findings;
    settings::Settings values;
    look_at_programs(findings);
    look_at_users(findings);
    look_at_folders(findings);
    look_at_units(findings);
    look_at_clock(findings);
    look_at_configuration(findings, values);
    look_at_database(findings);
    look_at_work(findings);
    look_at_backups(findings, values);
    look_at_deliveries(findings, values);
    look_at_left_states(findings);
    look_at_disk(findings, values);
    const auto taken = spaces();
    if (session.json)
        session.document(document(findings, taken));
    else
        tell(session, findings, taken);
    const auto failed = std::count_if(findings.begin(), findings.end(), [](const auto& f) { return f.health == Health::fail; });
    if (failed == 0) return {};
    return fail(Errc::conflict, std::to_string(failed) + (failed == 1 ? " check fails." : " checks fail."));
}

}  // namespace

void add_doctor(Command app, Session& session) {
    const auto command = app.add("doctor", "Look the whole host over: what is wrong, what to do, and what takes the space");
    command.does([&session] { return doctor(session); });
}

}  // namespace orchd::orchctl
