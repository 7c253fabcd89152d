#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

Status list(Session& session) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto leases = client->list("ListLeases", {}, lease_fields());
    if (!leases) return fail(leases.error());
    if (session.json) {
        session.document(to_json(*leases));
        return {};
    }
    if (leases->empty()) {
        session.line("No leases are held.");
        return {};
    }
    Table table({{"LEASE"}, {"WORK-ITEM"}, {"JOB", Align::right}, {"SINCE"}, {"KEY"}, {"UNIT"}});
    for (const auto& lease : *leases) {
        const auto job = lease.number("job");
        table.add({lease.text("kind"), lease.text("work_item"), job == 0 ? "-" : std::to_string(job),
                   local_time(lease.number("acquired_at")), lease.text("key"), lease.text("unit")});
    }
    session.table(table);
    return {};
}

}  // namespace

void add_lease(CLI::App& app, Session& session) {
    auto* lease = app.add_subcommand("lease", "Leases: who is in a transition, merges, or works on a target");
    lease->require_subcommand(1);
    auto* listing = lease->add_subcommand("list", "List the leases that are held");
    listing->callback([&session] { session.command = [&session] { return list(session); }; });
}

}  // namespace orchd::orchctl
