// The disk under the database: below a floor of free space nothing is started, so that what runs can still end; and when it is
// full all the same, a ballast is given back for the records that must not be lost (store/ballast.h).
#pragma once

#include <optional>
#include <string>

#include "engine/ports.h"

namespace orchd::engine {

struct LowDisk {
    std::string text;  // a clause with its full stop, without a capital letter
};
// Nothing while there is space enough, and room for files.
[[nodiscard]] std::optional<LowDisk> low_disk(const settings::Settings& settings, std::int64_t free_bytes,
                                              const Inodes& inodes = {});
// The floor of free inodes: disk_floor_inodes, or a tenth of all where that is less.
[[nodiscard]] std::int64_t inode_floor(const settings::Settings& settings, const Inodes& inodes);

// Lays the ballast where it is missing or of another size than the settings say, once it fits above the floor.
[[nodiscard]] Status keep_ballast(const World& world);

}  // namespace orchd::engine
