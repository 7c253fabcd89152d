// Schema 1, projects, tasks, the queue and its runs. A migration is fixed text: later versions add migrations, never edit this
// one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_1_tasks = R"sql(
CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
        CHECK (name GLOB '[a-z]*' AND name NOT GLOB '*[^a-z0-9-]*' AND name NOT GLOB '*-' AND length(name) <= 31),
    paused_at INTEGER,
    paused_by TEXT NOT NULL DEFAULT '',
    pause_reason TEXT NOT NULL DEFAULT '',
    frozen_at INTEGER,
    frozen_by TEXT NOT NULL DEFAULT '',
    freeze_reason TEXT NOT NULL DEFAULT '',
    served INTEGER NOT NULL DEFAULT 0 CHECK (served >= 0),              -- when a run of it was last claimed, as a counter
    served_steps INTEGER NOT NULL DEFAULT 0 CHECK (served_steps >= 0),  -- the same of its steps, which have slots of their own
    CHECK (paused_at IS NOT NULL OR (paused_by = '' AND pause_reason = '')),
    CHECK (frozen_at IS NOT NULL OR (frozen_by = '' AND freeze_reason = ''))
) STRICT;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    work_item TEXT NOT NULL UNIQUE  -- on the host, and so within its project: it names units and users
        CHECK (work_item GLOB '[A-Z]*-[0-9]*' AND instr(work_item, '-') BETWEEN 2 AND 15
               AND substr(work_item, 1, instr(work_item, '-') - 1) NOT GLOB '*[^A-Z0-9]*'
               AND substr(work_item, instr(work_item, '-') + 1) NOT GLOB '*[^0-9]*'
               AND length(work_item) - instr(work_item, '-') BETWEEN 1 AND 10),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    branch TEXT NOT NULL CHECK (branch <> ''),
    stage TEXT NOT NULL
        CHECK (stage IN ('analysis', 'architecture', 'development', 'review', 'testing', 'deploy-staging', 'deploy', 'done',
                         'cancelled')),
    stage_seq INTEGER NOT NULL CHECK (stage_seq >= 1),
    retries_developer INTEGER NOT NULL DEFAULT 0 CHECK (retries_developer >= 0),
    retries_again INTEGER NOT NULL DEFAULT 0 CHECK (retries_again >= 0),
    retries_infrastructure INTEGER NOT NULL DEFAULT 0 CHECK (retries_infrastructure >= 0),
    retries_conflict INTEGER NOT NULL DEFAULT 0 CHECK (retries_conflict >= 0),
    hold TEXT NOT NULL DEFAULT 'none' CHECK (hold IN ('none', 'escalated', 'blocked', 'needs_input', 'infra', 'human')),
    hold_reason TEXT NOT NULL DEFAULT '',
    paused_at INTEGER,
    paused_by TEXT NOT NULL DEFAULT '',
    pause_reason TEXT NOT NULL DEFAULT '',
    waiting_for TEXT NOT NULL DEFAULT '',
    waiting_reason TEXT NOT NULL DEFAULT '',
    waiting_since INTEGER,
    again_reason TEXT NOT NULL DEFAULT '',
    head TEXT NOT NULL DEFAULT '',
    merged TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (hold <> 'none' OR hold_reason = ''),
    CHECK (paused_at IS NOT NULL OR (paused_by = '' AND pause_reason = '')),
    CHECK ((waiting_since IS NULL) = (waiting_for = ''))
) STRICT;
CREATE INDEX tasks_open ON tasks (project_id) WHERE stage NOT IN ('done', 'cancelled');
CREATE INDEX tasks_held ON tasks (hold) WHERE hold <> 'none';
CREATE INDEX tasks_waiting ON tasks (waiting_for, project_id) WHERE waiting_for <> '';

CREATE TRIGGER tasks_stage_seq BEFORE UPDATE OF stage, stage_seq ON tasks
WHEN NEW.stage_seq <> OLD.stage_seq + 1 AND (NEW.stage_seq <> OLD.stage_seq OR NEW.stage <> OLD.stage)
BEGIN SELECT RAISE(ABORT, 'stage_seq grows by exactly one with each stage write'); END;
CREATE TRIGGER tasks_terminal BEFORE UPDATE OF stage, stage_seq ON tasks
WHEN OLD.stage IN ('done', 'cancelled') AND (NEW.stage <> OLD.stage OR NEW.stage_seq <> OLD.stage_seq)
BEGIN SELECT RAISE(ABORT, 'a task that is done or cancelled moves no more'); END;
CREATE TRIGGER tasks_identity BEFORE UPDATE OF id, project_id, work_item ON tasks
WHEN NEW.id <> OLD.id OR NEW.project_id <> OLD.project_id OR NEW.work_item <> OLD.work_item
BEGIN SELECT RAISE(ABORT, 'a task keeps its id, project and work item'); END;

CREATE TABLE deps (
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    needs_task_id INTEGER NOT NULL REFERENCES tasks (id),
    source TEXT NOT NULL,
    PRIMARY KEY (task_id, needs_task_id),
    CHECK (task_id <> needs_task_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deps_needed ON deps (needs_task_id);
CREATE TRIGGER deps_edge BEFORE UPDATE OF task_id, needs_task_id ON deps
BEGIN SELECT RAISE(ABORT, 'an edge is added or removed, never bent'); END;
)sql";

const std::string_view schema_1_jobs = R"sql(
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    project_id INTEGER NOT NULL REFERENCES projects (id),
    stage_seq INTEGER NOT NULL CHECK (stage_seq >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'check', 'advance', 'deploy')),
    role TEXT NOT NULL
        CHECK (role IN ('analyst', 'architect', 'developer', 'reviewer', 'tester', 'ci', 'test', 'staging', 'retest', 'build',
                        'step', 'deploy')),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'stopping', 'done', 'failed', 'cancelled')),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
    available_at INTEGER NOT NULL,
    available_boot INTEGER NOT NULL CHECK (available_boot >= 0),  -- 0: at once, in any boot
    available_boot_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
    -- One live job a task runs a unit; of advances one is queued and one running. Nobody can write another key.
    unique_key TEXT NOT NULL GENERATED ALWAYS AS
        (CASE WHEN kind <> 'advance' THEN 'run:' WHEN status = 'queued' THEN 'advance:' ELSE 'advancing:' END || task_id) VIRTUAL,
    run_id INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    "commit" TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    created_at INTEGER NOT NULL,
    CHECK (kind = CASE role WHEN 'step' THEN 'advance' WHEN 'deploy' THEN 'deploy' WHEN 'ci' THEN 'check'
                            WHEN 'test' THEN 'check' WHEN 'staging' THEN 'check' WHEN 'retest' THEN 'check'
                            WHEN 'build' THEN 'check' ELSE 'agent' END),
    CHECK (available_boot = 0 OR available_boot_id <> ''),
    CHECK ((run_id IS NULL) = (started_at IS NULL)),
    CHECK (status <> 'queued' OR (run_id IS NULL AND started_at IS NULL)),
    CHECK (status NOT IN ('running', 'stopping', 'done', 'failed') OR (run_id IS NOT NULL AND started_at IS NOT NULL)),
    CHECK ((status IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK (blocked = 0 OR status = 'queued')
) STRICT;
CREATE UNIQUE INDEX jobs_one_live ON jobs (unique_key) WHERE status IN ('queued', 'running', 'stopping');
-- What a claim walks: lane by lane, each in its order.
CREATE INDEX jobs_claimable ON jobs (project_id, role, priority DESC, available_boot, id) WHERE status = 'queued' AND blocked = 0;
CREATE INDEX jobs_blocked ON jobs (project_id) WHERE status = 'queued' AND blocked = 1;
CREATE INDEX jobs_running ON jobs (project_id, role) WHERE status IN ('running', 'stopping');
CREATE INDEX jobs_task ON jobs (task_id);
-- Always empty in a database of ours: a row here was written without the CHECKs (heal_impossible_queued).
CREATE INDEX jobs_impossible ON jobs (id) WHERE status = 'queued' AND (run_id IS NOT NULL OR started_at IS NOT NULL OR finished_at IS NOT NULL);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    unit TEXT NOT NULL CHECK (unit <> ''),
    boot_id TEXT NOT NULL,
    invocation_id TEXT NOT NULL DEFAULT '',
    started_at INTEGER NOT NULL,
    started_boot INTEGER NOT NULL,
    prepared_at INTEGER,
    exit_kind TEXT CHECK (exit_kind IN ('exited', 'killed', 'dumped', 'timeout', 'lost')),
    exit_status INTEGER,
    exited_at INTEGER,
    finished_at INTEGER,
    dead_ticks INTEGER NOT NULL DEFAULT 0 CHECK (dead_ticks >= 0),
    usage TEXT NOT NULL DEFAULT '',
    head_before TEXT NOT NULL DEFAULT '',
    head_after TEXT NOT NULL DEFAULT '',
    CHECK ((exit_kind IS NULL) = (exit_status IS NULL) AND (exit_kind IS NULL) = (exited_at IS NULL))
) STRICT;
CREATE INDEX runs_task ON runs (task_id, job_id);

CREATE TRIGGER jobs_start_queued BEFORE INSERT ON jobs WHEN NEW.status <> 'queued'
BEGIN SELECT RAISE(ABORT, 'a job begins queued'); END;
CREATE TRIGGER jobs_of_project BEFORE INSERT ON jobs
WHEN NEW.project_id IS NOT (SELECT project_id FROM tasks WHERE id = NEW.task_id)
BEGIN SELECT RAISE(ABORT, 'a job is of its task''s project'); END;
CREATE TRIGGER jobs_identity BEFORE UPDATE OF id, task_id, project_id, kind, role ON jobs
BEGIN SELECT RAISE(ABORT, 'a job keeps its id, task, project, kind and role'); END;
CREATE TRIGGER jobs_status BEFORE UPDATE OF status ON jobs
WHEN NEW.status <> OLD.status AND OLD.status || '>' || NEW.status NOT IN
     ('queued>running', 'queued>cancelled', 'running>stopping', 'running>done', 'running>failed', 'running>cancelled',
      'stopping>queued', 'stopping>done', 'stopping>failed', 'stopping>cancelled')
BEGIN SELECT RAISE(ABORT, 'no such change of a job''s status'); END;
CREATE TRIGGER jobs_run BEFORE UPDATE OF run_id ON jobs
WHEN NEW.run_id IS NOT NULL AND NEW.run_id IS NOT OLD.run_id
     AND (OLD.run_id IS NOT NULL OR (SELECT job_id FROM runs WHERE id = NEW.run_id) IS NOT NEW.id)
BEGIN SELECT RAISE(ABORT, 'a job takes a run of its own, and only while it has none'); END;
CREATE TRIGGER jobs_ended BEFORE UPDATE OF run_id, started_at, finished_at ON jobs
WHEN OLD.finished_at IS NOT NULL AND OLD.status <> 'queued'
     AND (NEW.run_id IS NOT OLD.run_id OR NEW.started_at IS NOT OLD.started_at OR NEW.finished_at IS NOT OLD.finished_at)
BEGIN SELECT RAISE(ABORT, 'a job that ended keeps its run and times'); END;

-- Whether a job is to wait while it is queued: its task is paused or held, or a task that it needs is not done; an advance also
-- while another of its task runs. jobs.blocked of queued jobs says the same, whoever changes what.
CREATE VIEW job_blocked (job_id, blocked) AS
SELECT jobs.id,
       tasks.paused_at IS NOT NULL OR tasks.hold <> 'none'
       OR EXISTS (SELECT 1 FROM deps JOIN tasks AS needed ON needed.id = deps.needs_task_id
                  WHERE deps.task_id = tasks.id AND needed.stage <> 'done')
       OR (jobs.kind = 'advance'
           AND EXISTS (SELECT 1 FROM jobs AS other WHERE other.unique_key = 'advancing:' || jobs.task_id
                       AND other.status IN ('queued', 'running', 'stopping')))
FROM jobs JOIN tasks ON tasks.id = jobs.task_id;
CREATE TRIGGER jobs_blocked_on_insert AFTER INSERT ON jobs
WHEN NEW.blocked <> (SELECT blocked FROM job_blocked WHERE job_id = NEW.id)
BEGIN UPDATE jobs SET blocked = 1 - NEW.blocked WHERE id = NEW.id; END;
CREATE TRIGGER jobs_blocked_on_requeue AFTER UPDATE OF status ON jobs
WHEN NEW.status = 'queued' AND NEW.blocked <> (SELECT blocked FROM job_blocked WHERE job_id = NEW.id)
BEGIN UPDATE jobs SET blocked = 1 - NEW.blocked WHERE id = NEW.id; END;
CREATE TRIGGER jobs_blocked_on_advance AFTER UPDATE OF status ON jobs
WHEN OLD.kind = 'advance' AND OLD.status IN ('running', 'stopping') AND NEW.status NOT IN ('running', 'stopping')
BEGIN
    UPDATE jobs SET blocked = (SELECT blocked FROM job_blocked WHERE job_id = jobs.id)
    WHERE unique_key = 'advance:' || NEW.task_id AND status IN ('queued', 'running', 'stopping');
END;
CREATE TRIGGER jobs_blocked_on_hold AFTER UPDATE OF hold, paused_at ON tasks
BEGIN
    UPDATE jobs SET blocked = (SELECT blocked FROM job_blocked WHERE job_id = jobs.id)
    WHERE unique_key IN ('run:' || NEW.id, 'advance:' || NEW.id) AND status IN ('queued', 'running', 'stopping')
          AND status = 'queued';
END;
CREATE TRIGGER jobs_blocked_on_done AFTER UPDATE OF stage ON tasks WHEN (NEW.stage = 'done') <> (OLD.stage = 'done')
BEGIN
    UPDATE jobs SET blocked = (SELECT blocked FROM job_blocked WHERE job_id = jobs.id)
    WHERE task_id IN (SELECT task_id FROM deps WHERE needs_task_id = NEW.id) AND status = 'queued';
END;
CREATE TRIGGER jobs_blocked_on_dependency AFTER INSERT ON deps
BEGIN
    UPDATE jobs SET blocked = (SELECT blocked FROM job_blocked WHERE job_id = jobs.id)
    WHERE unique_key IN ('run:' || NEW.task_id, 'advance:' || NEW.task_id) AND status IN ('queued', 'running', 'stopping')
          AND status = 'queued';
END;
CREATE TRIGGER jobs_blocked_on_independence AFTER DELETE ON deps
BEGIN
    UPDATE jobs SET blocked = (SELECT blocked FROM job_blocked WHERE job_id = jobs.id)
    WHERE unique_key IN ('run:' || OLD.task_id, 'advance:' || OLD.task_id) AND status IN ('queued', 'running', 'stopping')
          AND status = 'queued';
END;
CREATE TRIGGER jobs_blocked_truth BEFORE UPDATE OF blocked ON jobs
WHEN NEW.status = 'queued' AND NEW.blocked <> (SELECT blocked FROM job_blocked WHERE job_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'blocked says what holds the job up'); END;

CREATE TRIGGER runs_of_task BEFORE INSERT ON runs WHEN NEW.task_id IS NOT (SELECT task_id FROM jobs WHERE id = NEW.job_id)
BEGIN SELECT RAISE(ABORT, 'a run is of its job''s task'); END;
CREATE TRIGGER runs_identity BEFORE UPDATE OF id, job_id, task_id, unit, boot_id, started_at, started_boot ON runs
BEGIN SELECT RAISE(ABORT, 'a run belongs to one job and starts once'); END;
CREATE TRIGGER runs_invocation BEFORE UPDATE OF invocation_id ON runs
WHEN OLD.invocation_id <> '' AND NEW.invocation_id <> OLD.invocation_id
BEGIN SELECT RAISE(ABORT, 'a run has one invocation'); END;
CREATE TRIGGER runs_exit BEFORE UPDATE OF exit_kind, exit_status, exited_at ON runs
WHEN OLD.exit_kind IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an exit is recorded at most once'); END;
)sql";

}  // namespace orchd::store
