#include "daemons/world.h"

#include <sys/stat.h>
#include <algorithm>
#include <filesystem>
#include <limits>
#include <vector>

#include "core/names.h"
#include "host/host.h"
#include "host/log.h"

namespace orchd::daemons {
namespace {

std::string stamp(const std::string& path) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return path + " -\n";
    return path + ' ' + std::to_string(seen.st_ino) + ' ' + std::to_string(seen.st_size) + ' ' +
           std::to_string(seen.st_mtim.tv_sec) + '.' + std::to_string(seen.st_mtim.tv_nsec) + '\n';
}

// Which files there are and when each was last written.
std::string fingerprint() {
    std::vector<std::string> stamps{stamp(std::string(names::settings_file))};
    for (const auto folder : {names::settings_dir, names::projects_dir}) {
        std::error_code absent;
        for (std::filesystem::directory_iterator entry(folder, absent), end; !absent && entry != end; entry.increment(absent))
            stamps.push_back(stamp(entry->path().string()));
    }
    std::sort(stamps.begin(), stamps.end());
    std::string all;
    for (const auto& s : stamps) all += s;
    return all;
}

settings::Projects read_projects(const settings::Settings& settings) {
    return settings::load_projects(std::string(names::projects_dir), settings);
}

}  // namespace

Result<std::unique_ptr<OwnedWorld>> OwnedWorld::open(const OwnedWorldOptions& options) {
    auto read_at = fingerprint();
    auto loaded = settings::load(settings::host_sources());
    if (!loaded) return fail(loaded.error());
    store::OpenOptions opening;
    opening.mode = options.mode;
    opening.backup_dir = names::backups_dir;
    auto db = store::Db::open(std::string(names::database), opening);
    if (!db) return fail(db.error());
    host::Bus bus;
    if (options.units) {
        auto opened = host::open_system_bus();
        if (!opened) return fail(opened.error());
        bus = std::move(*opened);
    }
    std::unique_ptr<OwnedWorld> owned(new OwnedWorld(std::move(*db), std::move(bus), loaded->settings, std::move(read_at)));
    owned->world_->actor = options.actor;
    return owned;
}

OwnedWorld::OwnedWorld(store::Db db, host::Bus bus, const settings::Settings& settings, std::string read_at)
    : db_(std::move(db)),
      bus_(std::move(bus)),
      settings_(settings),
      projects_(read_projects(settings_)),
      fingerprint_(std::move(read_at)) {
    if (bus_ != nullptr) units_.emplace(*bus_);
    world_.emplace(engine::World{
        .db = db_,
        .units = units_ ? &*units_ : nullptr,
        .now = host::now,
        .settings = settings_,
        .projects = projects_,
        .paths = engine::host_paths(),
        .actor = {},
        .open_mirror =
            [this](const settings::Project& project) {
                return git::open_mirror(std::string(names::mirrors_dir) + '/' + project.name + ".git",
                                        {.timeout_s = settings_.git_timeout_s});
            },
        .open_forge =
            [this](const settings::Project& project) { return forge::open(project, {.timeout_s = settings_.git_timeout_s}); },
        .wake = [] { host::poke(std::string(names::wake_socket)); },
        .poke_events = [] { host::poke(std::string(names::events_socket)); },
        .random = host::random_unit,
        .free_bytes =
            [] { return host::free_bytes(std::string(names::state_dir)).value_or(std::numeric_limits<std::int64_t>::max()); },
        .warn =
            [](const std::string& work_item, const std::string& text) {
                if (work_item.empty()) return host::log(host::Level::warning, text);
                host::log(host::Level::warning, text, {{"ORCHD_TASK", work_item}});
            }});
}

bool OwnedWorld::refresh() {
    auto now = fingerprint();
    if (now == fingerprint_) return false;
    fingerprint_ = std::move(now);
    auto loaded = settings::load(settings::host_sources());
    if (loaded)
        settings_ = loaded->settings;
    else
        host::log(host::Level::error, "the last good settings stay in force: " + loaded.error().text);
    projects_ = read_projects(settings_);
    return true;
}

}  // namespace orchd::daemons
