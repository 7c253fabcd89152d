#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "core/names.h"
#include "orchctl/commands.h"
#include "orchctl/host_config.h"
#include "store/check.h"
#include "store/db.h"

namespace orchd::orchctl {
namespace {

Status check(Session& session, const std::string& path) {
    auto db = store::Db::open(path, {.mode = store::Mode::read_only});
    if (!db) return fail(db.error());
    const auto problems = store::integrity_problems(*db);
    if (!problems) return fail(problems.error());
    return report(session, *problems, path + " is sound; schema version " + std::to_string(store::schema_version()) + ".");
}

}  // namespace

void add_db(CLI::App& app, Session& session) {
    auto* db = app.add_subcommand("db", "The database of this host");
    db->require_subcommand(1);
    const auto path = std::make_shared<std::string>(names::database);
    auto* checking = db->add_subcommand("check", "Read the whole database and check that it is sound");
    checking->add_option("--database", *path, "Another file than /var/lib/orchd/orchd.db");
    checking->callback([&session, path] { session.command = [&session, path] { return check(session, *path); }; });
}

}  // namespace orchd::orchctl
