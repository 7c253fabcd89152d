#include "engine/disk.h"

#include "store/ballast.h"

namespace orchd::engine {
namespace {

std::string mebibytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

std::optional<LowDisk> low_disk(const settings::Settings& settings, std::int64_t free) {
    const auto floor = settings.disk_floor_bytes;
    if (free >= floor) return std::nullopt;
    return LowDisk{free, floor,
                   "the disk of the database has " + mebibytes(free) + " free, which is below the floor of " +
                       mebibytes(floor) + " (disk_floor_bytes)."};
}

Status keep_ballast(const World& world) {
    const auto path = store::ballast_beside(world.db.path());
    const auto wanted = world.settings.ballast_bytes;
    const auto size = store::ballast_size(path);
    if (size == wanted || (wanted > size && world.free_bytes() - (wanted - size) < world.settings.disk_floor_bytes)) return {};
    return store::lay_ballast(path, wanted);
}

}  // namespace orchd::engine
