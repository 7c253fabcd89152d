// Schema 3: what came to an end is counted as it ends, so that nobody has to read it to know how much there was. A migration is
// fixed text: later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_3_totals = R"sql(
CREATE TABLE totals (
    what TEXT NOT NULL CHECK (what IN ('jobs_ended', 'runs_ended', 'stages_entered', 'tasks_created')),
    word TEXT NOT NULL,   -- a job's role, a run's exit, a stage
    ended TEXT NOT NULL,  -- a job's last status; else ''
    n INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (what, word, ended)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER totals_only_grow BEFORE UPDATE ON totals WHEN NEW.n < OLD.n
BEGIN SELECT RAISE(ABORT, 'a total only grows'); END;
INSERT INTO totals SELECT 'jobs_ended', role, status, count(*) FROM jobs WHERE finished_at IS NOT NULL GROUP BY role, status;
INSERT INTO totals SELECT 'runs_ended', exit_kind, '', count(*) FROM runs WHERE exit_kind IS NOT NULL GROUP BY exit_kind;
INSERT INTO totals SELECT 'stages_entered', stage, '', count(*) FROM tasks GROUP BY stage;
INSERT INTO totals SELECT 'tasks_created', '', '', count(*) FROM tasks;
CREATE TRIGGER totals_of_jobs AFTER UPDATE OF finished_at ON jobs WHEN NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL
BEGIN INSERT INTO totals VALUES ('jobs_ended', NEW.role, NEW.status, 1) ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE TRIGGER totals_of_runs AFTER UPDATE OF exit_kind ON runs WHEN NEW.exit_kind IS NOT NULL AND OLD.exit_kind IS NULL
BEGIN INSERT INTO totals VALUES ('runs_ended', NEW.exit_kind, '', 1) ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE TRIGGER totals_of_stages AFTER UPDATE OF stage_seq ON tasks WHEN NEW.stage_seq <> OLD.stage_seq
BEGIN INSERT INTO totals VALUES ('stages_entered', NEW.stage, '', 1) ON CONFLICT DO UPDATE SET n = n + 1; END;
CREATE TRIGGER totals_of_tasks AFTER INSERT ON tasks
BEGIN
    INSERT INTO totals VALUES ('tasks_created', '', '', 1) ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO totals VALUES ('stages_entered', NEW.stage, '', 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
)sql";

}  // namespace orchd::store
