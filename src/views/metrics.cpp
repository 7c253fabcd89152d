#include <algorithm>
#include <array>
#include <map>

#include "engine/astray.h"
#include "store/deliveries.h"
#include "store/facts.h"
#include "store/leases.h"
#include "store/stalls.h"
#include "store/tasks.h"
#include "store/totals.h"
#include "views/exposition.h"
#include "views/views.h"

namespace orchd::views {
namespace {

using enum MetricType;

Status add_host(const WorldView& view, Exposition& text) {
    text.family({"orchd_build", info, "The version of orchd that answers."});
    text.sample({{"version", ORCHD_VERSION}}, 1);
    text.single({"orchd_schema_version", gauge, "Schema version of the database."}, store::schema_version());
    const auto paused = store::find_state(view.db, "paused");
    if (!paused) return fail(paused.error());
    text.single({"orchd_paused", gauge, "1 while everything is paused."}, paused->has_value() ? 1 : 0);
    text.single({"orchd_concurrency_limit", gauge, "Runs that may be under way at the same time."},
                view.settings.max_concurrency);
    const settings::Condition condition = view.condition == nullptr ? settings::Condition() : *view.condition;
    text.single({"orchd_settings_valid", gauge,
                 "1 while the settings' files are right; 0 while the last good ones are in force, or none."},
                condition.state == settings::Condition::State::in_force ? 1 : 0);
    text.single({"orchd_settings_generation", gauge,
                 "Changes of the good settings and projects in this boot; 0 while none are on record."},
                condition.generation);
    text.single({"orchd_disk_free_bytes", gauge, "Free space of the file system that holds the database.", "bytes"},
                view.free_bytes);
    // Of a file system that keeps no count there is nothing to tell.
    if (view.inodes.free != Inodes{}.free)
        text.single({"orchd_disk_free_inodes", gauge, "Free inodes of the file system that holds the database."},
                    view.inodes.free);
    return {};
}

Status add_queue(const WorldView& view, Exposition& text) {
    const auto counts = store::queue_counts(view.db);
    if (!counts) return fail(counts.error());
    text.family({"orchd_jobs", gauge, "Live jobs by their status."});
    text.sample({{"status", "queued"}}, counts->queued);
    text.sample({{"status", "running"}}, counts->running);
    text.sample({{"status", "stopping"}}, counts->stopping);
    text.single({"orchd_jobs_blocked", gauge, "Queued jobs that wait for a pause, a hold or another task."}, counts->blocked);
    return {};
}

Status add_projects(const WorldView& view, Exposition& text) {
    const auto projects = project_views(view.db, view.projects);
    if (!projects) return fail(projects.error());
    text.family({"orchd_project_tasks_open", gauge, "Tasks of the project that are neither done nor cancelled."});
    for (const auto& p : *projects) text.sample({{"project", p.name}}, p.counts.open_tasks);
    text.family({"orchd_project_jobs", gauge, "Live jobs of the project; running counts those that are stopped too."});
    for (const auto& p : *projects) {
        text.sample({{"project", p.name}, {"status", "queued"}}, p.counts.queued);
        text.sample({{"project", p.name}, {"status", "running"}}, p.counts.running);
    }
    text.family({"orchd_project_paused", gauge, "1 while the project is paused."});
    for (const auto& p : *projects) text.sample({{"project", p.name}}, p.paused ? 1 : 0);
    text.family({"orchd_project_refused", gauge, "1 while the project's file is not accepted, or is not there."});
    for (const auto& p : *projects) text.sample({{"project", p.name}}, p.problem.empty() ? 0 : 1);
    return {};
}

// Counted in the operator state, and told under names of their own.
constexpr auto failures = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"prepare", "prepare_failures_total"},
    {"finish", "finish_failures_total"},
});

// What stands still, and whether there is anybody to do something about it.
Status add_standstill(const WorldView& view, Exposition& text) {
    if (view.worker_lives)
        text.single({"orchd_worker_alive", gauge, "1 while a worker is there that starts what is queued."},
                    *view.worker_lives ? 1 : 0);
    const auto needing = store::count_needing_human(view.db);
    if (!needing) return fail(needing.error());
    text.single({"orchd_needs_you", gauge, "Open tasks that wait for a person."}, *needing);
    const auto oldest = store::oldest_start(view.db);
    if (!oldest) return fail(oldest.error());
    text.family(
        {"orchd_oldest_running_job_age_seconds", gauge, "How long the oldest running job has run; 0 for none.", "seconds"});
    text.sample_seconds({}, *oldest ? std::max<std::int64_t>(view.now.utc_ms - **oldest, 0) : 0);
    const auto stalled = store::count_stalled(view.db);
    if (!stalled) return fail(stalled.error());
    text.family({"orchd_runs_stalled", gauge, "Live jobs whose run cannot begin or end, by which of them."});
    text.sample({{"part", "beginning"}}, stalled->beginnings);
    text.sample({{"part", "end"}}, stalled->ends);
    text.family(
        {"orchd_run_failures", counter, "Tries to begin or end a run that came to nothing, by the program that tried."});
    for (const auto& [program, key] : failures) {
        const auto row = store::find_state(view.db, std::string(key));
        if (!row) return fail(row.error());
        text.sample({{"program", program}}, store::number_of(*row));
    }
    const auto backup = store::find_state(view.db, "last_backup");
    if (!backup) return fail(backup.error());
    if (!*backup) return {};
    text.family({"orchd_backup_age_seconds", gauge,
                 "How old the newest backup of a maintenance pass is; not told before the first.", "seconds"});
    text.sample_seconds({}, std::max<std::int64_t>(view.now.utc_ms - (*backup)->at, 0));
    return {};
}

Status add_counts(Exposition& text, const MetricFamily& family, std::string_view label,
                  const Result<std::vector<store::Count>>& counts) {
    if (!counts) return fail(counts.error());
    text.family(family);
    for (const auto& [word, n] : *counts) text.sample({{label, word}}, n);
    return {};
}

Status add_standing(const WorldView& view, Exposition& text) {
    auto added =
        add_counts(text, {"orchd_tasks_held", gauge, "Tasks that are held, by hold."}, "hold", store::held_tasks(view.db));
    if (!added) return added;
    added = add_counts(text, {"orchd_tasks_waiting", gauge, "Tasks whose gate waits for something, by what."}, "waits_for",
                       store::waiting_counts(view.db));
    if (!added) return added;
    added = add_counts(text, {"orchd_outbox_pending", gauge, "Messages that are not delivered yet, by channel."}, "channel",
                       store::pending_posts(view.db));
    if (!added) return added;
    const auto leases = lease_views(view.db);
    if (!leases) return fail(leases.error());
    text.family({"orchd_leases_held", gauge, "Leases that are held, by kind."});
    for (const std::string_view kind : {"transition", "merge", "target"})
        text.sample({{"kind", kind}},
                    std::count_if(leases->begin(), leases->end(), [&](const auto& lease) { return lease.kind == kind; }));
    return {};
}

Status add_reaper(const WorldView& view, Exposition& text) {
    const auto pass = store::find_state(view.db, "reaper_pass");
    if (!pass) return fail(pass.error());
    text.family({"orchd_reaper_last_pass_timestamp_seconds", gauge, "When the reaper's timer last made a pass; 0 for never.",
                 "seconds"});
    text.sample_seconds({}, *pass ? (*pass)->at : 0);
    return {};
}

Status add_deliveries(const WorldView& view, Exposition& text) {
    const auto counts = store::count_deliveries(view.db);
    if (!counts) return fail(counts.error());
    text.family({"orchd_deliveries", gauge, "Webhook deliveries on record, by what became of them."});
    for (const auto& [state, n] : {std::pair{"pending", counts->pending},
                                   {"done", counts->done},
                                   {"ignored", counts->ignored},
                                   {"failed", counts->failed},
                                   {"refused", counts->refused}})
        text.sample({{"state", state}}, n);
    const auto oldest = store::oldest_pending_delivery(view.db);
    if (!oldest) return fail(oldest.error());
    text.family({"orchd_deliveries_pending_age_seconds", gauge, "How long the oldest pending delivery has waited.", "seconds"});
    text.sample_seconds({}, *oldest ? std::max<std::int64_t>(view.now.utc_ms - **oldest, 0) : 0);
    const auto stories = engine::astray_stories(view.db, view.projects);
    if (!stories) return fail(stories.error());
    text.single({"orchd_repositories_astray", gauge, "Repositories whose deliveries lead to no project."},
                static_cast<std::int64_t>(stories->size()));
    return {};
}

Status add_totals(const WorldView& view, Exposition& text) {
    const auto totals = store::totals(view.db);
    if (!totals) return fail(totals.error());
    const auto add = [&](const MetricFamily& family, std::string_view what, const auto& sample) {
        text.family(family);
        for (const auto& total : *totals)
            if (total.what == what) sample(total);
    };
    add({"orchd_tasks_created", counter, "Tasks ever created."}, "tasks_created",
        [&](const store::Total& t) { text.sample({}, t.n); });
    add({"orchd_stages_entered", counter, "How often a task entered the stage."}, "stages_entered", [&](const store::Total& t) {
        text.sample({{"stage", t.word}}, t.n);
    });
    add({"orchd_jobs_ended", counter, "Jobs that ended, by role and last status."}, "jobs_ended", [&](const store::Total& t) {
        text.sample({{"role", t.word}, {"status", t.ended}}, t.n);
    });
    add({"orchd_runs_ended", counter, "Runs that ended, by how."}, "runs_ended", [&](const store::Total& t) {
        text.sample({{"exit", t.word}}, t.n);
    });
    const auto events = store::events_appended(view.db);
    if (!events) return fail(events.error());
    text.single({"orchd_events", counter, "Events of the history ever appended."}, *events);
    return {};
}

// What the systems count in the operator state, each under its own name.
Status add_counters(const WorldView& view, Exposition& text) {
    constexpr std::string_view ending = "_total";
    const auto rows = store::all_state(view.db);
    if (!rows) return fail(rows.error());
    bool refusals = false;
    for (const auto& row : *rows) {
        refusals = refusals || row.key == store::refused_total;
        const bool plain = row.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
        const bool told = std::any_of(failures.begin(), failures.end(), [&](const auto& f) { return f.second == row.key; });
        if (!plain || told || !row.key.ends_with(ending)) continue;
        const auto name = "orchd_" + row.key.substr(0, row.key.size() - ending.size());
        text.single({name, counter, "Kept in the database under this name."}, store::number_of(row));
    }
    // There before the first, so that who watches it sees that one too.
    if (!refusals) text.single({"orchd_deliveries_refused", counter, "Kept in the database under this name."}, 0);
    return {};
}

void add_answers(const HttpAnswers& answers, Exposition& text) {
    text.family({"orchd_http_answers", counter, "Requests that the listener answered since it started, by status."});
    for (const auto& [status, n] : answers) text.sample({{"status", std::to_string(status)}}, n);
}

}  // namespace

Result<std::string> metrics_text(const WorldView& view, const HttpAnswers& answers, MetricsFormat format) {
    return view.db.read([&](store::Db&) -> Result<std::string> {
        Exposition text(format);
        for (const auto part : {add_host, add_queue, add_standstill, add_projects, add_standing, add_reaper, add_deliveries,
                                add_totals, add_counters})
            if (auto added = part(view, text); !added) return fail(added.error());
        add_answers(answers, text);
        return std::move(text).finish();
    });
}

}  // namespace orchd::views
