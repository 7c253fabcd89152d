#include "store/backup.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "store/check.h"
#include "store/files.h"
#include "store/query.h"

namespace orchd::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".db";
constexpr std::string_view partial_suffix = ".db.partial";

// For the operator and the group, not for the world.
Status make_private(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
    ::close(fd);
    return {};
}

Status copy_into(Db& db, const std::string& partial) {
    if (auto made = make_private(partial); !made) return made;
    if (auto copied = write_rows(db, "VACUUM INTO ?", partial); !copied) return copied;
    if (auto sound = verify_backup(partial); !sound) return fail(sound.error());
    return sync_file(partial);
}

// Of this database, as far as that can be told.
bool is_own(const Mark& backup, const Mark& database) {
    return same_database(backup, database) && !is_behind(database.given_out, backup.given_out);
}

Status require_ahead(Db& db, const std::string& directory) {
    // First, so that the mark is never behind a backup.
    if (auto kept = keep_mark(db.raw(), db.path()); !kept) return kept;
    const auto now = mark_of(db.raw());
    if (!now) return fail(now.error());
    const auto backups = list_backups(directory);
    if (!backups) return fail(backups.error());
    for (const auto& backup : *backups) {
        const auto known = mark_of_backup(backup.path);
        if (known && same_database(*known, *now) && !is_own(*known, *now))
            return fail(Errc::conflict, "no backup is made, since the database is behind " + backup.path +
                                            ": put that back with \"orchctl db restore\", or move it away");
    }
    return {};
}

}  // namespace

std::string backup_name(std::int64_t utc_ms) {
    const std::time_t seconds = utc_ms / 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto length = std::strftime(text.data(), text.size(), "orchd-%Y%m%dT%H%M%SZ", &parts);
    return {text.data(), length};
}

Result<Backup> back_up(Db& db, const std::string& directory, const std::string& name) {
    const auto path = directory + '/' + name + std::string(suffix);
    const auto partial = directory + '/' + name + std::string(partial_suffix);
    std::error_code ignored;
    if (fs::exists(path, ignored)) return fail(Errc::conflict, path + " is there already");
    if (auto ahead = require_ahead(db, directory); !ahead) return fail(ahead.error());
    ::unlink(partial.c_str());
    auto copied = copy_into(db, partial);
    if (copied) copied = rename_durably(partial, path);
    if (!copied) {
        ::unlink(partial.c_str());
        return fail(copied.error());
    }
    return Backup{path, static_cast<std::int64_t>(fs::file_size(path, ignored))};
}

Result<std::vector<Backup>> list_backups(const std::string& directory) {
    std::error_code error;
    std::vector<Backup> backups;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
        const auto path = entry->path().string();
        std::error_code gone;
        const auto size = fs::file_size(path, gone);
        if (path.ends_with(suffix) && !gone) backups.push_back({path, static_cast<std::int64_t>(size)});
    }
    if (error) return fail(Errc::io, directory + ": " + error.message());
    std::sort(backups.begin(), backups.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return backups;
}

Result<Mark> mark_of_backup(const std::string& path) {
    auto db = Db::open(path, {.mode = Mode::inspect});
    if (!db) return fail(db.error());
    return mark_of(db->raw());
}

Result<int> prune_backups(Db& db, const std::string& directory, int keep) {
    auto backups = list_backups(directory);
    if (!backups) return fail(backups.error());
    const auto now = mark_of(db.raw());
    if (!now) return fail(now.error());
    std::erase_if(*backups, [&](const Backup& backup) {
        const auto known = mark_of_backup(backup.path);
        return !known || !is_own(*known, *now);
    });
    int removed = 0;
    for (auto left = std::ssize(*backups); left > keep; --left, ++removed) {
        const auto& oldest = (*backups)[static_cast<std::size_t>(removed)].path;
        if (::unlink(oldest.c_str()) != 0) return fail(Errc::io, oldest + ": " + std::strerror(errno));
    }
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().string().ends_with(partial_suffix)) ::unlink(entry->path().c_str());
    return removed;
}

Result<int> verify_backup(const std::string& path) {
    auto db = Db::open(path, {.mode = Mode::inspect});
    if (!db) return fail(db.error());
    auto problems = integrity_problems(*db);
    if (!problems) return fail(problems.error());
    if (!problems->empty()) return fail(Errc::corrupt, path + " is damaged: " + problems->front());
    return file_version(*db);
}

}  // namespace orchd::store
