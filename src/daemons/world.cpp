#include "daemons/world.h"

#include <limits>
#include <vector>

#include "core/names.h"
#include "daemons/settings_files.h"
#include "git/budget.h"
#include "host/host.h"
#include "host/journal.h"
#include "host/log.h"
#include "store/worker_lock.h"

namespace orchd::daemons {
namespace {

void tell(const settings::Condition& condition, bool alert) {
    for (const auto& warning : condition.warnings) host::log(host::Level::warning, warning + "; it changes nothing");
    if (condition.state == settings::Condition::State::in_force) return;
    const auto text = settings::said_of(condition) + "; 'orchctl config check' tells all of it";
    if (alert)
        host::log(host::Level::error, text, {{"MESSAGE_ID", std::string(names::msg_alert)}});
    else
        host::log(host::Level::warning, text);
}

}  // namespace

Result<std::unique_ptr<OwnedWorld>> OwnedWorld::open(const OwnedWorldOptions& options) {
    auto read_at = settings_fingerprint(options.keeps_settings ? Look::files : Look::last_good_too);
    auto reading = read_settings();
    if (reading.condition.state == settings::Condition::State::none && !options.without_settings)
        return fail(Errc::invalid_argument, settings::said_of(reading.condition));
    if (options.ends_work) settings::go_on_with_kept_projects(reading.projects);
    if (options.git) git::limit_together(settings::git_budget_s(*options.git, reading.settings));
    store::OpenOptions opening;
    opening.mode = options.mode;
    opening.backup_dir = names::backups_dir;
    for (const auto folder :
         {names::mirrors_dir, names::releases_dir, names::agent_states_dir, names::deploy_states_dir, names::runs_dir})
        opening.traces.emplace_back(folder);
    auto db = store::Db::open(std::string(names::database), opening);
    if (!db) return fail(db.error());
    host::Bus bus;
    if (options.units) {
        auto opened = host::open_system_bus();
        if (!opened) return fail(opened.error());
        bus = std::move(*opened);
    }
    tell(reading.condition, options.keeps_settings);
    std::unique_ptr<OwnedWorld> owned(
        new OwnedWorld(std::move(*db), std::move(bus), options, std::move(reading), std::move(read_at)));
    owned->write_down();
    return owned;
}

OwnedWorld::OwnedWorld(store::Db db, host::Bus bus, const OwnedWorldOptions& options, settings::Reading reading,
                       std::string read_at)
    : options_(options),
      db_(std::move(db)),
      bus_(std::move(bus)),
      reading_(std::move(reading)),
      fingerprint_(std::move(read_at)) {
    if (bus_ != nullptr) units_.emplace(*bus_);
    world_.emplace(engine::World{
        .db = db_,
        .units = units_ ? &*units_ : nullptr,
        .now = host::now,
        .settings = reading_.settings,
        .projects = reading_.projects,
        .paths = engine::host_paths(),
        .actor = options_.actor,
        .open_mirror =
            [this](const settings::Project& project) {
                return git::open_mirror(std::string(names::mirrors_dir) + '/' + project.name + ".git",
                                        {.timeout_s = reading_.settings.git_timeout_s,
                                         .target = project.target,
                                         .own_history = project.forge_accept_history});
            },
        .open_forge =
            [this](const settings::Project& project) {
                return forge::open(project, {.timeout_s = reading_.settings.git_timeout_s});
            },
        .wake = [] { host::poke(std::string(names::wake_socket)); },
        .poke_events = [] { host::poke(std::string(names::events_socket)); },
        .random = host::random_unit,
        .free_bytes =
            [] { return host::free_bytes(std::string(names::state_dir)).value_or(std::numeric_limits<std::int64_t>::max()); },
        .inodes = [] { return host::inodes(std::string(names::state_dir)); },
        .last_line = host::last_line_of,
        .worker_lives = [] { return store::worker_lives(std::string(names::database)); },
        .warn =
            [](const std::string& work_item, const std::string& text) {
                if (work_item.empty()) return host::log(host::Level::warning, text);
                host::log(host::Level::warning, text, {{"ORCHD_TASK", work_item}});
            },
        .condition = &reading_.condition});
}

bool OwnedWorld::refresh() {
    auto now = settings_fingerprint(options_.keeps_settings ? Look::files : Look::last_good_too);
    if (now == fingerprint_) return false;
    fingerprint_ = std::move(now);
    using State = settings::Condition::State;
    const auto before = reading_.condition;
    auto reading = read_settings();
    // Nobody wrote them down, or it was taken away: what this process has is good.
    if (reading.condition.state == State::none && before.state != State::none) {
        reading.settings = reading_.settings;
        reading.condition.state = State::kept;
    }
    if (options_.ends_work) settings::go_on_with_kept_projects(reading.projects);
    reading_ = std::move(reading);
    if (reading_.condition.state != before.state || reading_.condition.problems != before.problems ||
        reading_.condition.warnings != before.warnings)
        tell(reading_.condition, options_.keeps_settings);
    if (before.state != State::in_force && reading_.condition.state == State::in_force)
        host::log(host::Level::notice, "The settings are right again, and in force.");
    write_down();
    return true;
}

void OwnedWorld::write_down() {
    if (!options_.keeps_settings) return;
    const auto kept = settings::keep(reading_, settings_places(), host::now());
    if (!kept)
        host::log(host::Level::warning, "the good settings cannot be written down for other units: " + kept.error().text);
}

}  // namespace orchd::daemons
