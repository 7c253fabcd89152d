// Schema 2: what became of a delivery is told whatever it was, and how many there are is known without reading them. A
// migration is fixed text: later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_2_deliveries = R"sql(
DROP INDEX deliveries_once;
DROP INDEX deliveries_pending;
CREATE TABLE deliveries_2 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL CHECK (source <> ''),
    dedup_key TEXT NOT NULL CHECK (dedup_key <> ''),
    body_hash TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'ignored', 'failed')),
    outcome TEXT NOT NULL DEFAULT '',
    CHECK ((state = 'pending') = (outcome = ''))
) STRICT;
INSERT INTO deliveries_2 SELECT id, source, dedup_key, body_hash, event, body, received_at, state,
    iif(state = 'pending', '', iif(error = '', state, error)) FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_2 RENAME TO deliveries;
-- A delivery that failed keeps no later one out.
CREATE UNIQUE INDEX deliveries_once ON deliveries (source, dedup_key) WHERE state <> 'failed';
CREATE INDEX deliveries_state ON deliveries (state);
CREATE TRIGGER deliveries_as_they_came BEFORE UPDATE OF id, source, dedup_key, body_hash, event, body, received_at ON deliveries
BEGIN SELECT RAISE(ABORT, 'a delivery stays as it came'); END;
CREATE TRIGGER deliveries_settled_once BEFORE UPDATE OF state ON deliveries
WHEN OLD.state <> 'pending' AND NEW.state NOT IN (OLD.state, 'pending')
BEGIN SELECT RAISE(ABORT, 'a delivery is settled once, unless it is replayed'); END;

-- Of the settled ones, which are many: counted as they are settled. The pending ones are few and stand together in
-- deliveries_state. Every row comes in pending, and there is no trigger on the insert: one that does nothing took a tenth off the
-- deliveries a second.
CREATE TABLE delivery_counts (
    state TEXT PRIMARY KEY CHECK (state IN ('done', 'ignored', 'failed')),
    n INTEGER NOT NULL CHECK (n >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO delivery_counts SELECT s.column1, (SELECT count(*) FROM deliveries WHERE state = s.column1)
    FROM (VALUES ('done'), ('ignored'), ('failed')) AS s;
CREATE TRIGGER deliveries_counted AFTER UPDATE OF state ON deliveries WHEN NEW.state <> OLD.state
BEGIN
    UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state;
    UPDATE delivery_counts SET n = n + 1 WHERE state = NEW.state;
END;
CREATE TRIGGER deliveries_counted_out AFTER DELETE ON deliveries
BEGIN UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state; END;
)sql";

}  // namespace orchd::store
