#include <algorithm>
#include <filesystem>
#include <set>

#include "core/boundary.h"
#include "core/shapes.h"
#include "engine/maintain_parts.h"
#include "store/jobs.h"
#include "store/retention.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

namespace fs = std::filesystem;

// The commit of "COMMIT.tar", and of what a finish that died while it copied left of one; empty for files that are not ours.
std::string commit_of(const fs::path& file) {
    auto name = file.filename().string();
    for (const std::string_view end : {".new", ".tar"})
        if (name.ends_with(end)) name.resize(name.size() - end.size());
    const bool release = file.extension() == ".tar" || file.filename().string().ends_with(".tar.new");
    return release && is_commit_id(name) ? name : std::string();
}

// A build that is under way lays its file before its row.
Result<bool> builds(store::Db& db, const std::string& project) {
    const auto at_work = store::live_jobs(db);
    if (!at_work) return fail(at_work.error());
    return std::any_of(at_work->begin(), at_work->end(),
                       [&](const store::Claim& claim) { return claim.project == project && claim.job.role == Role::build; });
}

Status remove_stale(World& world, const std::string& project, Maintained& done) {
    auto stale = store::stale_releases(world.db, project, static_cast<int>(world.settings.releases_kept));
    if (!stale) return fail(stale.error());
    for (const auto& commit : *stale) {
        std::error_code error;
        if (fs::remove(world.paths.releases_dir + '/' + project + '/' + commit + ".tar", error)) ++done.releases;
        if (error) return fail(Errc::io, "release " + commit + " of " + project + ": " + error.message());
    }
    return {};
}

// In a write transaction, so that no build is claimed between the look and the removal.
Status remove_unknown(World& world, const fs::path& folder, Maintained& done) {
    const auto project = folder.filename().string();
    boundary("maintain.releases.before");
    auto removed = world.db.write([&](store::Tx& tx) -> Result<int> {
        auto building = builds(tx.db(), project);
        if (!building) return fail(building.error());
        if (*building) return 0;
        auto listed = store::release_commits(tx.db(), project);
        if (!listed) return fail(listed.error());
        const std::set<std::string> known(listed->begin(), listed->end());
        int count = 0;
        std::error_code error;
        std::vector<fs::path> files;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
            files.push_back(entry->path());
        for (auto file = files.begin(); !error && file != files.end(); ++file) {
            const auto commit = commit_of(*file);
            const bool whole = file->extension() == ".tar";
            if (!commit.empty() && !(whole && known.contains(commit)) && fs::remove(*file, error)) ++count;
        }
        if (error) return fail(Errc::io, folder.string() + ": " + error.message());
        return count;
    });
    if (!removed) return fail(removed.error());
    boundary("maintain.releases.after");
    done.releases += *removed;
    return {};
}

}  // namespace

Status remove_releases(World& world, Maintained& done) {
    std::error_code error;
    std::vector<fs::path> folders;
    for (fs::directory_iterator entry(world.paths.releases_dir, error), end; !error && entry != end; entry.increment(error))
        if (entry->is_directory(error)) folders.push_back(entry->path());
    if (error && error != std::errc::no_such_file_or_directory)
        return fail(Errc::io, world.paths.releases_dir + ": " + error.message());
    for (const auto& folder : folders) {
        auto removed = remove_stale(world, folder.filename().string(), done);
        if (removed) removed = remove_unknown(world, folder, done);
        if (!removed) return removed;
        if (fs::is_empty(folder, error)) fs::remove(folder, error);
    }
    return {};
}

}  // namespace orchd::engine
