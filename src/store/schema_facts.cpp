// Schema 1, leases, effects, facts and the outside world. A migration is fixed text: later versions add migrations, never edit
// this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_1_leases = R"sql(
CREATE TABLE transition_leases (
    task_id INTEGER PRIMARY KEY REFERENCES tasks (id),
    run_id INTEGER REFERENCES runs (id),
    unit TEXT,
    invocation_id TEXT,
    pid INTEGER,
    boot_id TEXT,
    from_stage TEXT NOT NULL,
    fence INTEGER NOT NULL CHECK (fence >= 1),
    acquired_at INTEGER NOT NULL,
    -- all of an owner or nothing of it
    CHECK ((unit IS NULL) = (invocation_id IS NULL) AND (unit IS NULL) = (pid IS NULL) AND (unit IS NULL) = (boot_id IS NULL)
           AND (unit IS NOT NULL OR run_id IS NULL))
) STRICT;
CREATE INDEX transition_leases_held ON transition_leases (task_id) WHERE unit IS NOT NULL;
CREATE TRIGGER transition_leases_fence BEFORE UPDATE ON transition_leases
WHEN NEW.task_id <> OLD.task_id OR NEW.fence < OLD.fence
     OR (NEW.fence = OLD.fence AND NEW.unit IS NOT NULL
         AND (NEW.unit IS NOT OLD.unit OR NEW.invocation_id IS NOT OLD.invocation_id OR NEW.run_id IS NOT OLD.run_id))
BEGIN SELECT RAISE(ABORT, 'a fence only grows, and a new owner has a new one'); END;
CREATE TRIGGER transition_leases_kept BEFORE DELETE ON transition_leases
BEGIN SELECT RAISE(ABORT, 'a released lease keeps its row and fence'); END;

-- The owner of these two is a job: its run says which unit, invocation and boot.
CREATE TABLE merge_leases (
    repo TEXT PRIMARY KEY CHECK (repo <> ''),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    acquired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX merge_leases_task ON merge_leases (task_id);
CREATE TRIGGER merge_leases_insert BEFORE INSERT ON merge_leases
WHEN NEW.task_id IS NOT (SELECT task_id FROM jobs WHERE id = NEW.job_id)
BEGIN SELECT RAISE(ABORT, 'a lease''s job is its task''s'); END;
CREATE TRIGGER merge_leases_update BEFORE UPDATE ON merge_leases
WHEN NEW.task_id IS NOT (SELECT task_id FROM jobs WHERE id = NEW.job_id)
BEGIN SELECT RAISE(ABORT, 'a lease''s job is its task''s'); END;
CREATE TABLE target_leases (
    target TEXT PRIMARY KEY CHECK (target <> ''),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    acquired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX target_leases_task ON target_leases (task_id);
CREATE TRIGGER target_leases_insert BEFORE INSERT ON target_leases
WHEN NEW.task_id IS NOT (SELECT task_id FROM jobs WHERE id = NEW.job_id)
BEGIN SELECT RAISE(ABORT, 'a lease''s job is its task''s'); END;
CREATE TRIGGER target_leases_update BEFORE UPDATE ON target_leases
WHEN NEW.task_id IS NOT (SELECT task_id FROM jobs WHERE id = NEW.job_id)
BEGIN SELECT RAISE(ABORT, 'a lease''s job is its task''s'); END;

CREATE TABLE effects (
    key TEXT PRIMARY KEY CHECK (key GLOB task_id || '/[0-9]*/[0-9]*/?*'),  -- task/stage_seq/attempt/kind
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    state TEXT NOT NULL CHECK (state IN ('intended', 'done', 'abandoned')),
    fence INTEGER NOT NULL CHECK (fence >= 0),
    result TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER effects_settled BEFORE UPDATE ON effects
WHEN OLD.state <> 'intended' OR NEW.key <> OLD.key OR NEW.task_id <> OLD.task_id OR NEW.fence < OLD.fence
BEGIN SELECT RAISE(ABORT, 'an effect is settled once and never taken back'); END;
CREATE TRIGGER effects_begin BEFORE INSERT ON effects WHEN NEW.state <> 'intended'
BEGIN SELECT RAISE(ABORT, 'an effect is intended before it is settled'); END;
CREATE TRIGGER effects_kept BEFORE DELETE ON effects
BEGIN SELECT RAISE(ABORT, 'an effect on record stays'); END;
)sql";

const std::string_view schema_1_facts = R"sql(
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    stage_seq INTEGER NOT NULL CHECK (stage_seq >= 1),
    gate TEXT NOT NULL
        CHECK (gate IN ('check_artifacts_present', 'check_analysis_approved', 'check_architecture_done', 'check_ci_green',
                        'check_no_secrets', 'check_review_approved', 'check_tests_passed', 'check_coverage_ratchet',
                        'check_staging_image_fresh', 'check_staging_status', 'check_branch_mergeable', 'check_deploy_status')),
    colour TEXT NOT NULL CHECK (colour IN ('green', 'red', 'undecided')),
    reason TEXT NOT NULL,
    "commit" TEXT NOT NULL,
    patch_id TEXT NOT NULL,
    by TEXT NOT NULL CHECK (by <> ''),
    unusable INTEGER NOT NULL CHECK (unusable IN (0, 1)),
    at INTEGER NOT NULL,
    CHECK (unusable = 0 OR colour = 'red')
) STRICT;
CREATE INDEX verdicts_task ON verdicts (task_id, stage_seq, gate);
CREATE TRIGGER verdicts_kept BEFORE UPDATE ON verdicts
BEGIN SELECT RAISE(ABORT, 'a verdict is given, never changed: a newer one counts'); END;

CREATE TABLE statuses (
    project TEXT NOT NULL REFERENCES projects (name),
    "commit" TEXT NOT NULL CHECK ("commit" <> ''),
    context TEXT NOT NULL CHECK (context <> ''),
    state TEXT NOT NULL CHECK (state IN ('green', 'red', 'undecided')),
    description TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (project, "commit", context)
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    project TEXT NOT NULL REFERENCES projects (name),
    "commit" TEXT NOT NULL CHECK ("commit" <> ''),
    previous TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('built', 'live', 'replaced', 'failed', 'rolled_back')),
    at INTEGER NOT NULL,
    PRIMARY KEY (project, "commit")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX releases_one_live ON releases (project) WHERE state = 'live';

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL CHECK (channel <> ''),
    dedup_key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL CHECK (json_valid(body)),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    available_at INTEGER NOT NULL,
    available_boot INTEGER NOT NULL DEFAULT 0 CHECK (available_boot >= 0),
    available_boot_id TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done')),
    done_at INTEGER,
    CHECK (available_boot = 0 OR available_boot_id <> ''),
    CHECK ((state = 'done') = (done_at IS NOT NULL))
) STRICT;
CREATE INDEX outbox_pending ON outbox (channel) WHERE state = 'pending';
CREATE TRIGGER outbox_once BEFORE UPDATE OF state ON outbox WHEN OLD.state = 'done'
BEGIN SELECT RAISE(ABORT, 'what was delivered is not sent again'); END;

CREATE TABLE settings_state (
    key TEXT PRIMARY KEY CHECK (key <> ''),
    value TEXT NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (  -- task and job by number alone: the history outlives what it tells of
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL CHECK (actor <> ''),
    task_id INTEGER,
    job_id INTEGER,
    kind TEXT NOT NULL CHECK (kind <> ''),
    data TEXT NOT NULL CHECK (iif(json_valid(data), json_type(data) = 'object', 0))
) STRICT;
CREATE INDEX events_task ON events (task_id) WHERE task_id IS NOT NULL;
CREATE TRIGGER events_append_only BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
-- settings_state 'events_kept_from' is the UTC millisecond before which events may be pruned; without it none may.
CREATE TRIGGER events_retained BEFORE DELETE ON events
WHEN OLD.at >= coalesce((SELECT CAST(value AS INTEGER) FROM settings_state WHERE key = 'events_kept_from'), OLD.at)
BEGIN SELECT RAISE(ABORT, 'the history is kept for its retention'); END;
)sql";

// Tables of the outside world: webhooks, trackers, the watch after a deploy.
const std::string_view schema_1_outside = R"sql(
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL CHECK (source <> ''),
    dedup_key TEXT NOT NULL CHECK (dedup_key <> ''),
    body_hash TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'ignored', 'failed')),
    error TEXT NOT NULL DEFAULT '',
    CHECK (state = 'failed' OR error = '')
) STRICT;
-- A delivery that failed keeps no later one out.
CREATE UNIQUE INDEX deliveries_once ON deliveries (source, dedup_key) WHERE state <> 'failed';
CREATE INDEX deliveries_pending ON deliveries (id) WHERE state = 'pending';

CREATE TABLE windows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    opened_at INTEGER NOT NULL,
    closes_at INTEGER NOT NULL,
    counters TEXT NOT NULL DEFAULT '{}' CHECK (iif(json_valid(counters), json_type(counters) = 'object', 0)),
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'healthy', 'degraded')),
    CHECK (closes_at > opened_at)
) STRICT;
CREATE UNIQUE INDEX windows_one_open ON windows (task_id) WHERE state = 'open';
CREATE TRIGGER windows_closed BEFORE UPDATE OF state ON windows WHEN OLD.state <> 'open' AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'a window closes once'); END;

CREATE TABLE tracker_states (
    project TEXT NOT NULL REFERENCES projects (name),
    state_id TEXT NOT NULL CHECK (state_id <> ''),
    name TEXT NOT NULL,
    "group" TEXT NOT NULL CHECK ("group" IN ('backlog', 'unstarted', 'started', 'completed', 'cancelled', 'triage')),
    fetched_at INTEGER NOT NULL,
    PRIMARY KEY (project, state_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE baselines (
    project TEXT NOT NULL REFERENCES projects (name),
    metric TEXT NOT NULL CHECK (metric <> ''),
    value REAL NOT NULL,
    "commit" TEXT NOT NULL CHECK ("commit" <> ''),
    at INTEGER NOT NULL,
    PRIMARY KEY (project, metric)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER baselines_ratchet BEFORE UPDATE ON baselines
WHEN NEW.value < OLD.value OR (NEW.value <> OLD.value AND NEW."commit" = OLD."commit")
BEGIN SELECT RAISE(ABORT, 'a baseline moves up only, once for each merged commit'); END;
)sql";

}  // namespace orchd::store
