#include "store/lost.h"

#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "store/backup.h"
#include "store/mark.h"

namespace orchd::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* advice =
    " Put a backup in its place with \"orchctl db restore FILE\" (\"orchctl db list\" names them), or begin with an empty "
    "database "
    "with \"orchctl db new\".";

bool is_there(const std::string& path) {
    struct stat seen {};
    return ::lstat(path.c_str(), &seen) == 0;
}

// An entry of the folder. One that may not be read shows by its links that it has folders in it, on most file systems.
std::optional<std::string> anything_in(const std::string& folder) {
    std::error_code error;
    const fs::directory_iterator entry(folder, error);
    if (!error && entry != fs::directory_iterator()) return entry->path().string();
    struct stat seen {};
    if (error && ::stat(folder.c_str(), &seen) == 0 && seen.st_nlink > 2) return folder + "/…";
    return std::nullopt;
}

// A backup, or the copy that a migration made.
std::optional<std::string> any_backup(const std::string& folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (name.ends_with(".db") || name.find(".db.schema-") != std::string::npos) return entry->path().string();
    }
    return std::nullopt;
}

std::optional<std::string> find_trace(const std::string& path, const OpenOptions& options, bool missing) {
    if (is_there(mark_path(path))) return mark_path(path);
    if (missing && is_there(path + "-wal")) return path + "-wal";
    if (!options.backup_dir.empty())
        if (auto backup = any_backup(options.backup_dir)) return backup;
    for (const auto& folder : options.traces)
        if (auto entry = anything_in(folder)) return entry;
    return std::nullopt;
}

std::string last(const Sequences& sequences, const std::string& table) {
    const auto found = sequences.find(table);
    return std::to_string(found == sequences.end() ? 0 : found->second);
}

// "run 17 and event 40", the ones that people meet.
std::string newest_of(const Sequences& sequences) {
    return "run " + last(sequences, "runs") + " and event " + last(sequences, "events");
}

Status require_ahead_of_backups(const Mark& open, const std::string& path, const std::string& backup_dir) {
    const auto backups = list_backups(backup_dir);
    if (!backups) return {};  // a folder that cannot be read has nothing to tell; the next backup will say so
    for (const auto& backup : *backups) {
        const auto known = mark_of_backup(backup.path);
        if (!known || !same_database(open, *known) || !is_behind(open.given_out, known->given_out)) continue;
        return fail(Errc::corrupt, path + " is behind its backup " + backup.path + ": it ends at " + newest_of(open.given_out) +
                                       ", the backup at " + newest_of(known->given_out) + "." + advice +
                                       " If it is the right one, move that backup away.");
    }
    return {};
}

}  // namespace

Status may_begin(const std::string& path, const OpenOptions& options, const std::string& how) {
    const auto trace = find_trace(path, options, how == "missing");
    if (!trace) return {};
    return fail(Errc::corrupt, "The database " + path + " is " + how + ", but there was one, as " + *trace +
                                   " shows: a new one would give its ids again and forget its tasks." + advice);
}

Status require_marked(sqlite3* db, const std::string& path, const std::string& backup_dir) {
    const auto mark = read_mark(path);  // before the database: what it says has been committed
    if (!mark) return fail(mark.error());
    const auto open = mark_of(db);
    if (!open) return fail(open.error());
    if (!*mark) return backup_dir.empty() ? Status{} : require_ahead_of_backups(*open, path, backup_dir);
    if (open->given_out.empty() && !(*mark)->given_out.empty()) return may_begin(path, {}, "empty");
    if (!same_database(*open, **mark))
        return fail(Errc::corrupt, path + " is another database than the one that was there." + advice);
    if (!is_behind(open->given_out, (*mark)->given_out)) return {};
    return fail(Errc::corrupt, path + " is an older copy of the database that was there: it ends at " +
                                   newest_of(open->given_out) + ", that one had come to " + newest_of((*mark)->given_out) +
                                   " at least." + advice);
}

Status require_under_its_wal(const std::string& path, const std::string& vfs) {
    struct stat wal {};
    if (::stat((path + "-wal").c_str(), &wal) != 0 || wal.st_size == 0) return {};  // then the file is all that is read
    const auto mark = read_mark(path);
    if (!mark) return fail(mark.error());
    if (!*mark || (*mark)->in_file.empty()) return {};
    Sequences there;
    // Twice, since somebody may be making a checkpoint: what is being written meanwhile is not seen half written again.
    for (int look = 0; look < 2; ++look) {
        auto read = sequences_in_file(path, vfs);
        if (!read) return {};  // cut off in a checkpoint, which is made again from the WAL, or damaged, which will be met
        if (!is_behind(*read, (*mark)->in_file)) return {};
        there = std::move(*read);
    }
    return fail(Errc::corrupt,
                path + " is an older copy of the database that was there: without its write-ahead log it ends at " +
                    newest_of(there) + ", and that one had come to " + newest_of((*mark)->in_file) + " at least." + advice);
}

Error taken_away(const std::string& path) {
    return {Errc::corrupt,
            "The database " + path + " was removed or replaced while it is in use: nothing more is written into it." + advice};
}

Error with_advice(Error error, const std::string& path) {
    if (error.code != Errc::corrupt || error.text.find("\"orchctl db restore") != std::string::npos) return error;
    if (error.by_database)
        error.text = path + " is damaged (" + error.text + ")." + advice;
    else if (is_there(mark_path(path)))
        error.text += '.' + std::string(advice);
    return error;
}

}  // namespace orchd::store
