#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

#include "core/names.h"
#include "core/text.h"
#include "engine/astray.h"
#include "engine/disk.h"
#include "engine/maintain.h"
#include "engine/notes.h"
#include "engine/stall.h"
#include "engine/why.h"
#include "host/host.h"
#include "orchctl/doctor.h"
#include "orchctl/host_config.h"
#include "orchctl/project_check_repository.h"
#include "orchctl/sight.h"
#include "orchctl/table.h"
#include "store/backup.h"
#include "store/ballast.h"
#include "store/check.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/stalls.h"
#include "store/worker_lock.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;

std::int64_t blocks_of(const fs::path& path) {
    struct stat seen {};
    return ::lstat(path.c_str(), &seen) == 0 ? seen.st_blocks * 512 : 0;
}

std::int64_t space_of(const fs::path& path) {
    auto total = blocks_of(path);
    std::error_code error;
    fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, error);
    for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error))
        total += blocks_of(entry->path());
    return total;
}

std::string mebibytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

void look_at_projects(Findings& findings, const settings::Projects& projects) {
    const auto before = findings.size();
    for (const auto& problem : projects.problems)
        for (const auto& line : lines_of(problem.text)) findings.push_back({"projects", Health::fail, line, {}});
    for (const auto& project : projects.good) {
        for (const auto& problem : all_findings(project, History::taken_on_trust).problems)
            findings.push_back({"projects", Health::fail, problem, {}});
        for (const auto& problem : unseen_by_units(project)) findings.push_back({"projects", Health::fail, problem, {}});
    }
    if (findings.size() == before) findings.push_back({"projects", Health::ok, in_order(projects), {}});
}

}  // namespace

void look_at_configuration(Findings& findings, settings::Settings& values) {
    const auto reading = host_reading();
    const auto& condition = reading.condition;
    values = reading.settings;
    for (const auto& line : condition.problems) findings.push_back({"settings", Health::fail, line, {}});
    if (condition.state == settings::Condition::State::kept)
        findings.push_back({"settings", Health::fail,
                            "The last good settings, of " + local_time(condition.good_at) + ", are in force.",
                            "Mend what is told above: it is taken at once."});
    if (condition.state == settings::Condition::State::none)
        findings.push_back({"settings", Health::fail, "No good settings of this boot are on record: nothing is begun.",
                            "Mend what is told above: it is taken at once."});
    for (const auto& warning : condition.warnings) findings.push_back({"settings", Health::warn, warning, {}});
    const auto unreadable = unreadable_files();
    for (const auto& line : unreadable) findings.push_back({"settings", Health::fail, line, {}});
    if (condition.problems.empty() && condition.warnings.empty() && unreadable.empty())
        findings.push_back({"settings", Health::ok, "The settings are in order.", {}});
    look_at_projects(findings, reading.projects);
}

void look_at_database(Findings& findings) {
    const std::string path(names::database);
    auto db = store::Db::open(path, {.mode = store::Mode::inspect});
    if (!db) return findings.push_back({"database", Health::fail, db.error().text, {}});
    const auto version = store::file_version(*db);
    if (!version) return findings.push_back({"database", Health::fail, version.error().text, {}});
    const auto problems = store::integrity_problems(*db);
    if (!problems)
        return findings.push_back({"database", Health::fail, problems.error().text,
                                   "Restore a backup: orchctl db list, then orchctl db restore BACKUP"});
    for (const auto& problem : *problems)
        findings.push_back(
            {"database", Health::fail, problem, "Restore a backup: orchctl db list, then orchctl db restore BACKUP"});
    const auto unwritable = unwritable_database();
    for (const auto& problem : unwritable) findings.push_back({"database", Health::fail, problem, {}});
    const auto text = path + " has schema " + std::to_string(*version);
    if (*version != store::schema_version())
        findings.push_back({"database", Health::warn, text + ", this program " + std::to_string(store::schema_version()) + ".",
                            "Run: systemctl restart orchd-worker.service"});
    else if (problems->empty() && unwritable.empty())
        findings.push_back({"database", Health::ok, text + " and is sound.", {}});
}

void look_at_work(Findings& findings) {
    auto db = store::Db::open(std::string(names::database), {.mode = store::Mode::inspect});
    if (!db) return;  // told by look_at_database()
    const auto before = findings.size();
    if (const auto nobody = engine::no_worker(store::worker_lives(std::string(names::database))); !nobody.empty())
        findings.push_back({"worker", Health::fail, nobody, std::string("Run: ") + engine::command_against_no_worker});
    const auto version = store::file_version(*db);
    if (!version || *version != store::schema_version()) return;  // told by look_at_database()
    const auto jobs = store::list_jobs(*db, {.only_live = true});
    if (!jobs) return findings.push_back({"runs", Health::fail, jobs.error().text, {}});
    for (const auto& claim : *jobs) {
        const auto stall = store::last_stall(*db, claim.run.id);
        if (!stall) return findings.push_back({"runs", Health::fail, stall.error().text, {}});
        const bool told = *stall && (claim.job.status == JobStatus::running || (*stall)->state == store::StallState::given_up ||
                                     (*stall)->part == store::StallPart::beginning);
        if (told)
            findings.push_back(
                {"runs", Health::fail,
                 claim.work_item + ", " + engine::job_named(claim.job) + ": " + engine::stall_text(**stall) + ".",
                 "See: orchctl why " + claim.work_item});
    }
    if (findings.size() == before)
        findings.push_back({"runs", Health::ok, "A worker runs, and no run stalls at its beginning or end.", {}});
}

void look_at_backups(Findings& findings, const settings::Settings& values) {
    if (!values.maintenance_enabled || values.backups_kept == 0)
        return findings.push_back({"backups", Health::warn, "The settings say that no backups are made.", {}});
    const auto backups = store::list_backups(std::string(names::backups_dir));
    if (!backups) return findings.push_back({"backups", Health::fail, backups.error().text, {}});
    constexpr const char* advice = "Run: systemctl start orchd-maintenance.service, and see its journal.";
    if (backups->empty()) return findings.push_back({"backups", Health::warn, "There is no backup yet.", advice});
    struct stat seen {};
    const auto& newest = backups->back().path;
    if (::stat(newest.c_str(), &seen) != 0)
        return findings.push_back({"backups", Health::fail, newest + " cannot be seen.", {}});
    const auto age_ms = host::now().utc_ms - static_cast<std::int64_t>(seen.st_mtim.tv_sec) * 1000;
    const auto text = counted(backups->size(), "backup") + ", the newest of " +
                      local_time(static_cast<std::int64_t>(seen.st_mtim.tv_sec) * 1000) + ".";
    const bool old = age_ms > 2 * values.maintenance_interval_s * 1000;
    findings.push_back({"backups", old ? Health::warn : Health::ok, text, old ? advice : ""});
}

void look_at_deliveries(Findings& findings, const settings::Settings& values) {
    auto db = store::Db::open(std::string(names::database), {.mode = store::Mode::inspect});
    if (!db) return;  // told by look_at_database()
    const auto version = store::file_version(*db);
    if (!version || *version != store::schema_version()) return;  // that, too
    const auto projects = settings::load_projects(std::string(names::projects_dir), values);
    const auto stories = engine::astray_stories(*db, projects);
    const auto counts = store::count_deliveries(*db);
    if (!stories || !counts)
        return findings.push_back({"webhooks", Health::fail, (stories ? counts.error() : stories.error()).text, {}});
    for (const auto& story : *stories)
        findings.push_back({"webhooks", story.project.empty() ? Health::ok : Health::warn, story.text,
                            story.project.empty() ? "" : "Then send one again from the forge's page of the webhook."});
    if (counts->refused > 0)
        findings.push_back({"webhooks", Health::warn,
                            "Signed deliveries that were refused: " + std::to_string(counts->refused) + ".",
                            "See which and why: orchctl webhook list --state refused"});
    else if (stories->empty())
        findings.push_back({"webhooks", Health::ok, "Every signed delivery was taken and leads to a project.", {}});
}

void look_at_left_states(Findings& findings) {
    auto db = store::Db::open(std::string(names::database), {.mode = store::Mode::inspect});
    if (!db) return;  // told by look_at_database()
    const auto left = engine::left_states(*db, engine::host_paths());
    if (!left) return findings.push_back({"left behind", Health::fail, left.error().text, {}});
    if (left->empty())
        return findings.push_back({"left behind", Health::ok, "No state directory of a run that is over is left.", {}});
    findings.push_back({"left behind", Health::warn,
                        "State directories of runs that are over: " + std::to_string(left->size()) + ", such as that of " +
                            left->front() + ".",
                        "The next maintenance pass removes them; at once: systemctl clean --what=state " + left->front()});
}

void look_at_disk(Findings& findings, const settings::Settings& values) {
    const auto free = host::free_bytes(std::string(names::state_dir));
    if (!free) return findings.push_back({"disk", Health::fail, "The file system of /var/lib/orchd cannot be asked.", {}});
    const auto text = mebibytes(*free) + " free, the floor is " + mebibytes(values.disk_floor_bytes) + ".";
    if (*free < values.disk_floor_bytes)
        findings.push_back({"disk", Health::fail, text + " Nothing is started.", "Make room: what takes it stands below."});
    else if (*free < 2 * values.disk_floor_bytes)
        findings.push_back({"disk", Health::warn, text, "Make room before nothing is started any more."});
    else
        findings.push_back({"disk", Health::ok, text, {}});
    const auto inodes = host::inodes(std::string(names::state_dir));
    const auto floor = engine::inode_floor(values, inodes);
    const auto room = std::to_string(inodes.free) + " inodes free, the floor is " + std::to_string(floor) + ".";
    if (inodes.free < floor)
        findings.push_back(
            {"inodes", Health::fail, room + " Nothing is started.", "Remove files: what holds them stands below."});
    else if (inodes.free < 2 * floor)
        findings.push_back({"inodes", Health::warn, room, "Remove files before nothing is started any more."});
    const auto ballast = store::ballast_size(store::ballast_beside(std::string(names::database)));
    if (ballast == values.ballast_bytes) return;
    findings.push_back({"ballast", Health::warn,
                        "The ballast has " + mebibytes(ballast) + " of " + mebibytes(values.ballast_bytes) + ".",
                        "The worker lays it once it fits above the floor."});
}

std::vector<Space> spaces() {
    const std::string database(names::database);
    std::vector<Space> all;
    for (const auto& [what, path] : {std::pair<const char*, std::string>{"database", database},
                                     {"write-ahead log", database + "-wal"},
                                     {"ballast", store::ballast_beside(database)},
                                     {"backups", std::string(names::backups_dir)},
                                     {"mirrors", std::string(names::mirrors_dir)},
                                     {"releases", std::string(names::releases_dir)},
                                     {"clones", "/var/lib/private/orchd-agent"},
                                     {"deploys", std::string(names::deploy_states_dir)},
                                     {"run folders", std::string(names::runs_dir)},
                                     {"journal of the host", "/var/log/journal"}})
        all.push_back({what, path, space_of(path)});
    return all;
}

}  // namespace orchd::orchctl
