#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "core/names.h"
#include "core/text.h"
#include "host/host.h"
#include "host/systemd.h"
#include "orchctl/commands.h"
#include "orchctl/host_config.h"
#include "store/backup.h"
#include "store/check.h"
#include "store/db.h"

namespace orchd::orchctl {
namespace {

struct DbOptions {
    std::string database{names::database}, file, directory{names::backups_dir};
};

Status check(Session& session, const std::string& path) {
    auto db = store::Db::open(path, {.mode = store::Mode::read_only});
    if (!db) return fail(db.error());
    const auto problems = store::integrity_problems(*db);
    if (!problems) return fail(problems.error());
    return report(session, *problems, path + " is sound; schema version " + std::to_string(store::schema_version()) + ".");
}

Status backup(Session& session, const DbOptions& given) {
    auto db = store::Db::open(given.database, {});
    if (!db) return fail(db.error());
    const auto made = store::back_up(*db, given.directory, store::backup_name(host::now().utc_ms));
    if (!made) return fail(made.error());
    if (session.json)
        session.document(boost::json::object{{"path", made->path}, {"bytes", made->bytes}});
    else
        session.line(made->path + " is made, read through and sound.");
    return {};
}

// What records the end of a run or a deploy that was stopped: started by that end, and gone within seconds.
bool ends_by_itself(const std::string& unit) {
    const auto stems = {names::finish_ok, names::finish_fail, names::deploy_ok, names::deploy_fail};
    const auto stem = std::string_view(unit).substr(0, unit.find('@'));
    return std::find(stems.begin(), stems.end(), stem) != stems.end();
}

// Fails while a service of ours is active: any of them may have the database open, or be about to. Waits for what ends by
// itself.
Status nobody_works(Session& session) {
    constexpr std::int64_t wait_ms = 60'000;
    const auto bus = host::open_system_bus();
    if (!bus) return {};  // no systemd, no units; whoever has the file open is seen by its lock
    host::Manager manager(**bus);
    const auto slots = manager.watch([](const std::string& /*unit*/) {});
    if (!slots) return fail(slots.error());
    Result<std::vector<std::string>> active;
    std::string waited_for;
    const auto settled = [&] {
        active = manager.active({"orchd-*.service"});
        if (!active || active->empty() || !std::all_of(active->begin(), active->end(), ends_by_itself)) return true;
        if (waited_for != active->front() && !session.json) {
            session.line("Waiting for " + active->front() + " ...");
            (void)session.flush();
        }
        waited_for = active->front();
        return false;
    };
    if (const auto done = host::process_until(**bus, settled, wait_ms); !done) return fail(done.error());
    if (!active) return fail(active.error());
    if (active->empty()) return {};
    return fail(Errc::conflict, joined(*active, ", ") + (active->size() == 1 ? " is" : " are") +
                                    " active. Stop everything first: systemctl stop orchd.target 'orchd-*'");
}

Status restore(Session& session, const DbOptions& given) {
    if (given.database == names::database)
        if (auto idle = nobody_works(session); !idle) return idle;
    const auto restored = store::restore_backup(given.file, given.database, store::backup_name(host::now().utc_ms));
    if (!restored) return fail(restored.error());
    if (session.json) {
        session.document(boost::json::object{{"schema_version", restored->version}, {"kept_as", restored->kept_as}});
        return {};
    }
    session.line(given.file + " is restored; schema version " + std::to_string(restored->version) + ".");
    if (!restored->kept_as.empty()) session.line("The database that was there is kept as " + restored->kept_as + ".");
    session.line("To go on: systemctl start orchd.target");
    return {};
}

Status begin_anew(Session& session, const DbOptions& given) {
    if (given.database == names::database)
        if (auto idle = nobody_works(session); !idle) return idle;
    const auto begun = store::begin_anew(given.database, given.directory, store::backup_name(host::now().utc_ms));
    if (!begun) return fail(begun.error());
    if (session.json) {
        session.document(boost::json::object{{"kept_as", begun->kept_as}});
        return {};
    }
    session.line(given.database + " is a new, empty database: no task is known, and no id is given again.");
    if (!begun->kept_as.empty()) session.line("The database that was there is kept as " + begun->kept_as + ".");
    session.line("Backups in " + given.directory + " stay; they are not counted among those of the new one.");
    session.line("To go on: systemctl start orchd.target");
    return {};
}

Status list_backups(Session& session, const DbOptions& given) {
    const auto backups = store::list_backups(given.directory);
    if (!backups) return fail(backups.error());
    if (session.json) {
        boost::json::array array;
        for (const auto& each : *backups) array.push_back({{"path", each.path}, {"bytes", each.bytes}});
        session.document(array);
        return {};
    }
    Table table({{"BYTES", Align::right}, {"PATH"}});
    for (const auto& each : *backups) table.add({std::to_string(each.bytes), each.path});
    if (table.empty()) session.line("There is no backup in " + given.directory + ".");
    session.table(table);
    return {};
}

}  // namespace

void add_db(Command app, Session& session) {
    const auto db = app.family("db", "The database of this host");
    const auto given = std::make_shared<DbOptions>();
    const auto add = [&](const char* name, const char* text, auto act) {
        const auto command = db.add(name, text);
        command.does([&session, given, act] { return act(session, *given); });
        return command;
    };
    constexpr const char* which = "Another file than /var/lib/orchd/orchd.db";
    constexpr const char* where = "Another folder than /var/lib/orchd/backups";
    add("check", "Read the whole database and check that it is sound", [](Session& s, const DbOptions& g) {
        return check(s, g.database);
    }).option("--database", given->database, which);
    const auto backing_up = add("backup", "Copy the database while it is in use, and read the copy through", backup);
    backing_up.option("--database", given->database, which);
    backing_up.option("--directory", given->directory, where);
    add("list", "List the backups, oldest first", list_backups).option("--directory", given->directory, where);
    const auto restoring = add("restore", "Put a backup in the database's place; nothing of orchd may be running", restore);
    restoring.option("--database", given->database, which);
    restoring.option("FILE", given->file, "The backup").required();
    const auto beginning =
        add("new", "Begin with an empty database; the one that is there is kept aside, nothing may be running", begin_anew);
    beginning.option("--database", given->database, which);
    beginning.option("--directory", given->directory, where);
}

}  // namespace orchd::orchctl
