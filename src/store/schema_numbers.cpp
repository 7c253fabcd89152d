// A work item is known by its number, however many zeros stand before it: a second task of one number is refused. Files that
// hold two such from before keep them. A migration is fixed text: later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_numbers = R"sql(
CREATE INDEX tasks_number ON tasks (substr(work_item, 1, instr(work_item, '-')) || CAST(substr(work_item, instr(work_item, '-') + 1) AS INTEGER));
CREATE TRIGGER tasks_one_number AFTER INSERT ON tasks
WHEN EXISTS (SELECT 1 FROM tasks WHERE work_item <> NEW.work_item
             AND substr(work_item, 1, instr(work_item, '-')) || CAST(substr(work_item, instr(work_item, '-') + 1) AS INTEGER)
                 = substr(NEW.work_item, 1, instr(NEW.work_item, '-'))
                   || CAST(substr(NEW.work_item, instr(NEW.work_item, '-') + 1) AS INTEGER))
BEGIN SELECT RAISE(ABORT, 'another task has this number, written otherwise'); END;
)sql";

}  // namespace orchd::store
