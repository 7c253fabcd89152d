// What intake learned to tell apart: which repository and which pull request of the forge is meant, what was told of one
// moment, a word that came before its time, a delivery that was refused, and one that leads nowhere. A migration is fixed text:
// later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_intake = R"sql(
-- A name passes from one repository to another; the forge's own number of it is never given twice.
CREATE TABLE forge_repositories (
    project TEXT NOT NULL REFERENCES projects (name),
    repository INTEGER NOT NULL CHECK (repository > 0),
    name TEXT NOT NULL CHECK (name <> ''),  -- under which it was last seen
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (project, repository)
) STRICT, WITHOUT ROWID;

-- `pull` is the forge's own number too, `number` counts within its repository. 0 and the number stand for what was told before
-- these were kept, which is nobody's any more. What was told in more than one way of one moment is 'unknown', or empty.
ALTER TABLE pull_requests RENAME TO pull_requests_old;
DROP TRIGGER pull_requests_merged;
CREATE TABLE pull_requests (
    project TEXT NOT NULL REFERENCES projects (name),
    repository INTEGER NOT NULL CHECK (repository >= 0),
    pull INTEGER NOT NULL CHECK (pull > 0),
    number INTEGER NOT NULL CHECK (number > 0),
    branch TEXT NOT NULL,
    head TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'merged', 'unknown')),
    at INTEGER NOT NULL,
    looked INTEGER NOT NULL DEFAULT 0 CHECK (looked IN (0, 1)),
    tied INTEGER NOT NULL DEFAULT 0 CHECK (tied IN (0, 1)),
    CHECK (tied OR (state <> 'unknown' AND branch <> '' AND target <> '')),
    CHECK (NOT (tied AND looked)),
    PRIMARY KEY (project, repository, pull)
) STRICT, WITHOUT ROWID;
INSERT INTO pull_requests (project, repository, pull, number, branch, head, target, state, at)
    SELECT project, 0, number, number, branch, head, target, state, min(at, unixepoch() * 1000) FROM pull_requests_old;
DROP TABLE pull_requests_old;
CREATE TRIGGER pull_requests_merged BEFORE UPDATE OF state ON pull_requests WHEN OLD.state = 'merged' AND NEW.state <> 'merged'
BEGIN SELECT RAISE(ABORT, 'what is merged stays merged'); END;

ALTER TABLE reviews RENAME TO reviews_old;
CREATE TABLE reviews (
    project TEXT NOT NULL REFERENCES projects (name),
    repository INTEGER NOT NULL CHECK (repository >= 0),
    pull INTEGER NOT NULL CHECK (pull > 0),
    reviewer TEXT NOT NULL CHECK (reviewer <> ''),
    state TEXT NOT NULL CHECK (state IN ('commented', 'approved', 'rejected', 'unknown')),
    head TEXT NOT NULL,
    at INTEGER NOT NULL,
    tied INTEGER NOT NULL DEFAULT 0 CHECK (tied IN (0, 1)),
    CHECK (tied OR state <> 'unknown'),
    PRIMARY KEY (project, repository, pull, reviewer)
) STRICT, WITHOUT ROWID;
INSERT INTO reviews (project, repository, pull, reviewer, state, head, at)
    SELECT project, 0, number, reviewer, state, head, min(at, unixepoch() * 1000) FROM reviews_old;
DROP TABLE reviews_old;

-- A time from the future would have made all that follows old for as long.
UPDATE statuses SET at = min(at, unixepoch() * 1000);
UPDATE tracker_items SET seen_at = min(seen_at, unixepoch() * 1000), heeded_at = min(heeded_at, unixepoch() * 1000);

-- A tracker's verdict on an analysis that was not there to be judged: the newest of each work item, until a person judges.
CREATE TABLE early_words (
    project TEXT NOT NULL REFERENCES projects (name),
    work_item TEXT NOT NULL CHECK (work_item <> ''),
    colour TEXT NOT NULL CHECK (colour IN ('green', 'red')),
    by TEXT NOT NULL CHECK (by <> ''),
    at INTEGER NOT NULL,
    PRIMARY KEY (project, work_item)
) STRICT, WITHOUT ROWID;

-- What a sender tells of a repository that no project has.
CREATE TABLE deliveries_astray (
    source TEXT NOT NULL CHECK (source <> ''),
    repository INTEGER NOT NULL CHECK (repository >= 0),
    name TEXT NOT NULL CHECK (name <> ''),
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    n INTEGER NOT NULL CHECK (n > 0),
    PRIMARY KEY (source, repository, name)
) STRICT, WITHOUT ROWID;

-- What was signed right and refused is on record without its body, for good: `size` is the body's as it came.
CREATE TABLE deliveries_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL CHECK (source <> ''),
    dedup_key TEXT NOT NULL CHECK (dedup_key <> ''),
    body_hash TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'ignored', 'failed', 'refused')),
    outcome TEXT NOT NULL DEFAULT '',
    peer TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
    CHECK ((state = 'pending') = (outcome = '')),
    CHECK (state <> 'refused' OR body = '')
) STRICT;
INSERT INTO sqlite_sequence (name, seq) SELECT 'deliveries_new', seq FROM sqlite_sequence WHERE name = 'deliveries';
INSERT INTO deliveries_new (id, source, dedup_key, body_hash, event, body, received_at, state, outcome, size)
    SELECT id, source, dedup_key, body_hash, event, body, received_at, state, outcome, length(CAST(body AS BLOB)) FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_new RENAME TO deliveries;
-- A delivery that failed, or was refused, keeps no later one out; the same refused many times is one row.
CREATE UNIQUE INDEX deliveries_once ON deliveries (source, dedup_key) WHERE state NOT IN ('failed', 'refused');
CREATE UNIQUE INDEX deliveries_refused_once ON deliveries (source, dedup_key) WHERE state = 'refused';
CREATE INDEX deliveries_state ON deliveries (state);
CREATE TRIGGER deliveries_as_they_came BEFORE UPDATE OF id, source, dedup_key, body_hash, event, body, received_at, peer, size
    ON deliveries
BEGIN SELECT RAISE(ABORT, 'a delivery stays as it came'); END;
CREATE TRIGGER deliveries_settled_once BEFORE UPDATE OF state ON deliveries
WHEN OLD.state <> 'pending' AND NEW.state NOT IN (OLD.state, 'pending')
BEGIN SELECT RAISE(ABORT, 'a delivery is settled once, unless it is replayed'); END;
CREATE TRIGGER deliveries_refused BEFORE UPDATE OF state ON deliveries WHEN (OLD.state = 'refused') <> (NEW.state = 'refused')
BEGIN SELECT RAISE(ABORT, 'what was refused stays refused, and nothing else becomes so'); END;

ALTER TABLE delivery_counts RENAME TO delivery_counts_old;
CREATE TABLE delivery_counts (
    state TEXT PRIMARY KEY CHECK (state IN ('done', 'ignored', 'failed', 'refused')),
    n INTEGER NOT NULL CHECK (n >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO delivery_counts SELECT state, n FROM delivery_counts_old;
INSERT INTO delivery_counts VALUES ('refused', 0);
DROP TABLE delivery_counts_old;
CREATE TRIGGER deliveries_counted AFTER UPDATE OF state ON deliveries WHEN NEW.state <> OLD.state
BEGIN
    UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state;
    UPDATE delivery_counts SET n = n + 1 WHERE state = NEW.state;
END;
CREATE TRIGGER deliveries_counted_out AFTER DELETE ON deliveries
BEGIN UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state; END;
)sql";

}  // namespace orchd::store
