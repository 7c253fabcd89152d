// A database is known by an id of its own, which its copies keep; and the history knows which of its ids were left out, so that
// what was appended can be counted. A migration is fixed text: later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_identity = R"sql(
INSERT OR IGNORE INTO settings_state VALUES ('database_id', lower(hex(randomblob(16))), 'migration', '', 0);
CREATE TRIGGER database_id_stays BEFORE UPDATE ON settings_state WHEN OLD.key = 'database_id' AND NEW.value <> OLD.value
BEGIN SELECT RAISE(ABORT, 'a database keeps its id'); END;
CREATE TRIGGER database_id_is_kept BEFORE DELETE ON settings_state WHEN OLD.key = 'database_id'
BEGIN SELECT RAISE(ABORT, 'a database keeps its id'); END;
-- A restore that did not know which ids were given out left out a million; what less was left out before is not known any more.
INSERT INTO settings_state
    SELECT 'event_ids_skipped', CAST(sum(id - before - 1) AS TEXT), 'migration', '', 0
    FROM (SELECT id, lag(id, 1, 0) OVER (ORDER BY id) AS before FROM events) WHERE id - before > 1000000 HAVING count(*) > 0
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + CAST(excluded.value AS INTEGER) AS TEXT);
)sql";

}  // namespace orchd::store
