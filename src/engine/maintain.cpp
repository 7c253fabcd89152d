#include "engine/maintain.h"

#include <boost/json.hpp>
#include <filesystem>

#include "core/boundary.h"
#include "core/work_item.h"
#include "engine/maintain_parts.h"
#include "engine/operation.h"
#include "store/astray.h"
#include "store/backup.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/retention.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* state_key = "maintenance";
constexpr int rows_at_once = 500;

Status back_up(World& world, Maintained& done) {
    if (world.settings.backups_kept == 0) return {};
    std::error_code unknown;
    const auto size = fs::file_size(world.db.path(), unknown);
    if (!unknown && world.free_bytes() - static_cast<std::int64_t>(size) < world.settings.disk_floor_bytes)
        return fail(Errc::no_space, "no backup is made: it would take the disk below its floor");
    boundary("maintain.backup.before");
    auto made = store::back_up(world.db, world.paths.backups_dir, store::backup_name(world.now().utc_ms));
    if (!made) return fail(made.error());
    boundary("maintain.backup.after");
    done.backup = made->path;
    auto pruned = store::prune_backups(world.db, world.paths.backups_dir, static_cast<int>(world.settings.backups_kept));
    if (!pruned) return fail(pruned.error());
    done.backups_pruned = *pruned;
    return {};
}

// A reader in the way is no failure: the next pass tries again.
Status checkpoint(World& world, Maintained& /*done*/) {
    auto emptied = world.db.checkpoint();
    return emptied || emptied.error().code == Errc::unavailable ? Status{} : emptied;
}

// Batch by batch, each a transaction of its own.
template <class Prune>
Status forget(World& world, std::int64_t& removed, Prune prune) {
    for (std::int64_t behind = 0;;) {
        boundary("maintain.forget.before");
        auto pruned = world.db.write([&](store::Tx& tx) { return prune(tx, behind); });
        if (!pruned) return fail(pruned.error());
        boundary("maintain.forget.after");
        removed += pruned->removed;
        behind = pruned->looked_up_to;
        if (!pruned->more) return {};
    }
}

Status forget_history(World& world, Maintained& done) {
    const auto now = world.now();
    const auto events_from = now.utc_ms - world.settings.event_retention_days * day_ms;
    const auto deliveries_from = now.utc_ms - world.settings.delivery_retention_days * day_ms;
    auto forgotten = forget(world, done.events, [&](store::Tx& tx, std::int64_t behind) {
        return store::prune_events(tx, events_from, behind, rows_at_once, now);
    });
    if (forgotten)
        forgotten = forget(world, done.posts, [&](store::Tx& tx, std::int64_t behind) {
            return store::prune_posts(tx, events_from, behind, rows_at_once);
        });
    if (forgotten)
        forgotten = forget(world, done.deliveries, [&](store::Tx& tx, std::int64_t) {
            return store::prune_deliveries(tx, deliveries_from, rows_at_once);
        });
    if (forgotten)
        forgotten = world.db.write([&](store::Tx& tx) { return store::forget_astray(tx, deliveries_from); }).map([](int) {});
    return forgotten;
}

// Whether a run of the work item could still look into its folder.
Result<bool> has_live_run(store::Db& db, const std::string& work_item) {
    auto task = store::find_task(db, work_item);
    if (!task) return fail(task.error());
    if (!*task) return false;
    auto live = store::live_run_job(db, (*task)->id);
    if (!live) return fail(live.error());
    return live->has_value();
}

// In a write transaction, so that nothing is claimed between the look and the removal: prepare lays a folder only for a job
// that was claimed.
Status remove_run_folders(World& world, Maintained& done) {
    std::error_code error;
    std::vector<fs::path> folders;
    for (fs::directory_iterator entry(world.paths.runs_dir, error), end; !error && entry != end; entry.increment(error))
        folders.push_back(entry->path());
    if (error && error != std::errc::no_such_file_or_directory)
        return fail(Errc::io, world.paths.runs_dir + ": " + error.message());
    for (const auto& folder : folders) {
        if (!WorkItem::parse(folder.filename().string())) continue;
        boundary("maintain.run_folder.before");
        auto removed = world.db.write([&](store::Tx& tx) -> Result<bool> {
            auto live = has_live_run(tx.db(), folder.filename().string());
            if (!live || *live) return live ? Result<bool>(false) : live;
            std::error_code refused;
            const auto count = fs::remove_all(folder, refused);
            if (refused) return fail(Errc::io, folder.string() + ": " + refused.message());
            return count > 0;
        });
        if (!removed) return fail(removed.error());
        boundary("maintain.run_folder.after");
        done.run_folders += *removed ? 1 : 0;
    }
    return {};
}

std::string story(const Maintained& done) {
    return boost::json::serialize(boost::json::object{{"backup", done.backup},
                                                      {"backups_pruned", done.backups_pruned},
                                                      {"events", done.events},
                                                      {"deliveries", done.deliveries},
                                                      {"posts", done.posts},
                                                      {"releases", done.releases},
                                                      {"run_folders", done.run_folders},
                                                      {"states", done.states},
                                                      {"branches", done.branches},
                                                      {"mirrors", done.mirrors},
                                                      {"failures", done.failures}});
}

Status note(World& world, const Maintained& done) {
    boundary("maintain.note.before");
    auto noted = world.db.write([&](store::Tx& tx) -> Status {
        const auto at = world.now().utc_ms;
        if (!done.backup.empty())
            if (auto kept = store::put_state(tx, {"last_backup", done.backup, world.actor, "", at}); !kept) return kept;
        return store::put_state(tx, {.key = state_key, .value = story(done), .by = world.actor, .reason = "", .at = at});
    });
    if (noted) boundary("maintain.note.after");
    return noted;
}

}  // namespace

Result<bool> maintenance_due(World& world) {
    auto last = store::find_state(world.db, state_key);
    if (!last) return fail(last.error());
    if (!*last) return true;
    const auto since = world.now().utc_ms - (*last)->at;
    return since < 0 || since >= world.settings.maintenance_interval_s * 1000;  // a clock that was set back waits for nothing
}

Result<Maintained> maintain(World& world) {
    Maintained done;
    for (const auto part :
         {back_up, forget_history, remove_releases, remove_run_folders, remove_states, keep_repositories, checkpoint}) {
        const auto worked = part(world, done);
        if (worked) continue;
        ++done.failures;
        world.warn("", "maintenance: " + worked.error().text);
    }
    if (auto noted = note(world, done); !noted) return fail(noted.error());
    return done;
}

}  // namespace orchd::engine
