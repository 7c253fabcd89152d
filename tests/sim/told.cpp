#include "sim/told.h"

#include <array>
#include <cstdio>
#include <stdexcept>

#include "store/query.h"

namespace orchd::sim {
namespace {

// Of 2023-11-01, UTC milliseconds, before the world begins: a stamp from the future counts as of its receipt.
constexpr std::int64_t midnight = 1'698'796'800'000;
constexpr const char* context = "lint";

std::string quoted(const std::string& text) { return '"' + text + '"'; }
std::string repository_of(const std::string& project) { return "acme/" + project; }
// Of the tracker's project: one letter of the project's name tells it apart.
std::string uuid_of(const std::string& project) {
    return "4af68566-94a4-4eb3-94aa-50dc94270" + std::string(project == "one" ? "001" : "002");
}
std::int64_t number_of(const std::string& work_item) { return std::stol(work_item.substr(work_item.find('-') + 1)); }

template <class... Parameters>
std::string found(store::Db& db, const char* sql, const Parameters&... parameters) {
    auto row = store::find_row(
        db, sql, [](const store::Row& r) { return r.text(0); }, parameters...);
    if (!row) throw std::runtime_error("what was told cannot be read: " + row.error().text);
    return row->value_or("nothing");
}

}  // namespace

void Told::connect(settings::Project& project) {
    project.forge_repository = repository_of(project.name);
    project.tracker_kind = "plane";
    project.tracker_project = uuid_of(project.name);
}

std::string Told::time(std::int64_t at) {
    const auto s = static_cast<int>((at / 1000) % 86'400);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "2023-11-01T%02d:%02d:%02dZ", s / 3600, s / 60 % 60, s % 60);
    return text.data();
}

Message Told::push(const std::string& project, const std::string& branch, const std::string& commit) const {
    return {"gitea", "push",
            R"({"ref":"refs/heads/)" + branch + R"(","after":)" + quoted(commit) + R"(,"repository":{"full_name":)" +
                quoted(repository_of(project)) + "}}"};
}

Message Told::status(const std::string& project, const std::string& commit, std::uint64_t n) {
    const auto at = next();
    const bool good = n % 2 == 0;
    statuses_[{project, commit}] = good ? "green" : "red";
    return {"gitea", "status",
            R"({"id":1,"sha":)" + quoted(commit) + R"(,"context":)" + quoted(context) + R"(,"state":)" +
                quoted(good ? "success" : "failure") + R"(,"updated_at":)" + quoted(time(at)) +
                R"(,"repository":{"full_name":)" + quoted(repository_of(project)) + "}}"};
}

// Merged is for ever, whatever is told of it later.
Message Told::pull_request(const std::string& project, const std::string& work_item, const std::string& head, std::uint64_t n) {
    const auto number = number_of(work_item);
    auto& pull = pulls_[{project, number}];
    const bool merged = pull.state == "merged" || n % 8 == 0;
    const std::string state = merged ? "merged" : n % 2 == 0 ? "open" : "closed";
    const bool same_second = pull.at != 0 && n % 5 == 1;
    const auto at = same_second ? pull.at : next();
    if (same_second && merged == (pull.state == "merged")) {
        // Nobody can know what holds.
        if (pull.state != state) pull.state = "unknown";
        if (pull.head != head) pull.head = "";
    } else {
        pull = {state, head, at};
    }
    return {"gitea", "pull_request",
            R"({"action":"edited","pull_request":{"id":)" + std::to_string(number + 100) + R"(,"number":)" +
                std::to_string(number) + R"(,"head":{"repo_id":1,"label":"task/)" + work_item + R"(","sha":)" + quoted(head) +
                R"(},"base":{"repo_id":1,"ref":"main"},"state":)" + quoted(state == "open" ? "open" : "closed") +
                R"(,"merged":)" + (merged ? "true" : "false") + R"(,"updated_at":)" + quoted(time(at)) +
                R"(},"repository":{"id":1,"full_name":)" + quoted(repository_of(project)) + "}}"};
}

Message Told::work_item(const std::string& project, const std::string& work_item, State state) {
    constexpr std::array names{"To Analyse", "Approved", "Rejected", "In Progress"};
    const auto which = static_cast<std::size_t>(state);
    const auto at = items_[{project, work_item}] = next();
    const auto id = [](char digit, std::size_t n) {
        return quoted(std::string(8, digit) + "-94a4-4eb3-94aa-50dc9427000" + std::to_string(n));
    };
    return {"plane", "issue",
            R"({"event":"issue","action":"updated","data":{"id":)" + id('8', static_cast<std::size_t>(number_of(work_item))) +
                R"(,"name":"A title","sequence_id":)" + std::to_string(number_of(work_item)) + R"(,"project":)" +
                quoted(uuid_of(project)) + R"(,"state":{"id":)" + id('1', which) + R"(,"name":)" + quoted(names[which]) +
                R"(,"group":"started"},"description_stripped":"","updated_at":)" + quoted(time(at)) +
                R"(},"activity":{"field":"state","actor":{"display_name":"ada-)" + std::to_string(at / 1000) + R"("}}})"};
}

std::optional<std::string> Told::differs(store::Db& db, const std::map<std::string, std::int64_t>& asked) const {
    for (const auto& [of, colour] : statuses_)
        if (const auto is = found(db, "SELECT state FROM statuses WHERE project = ? AND \"commit\" = ? AND context = ?",
                                  of.first, of.second, context);
            is != colour)
            return "of " + of.second + " the status is " + colour + ", and " + is + " on record";
    for (const auto& [of, pull] : pulls_)
        if (const auto is =
                found(db, "SELECT state || ' ' || head || ' ' || at FROM pull_requests WHERE project = ? AND number = ?",
                      of.first, of.second);
            is != pull.state + ' ' + pull.head + ' ' + std::to_string(midnight + pull.at))
            return "pull request " + std::to_string(of.second) + " is " + pull.state + ", and on record is " + is;
    for (const auto& [of, at] : items_)
        if (const auto is = found(db, "SELECT CAST(seen_at AS TEXT) FROM tracker_items WHERE project = ? AND work_item = ?",
                                  of.first, of.second);
            is != std::to_string(midnight + at))
            return "the last change of " + of.second + " is not on record";
    const auto twice = found(db,
                             "SELECT actor FROM events WHERE kind = 'verdict_recorded' AND actor LIKE 'tracker:%'"
                             " GROUP BY actor HAVING count(*) > 1 LIMIT 1");
    if (twice != "nothing") return "what " + twice + " said once was heeded more than once";
    // Its word was there, in any of its deliveries, before the gate opened that it is a verdict on.
    struct Said {
        std::string by, of;
        std::int64_t first = 0;
    };
    const auto said = store::list_rows(db,
                                       "SELECT v.by, t.work_item || '/' || v.stage_seq, (SELECT min(d.id) FROM deliveries AS d"
                                       " WHERE d.body LIKE '%\"display_name\":\"' || substr(v.by, 9) || '\"%')"
                                       " FROM verdicts AS v JOIN tasks AS t ON t.id = v.task_id WHERE v.by LIKE 'tracker:%'",
                                       [](const store::Row& row) {
                                           return Said{row.text(0), row.text(1), row.integer(2)};
                                       });
    if (!said) throw std::runtime_error("what was told cannot be read: " + said.error().text);
    for (const auto& [by, of, first] : *said)
        if (const auto opened = asked.find(of); opened == asked.end() || first <= opened->second)
            return by + " judged what was not there yet";
    const auto failed = found(db, "SELECT outcome FROM deliveries WHERE state = 'failed' LIMIT 1");
    if (failed != "nothing") return "a delivery failed: " + failed;
    return std::nullopt;
}

}  // namespace orchd::sim
