// A priority is the task's, and every job of it has it. A migration is fixed text: later versions add migrations,
// never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_priority = R"sql(
ALTER TABLE tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9);  -- higher first
CREATE TRIGGER jobs_priority_of_task AFTER UPDATE OF priority ON tasks WHEN NEW.priority <> OLD.priority
BEGIN UPDATE jobs SET priority = NEW.priority WHERE task_id = NEW.id AND status = 'queued'; END;
-- What a task was given when it was made stands with its first job alone.
UPDATE tasks SET priority = (SELECT priority FROM jobs WHERE task_id = tasks.id ORDER BY id LIMIT 1)
WHERE stage NOT IN ('done', 'cancelled') AND EXISTS (SELECT 1 FROM jobs WHERE task_id = tasks.id);
)sql";

}  // namespace orchd::store
