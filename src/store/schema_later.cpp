// A run that asks to come later is waited for; a job that is cancelled because others go first, or because its commit
// may be an old one, is queued anew where it left off; and a hold may end once what it was about has changed. A migration is
// fixed text: later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_later = R"sql(
ALTER TABLE jobs ADD COLUMN deferrals INTEGER NOT NULL DEFAULT 0 CHECK (deferrals >= 0);  -- its runs asked to come later
ALTER TABLE jobs ADD COLUMN deferred_since INTEGER CHECK ((deferred_since IS NULL) = (deferrals = 0));  -- the first of them did
-- Stopping: the time that the run asked for, if it did. Queued: it comes later as asked, at this time. UTC milliseconds.
ALTER TABLE jobs ADD COLUMN retry_at INTEGER;
ALTER TABLE jobs ADD COLUMN comes_again INTEGER NOT NULL DEFAULT 0 CHECK (comes_again = 0 OR status = 'cancelled');
-- What the hold was about, where it ends by itself when that is another.
ALTER TABLE tasks ADD COLUMN hold_watch TEXT NOT NULL DEFAULT '' CHECK (hold_watch = '' OR hold <> 'none');
CREATE INDEX tasks_watched ON tasks (project_id) WHERE hold_watch <> '';
)sql";

}  // namespace orchd::store
