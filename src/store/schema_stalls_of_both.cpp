// A run whose beginning failed has an end too, which can fail as well: each is counted by itself. A migration is fixed text:
// later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_stalls_of_both = R"sql(
CREATE TABLE stalls_of_both (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    part TEXT NOT NULL CHECK (part IN ('beginning', 'end')),
    state TEXT NOT NULL CHECK (state IN ('failed', 'called', 'begun', 'given_up')),
    tries INTEGER NOT NULL CHECK (tries >= 0),                 -- that came to nothing, in a row
    lasting INTEGER NOT NULL CHECK (lasting IN (0, 1)),        -- until a person mends it
    words TEXT NOT NULL CHECK (words <> ''),                   -- of the last try
    at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,                                   -- of the next try
    due_boot INTEGER NOT NULL CHECK (due_boot >= 0),
    due_boot_id TEXT NOT NULL,
    PRIMARY KEY (run_id, part),
    CHECK (part = 'end' OR state IN ('failed', 'given_up'))    -- what could not begin is tried as another run
) STRICT;
INSERT INTO stalls_of_both (run_id, part, state, tries, lasting, words, at, due_at, due_boot, due_boot_id)
SELECT run_id, part, state, tries, lasting, words, at, due_at, due_boot, due_boot_id FROM stalls;
DROP TABLE stalls;
ALTER TABLE stalls_of_both RENAME TO stalls;
CREATE TRIGGER stalls_part BEFORE INSERT ON stalls
WHEN (SELECT iif(NEW.part = 'end', exit_kind IS NULL, prepared_at IS NOT NULL) FROM runs WHERE id = NEW.run_id)
BEGIN SELECT RAISE(ABORT, 'an end that fails has its exit on record, and a beginning that fails has not begun'); END;
CREATE TRIGGER stalls_of_run BEFORE UPDATE OF run_id, part ON stalls
BEGIN SELECT RAISE(ABORT, 'what failed is told of one run and one part of it'); END;
CREATE TRIGGER stalls_count BEFORE UPDATE OF tries ON stalls
WHEN NEW.tries > OLD.tries + 1 OR (NEW.tries < OLD.tries AND NOT (OLD.state = 'given_up' AND NEW.tries = 0))
BEGIN SELECT RAISE(ABORT, 'tries are counted one by one, and anew only for what a person let go of'); END;
CREATE TRIGGER stalls_kept BEFORE DELETE ON stalls
BEGIN SELECT RAISE(ABORT, 'what failed stays on record'); END;
)sql";

}  // namespace orchd::store
