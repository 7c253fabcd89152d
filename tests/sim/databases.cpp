#include "sim/databases.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "host/fd.h"
#include "sim/must.h"
#include "store/mark.h"

namespace orchd::sim {
namespace {

// Changes of a connection up to its last commit, to tell an empty one.
int before_statement(unsigned, void* changes_then, void* statement, void*) {
    auto* db = sqlite3_db_handle(static_cast<sqlite3_stmt*>(statement));
    if (sqlite3_get_autocommit(db) == 0) return 0;
    *static_cast<int*>(changes_then) = sqlite3_total_changes(db);
    if (Databases::hooks.before_statement != nullptr) Databases::hooks.before_statement();
    return 0;
}

struct Context {
    sqlite3* db;
    int* changes_then;
};
int before_commit(void* context) {
    const auto& c = *static_cast<Context*>(context);
    if (sqlite3_total_changes(c.db) == *c.changes_then || Databases::hooks.before_commit == nullptr) return 0;
    return Databases::hooks.before_commit() ? 0 : 1;
}

}  // namespace

Databases::Hooks Databases::hooks;

Databases::Databases(const std::string& folder) : path_(folder + "/orchd.db") {
    auto made = store::Db::open(path_, {.mode = store::Mode::create});
    if (!made) throw std::runtime_error(made.error().text);
    watching_ = open(false);
    clearing_ = open(false);
    auto* raw = clearing_->raw();
    sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    must(clearing_->execute("PRAGMA foreign_keys = OFF"));
    auto tables = clearing_->prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    must(tables->each([this](const store::Row& row) { clear_sql_ += "DELETE FROM " + row.text(0) + ';'; }));
    clear_sql_ = "BEGIN IMMEDIATE;" + clear_sql_ + "DELETE FROM sqlite_sequence;COMMIT;";
}

// No checkpoints on the way: one process could stand before its BEGIN, with the lock held, while another waits for it.
std::unique_ptr<store::Db> Databases::open(bool hooked) const {
    // Each seed begins with the same file emptied: what is known of the world before does not count.
    std::error_code ignored;
    std::filesystem::remove(store::mark_path(path_), ignored);
    auto db = store::Db::open(path_, {.checkpoint_pages = 0});
    if (!db) throw std::runtime_error(db.error().text);
    auto made = std::make_unique<store::Db>(std::move(*db));
    must(made->execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -8192"));  // nothing here is about a disk
    if (!hooked) return made;
    // Live as long as the connection, which is as long as the program.
    auto* changes = new int(0);
    sqlite3_trace_v2(made->raw(), SQLITE_TRACE_STMT, before_statement, changes);
    sqlite3_commit_hook(made->raw(), before_commit, new Context{made->raw(), changes});
    return made;
}

std::unique_ptr<store::Db> Databases::take() {
    if (idle_.empty()) return open(true);
    auto db = std::move(idle_.back());
    idle_.pop_back();
    return db;
}

// Mapped: read into memory of its own it would cost more than all else at a seed's end.
bool Databases::contains(std::string_view bytes) const {
    for (const auto* suffix : {"", "-wal"}) {
        const host::Fd file(::open((path_ + suffix).c_str(), O_RDONLY | O_CLOEXEC));
        struct stat seen {};
        if (!file.open() || ::fstat(file.get(), &seen) != 0 || seen.st_size == 0) continue;
        const auto size = static_cast<std::size_t>(seen.st_size);
        auto* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
        if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + path_ + suffix);
        const bool found = ::memmem(mapped, size, bytes.data(), bytes.size()) != nullptr;
        ::munmap(mapped, size);
        if (found) return true;
    }
    return false;
}

void Databases::clear() {
    must(clearing_->execute(clear_sql_));
    must(clearing_->checkpoint());
}

}  // namespace orchd::sim
