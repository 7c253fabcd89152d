#include <boost/json.hpp>
#include <memory>

#include "core/work_item.h"
#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"
#include "orchctl/reason.h"

namespace orchd::orchctl {
namespace {

Status list_leases(Session& session) {
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

struct Release {
    std::string key;
    Reason reason;
    bool force = false;
};

Status release(Session& session, const Release& given) {
    const auto reason = said(given.reason, Wanted::yes);
    if (!reason) return fail(reason.error());
    const bool transition = WorkItem::parse(given.key).has_value();
    Options options;
    if (given.force) options.emplace_back("force", true);
    return act(session, transition ? "ReleaseTransitionLease" : "ReleaseMergeLease", {given.key, *reason, options},
               "Released the lease of " + given.key + ".");
}

}  // namespace

void add_lease(Command app, Session& session) {
    const auto lease = app.family("lease", "Leases: who is in a transition, merges, or works on a target");
    const auto given = std::make_shared<Release>();
    const auto releasing = lease.add("release", "Take a lease from its owner, who must be dead unless it is forced");
    releasing.option("KEY", given->key, "A work item, for its transition; a repository or target, as 'lease list' shows it")
        .required();
    take_reason(releasing, given->reason, "Why, for its history");
    releasing.flag("--force", given->force, "Also from a living owner, whose unit is stopped first");
    releasing.does([&session, given] { return release(session, *given); });
    const auto listing = lease.add("list", "List the leases that are held");
    listing.does([&session] { return list_leases(session); });
}

void add_reap(Command app, Session& session) {
    app.add("reap", "Look at once at everything that runs, and put right what died").does([&session] {
        return act(session, "Reap", {}, "The reaper was started.");
    });
}

}  // namespace orchd::orchctl
