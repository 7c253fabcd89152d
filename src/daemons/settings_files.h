// The settings' and projects' files of this host, as a unit reads them, and how it learns that they changed.
#pragma once

#include <string>

#include "settings/reading.h"

namespace orchd::daemons {

[[nodiscard]] settings::Places settings_places();
[[nodiscard]] settings::Reading read_settings();

enum class Look { files, last_good_too };
// Which files there are and when each was last written.
[[nodiscard]] std::string settings_fingerprint(Look look);

// Where there are no good settings at the worker's start: stands, told to the journal once and to systemd as ready with a
// status line, until the files are right. Feeds the watchdog meanwhile. Returns at once where they are right.
void stand_until_settings_are_good();

}  // namespace orchd::daemons
