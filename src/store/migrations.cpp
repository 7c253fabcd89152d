#include "store/migrations.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "store/connection.h"
#include "store/files.h"
#include "store/schema.h"

namespace orchd::store {
namespace {

constexpr std::int64_t application_id = 0x6f726364;  // "orcd"

Status copy_database(sqlite3* from, const std::string& to) {
    const auto target = open_bare(to);
    if (!target) return fail(target.error());
    sqlite3_backup* backup = sqlite3_backup_init(target->get(), "main", from, "main");
    if (backup == nullptr) return fail(error_of(target->get()));
    sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK) return fail(error_of(target->get()));  // reports the step's error too
    return {};
}

// Written beside its name and renamed, so that a backup that is there is whole.
Status back_up(sqlite3* db, const std::string& path, const std::string& backup_dir, int version) {
    const auto directory = backup_dir.empty() ? std::filesystem::path(path).parent_path() : std::filesystem::path(backup_dir);
    const auto name = std::filesystem::path(path).filename().string() + ".schema-" + std::to_string(version);
    const auto final_path = (directory / name).string();
    const auto partial = final_path + ".partial";
    ::unlink(partial.c_str());
    // For the operator and the group, not for the world.
    const int fd = ::open(partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) return fail(Errc::io, partial + ": " + std::strerror(errno));
    ::close(fd);
    if (auto copied = copy_database(db, partial); !copied) return copied;
    return rename_durably(partial, final_path);
}

Status apply(sqlite3* db, const Migration& step) {
    if (auto begun = execute(db, "BEGIN IMMEDIATE"); !begun) return begun;
    auto applied = execute(db, step.sql + ";PRAGMA application_id = " + std::to_string(application_id) +
                                   ";PRAGMA user_version = " + std::to_string(step.version) + ";COMMIT;");
    if (!applied && sqlite3_get_autocommit(db) == 0) (void)execute(db, "ROLLBACK");
    return applied;
}

}  // namespace

const std::vector<Migration>& migrations() {
    static const std::vector<Migration> all = [] {
        std::string schema;
        for (const auto part : {schema_1_tasks, schema_1_jobs, schema_1_leases, schema_1_facts, schema_1_outside})
            schema += part;
        return std::vector<Migration>{{1, std::move(schema)},
                                      {2, std::string(schema_2_deliveries)},
                                      {3, std::string(schema_3_totals)},
                                      {4, std::string(schema_4_ticks)},
                                      {5, std::string(schema_5_seen)},
                                      {6, std::string(schema_intake)},
                                      {7, std::string(schema_identity)},
                                      {8, std::string(schema_priority)},
                                      {9, std::string(schema_later)},
                                      {10, std::string(schema_stalls)},
                                      {11, std::string(schema_numbers)},
                                      {12, std::string(schema_stalls_of_both)}};
    }();
    return all;
}

Result<int> read_version(sqlite3* db) {
    auto owner = query_integer(db, "PRAGMA application_id");
    if (!owner) return fail(owner.error());
    auto version = query_integer(db, "PRAGMA user_version");
    if (!version) return fail(version.error());
    if (*owner == application_id) return static_cast<int>(*version);
    auto tables = query_integer(db, "SELECT count(*) FROM sqlite_schema");
    if (!tables) return fail(tables.error());
    if (*owner != 0 || *version != 0 || *tables != 0)
        return fail(Errc::corrupt, std::string(sqlite3_db_filename(db, "main")) + " is a database of another program");
    return 0;
}

Status refuse_newer(int version, int known, const std::string& path) {
    if (version <= known) return {};
    return fail_by_database(Errc::too_new, path + " has schema " + std::to_string(version) +
                                               ", this program knows schemas up to " + std::to_string(known) +
                                               ": install the newer orchd again, or restore a backup");
}

Status migrate(sqlite3* db, const std::string& path, const std::string& backup_dir, std::span<const Migration> steps) {
    auto version = read_version(db);
    if (!version) return fail(version.error());
    if (auto fits = refuse_newer(*version, steps.back().version, path); !fits) return fits;
    if (*version == steps.back().version) return {};
    if (*version > 0) {
        if (auto kept = back_up(db, path, backup_dir, *version); !kept) return kept;
    }
    for (const auto& step : steps.subspan(static_cast<std::size_t>(*version))) {
        if (auto applied = apply(db, step); !applied) return applied;
    }
    return {};
}

}  // namespace orchd::store
