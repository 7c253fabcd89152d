// Schema 4: looks at a dying run that follow one another too fast count as one, whoever looks. A migration is fixed text:
// later versions add migrations, never edit this one.
#include "store/schema.h"

namespace orchd::store {

const std::string_view schema_4_ticks = R"sql(
ALTER TABLE runs ADD COLUMN ticked_boot INTEGER;  -- when it was last seen empty, CLOCK_BOOTTIME
)sql";

}  // namespace orchd::store
