// Schema 5: what was seen of a forge's pull requests and a tracker's work items. A migration is fixed text: later versions add
// migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_5_seen = R"sql(
-- The forge's own number of the status, for two of one second.
ALTER TABLE statuses ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;

CREATE TABLE pull_requests (
    project TEXT NOT NULL REFERENCES projects (name),
    number INTEGER NOT NULL CHECK (number > 0),
    branch TEXT NOT NULL CHECK (branch <> ''),
    head TEXT NOT NULL,
    target TEXT NOT NULL CHECK (target <> ''),
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
    at INTEGER NOT NULL,
    PRIMARY KEY (project, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER pull_requests_merged BEFORE UPDATE OF state ON pull_requests WHEN OLD.state = 'merged' AND NEW.state <> 'merged'
BEGIN SELECT RAISE(ABORT, 'what is merged stays merged'); END;

CREATE TABLE reviews (
    project TEXT NOT NULL REFERENCES projects (name),
    number INTEGER NOT NULL CHECK (number > 0),
    reviewer TEXT NOT NULL CHECK (reviewer <> ''),
    state TEXT NOT NULL CHECK (state IN ('commented', 'approved', 'rejected')),
    head TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (project, number, reviewer)
) STRICT, WITHOUT ROWID;

CREATE TABLE tracker_items (
    project TEXT NOT NULL REFERENCES projects (name),
    item TEXT NOT NULL CHECK (item <> ''),
    work_item TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state <> ''),
    seen_at INTEGER NOT NULL,
    heeded_state TEXT NOT NULL DEFAULT '',
    heeded_at INTEGER NOT NULL DEFAULT -1,
    PRIMARY KEY (project, item)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace orchd::store
