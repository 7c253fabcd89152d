#include "engine/disk.h"

#include <algorithm>

#include "store/ballast.h"

namespace orchd::engine {
namespace {

std::string mebibytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

std::int64_t inode_floor(const settings::Settings& settings, const Inodes& inodes) {
    return std::min(settings.disk_floor_inodes, inodes.total / 10);
}

std::optional<LowDisk> low_disk(const settings::Settings& settings, std::int64_t free, const Inodes& inodes) {
    const auto low = [](const std::string& what, const std::string& floor) {
        return LowDisk{"the disk of the database has " + what + " free, which is below the floor of " + floor + "."};
    };
    if (free < settings.disk_floor_bytes)
        return low(mebibytes(free), mebibytes(settings.disk_floor_bytes) + " (disk_floor_bytes)");
    const auto floor = inode_floor(settings, inodes);
    if (inodes.free < floor)
        return low(std::to_string(inodes.free) + " inodes", std::to_string(floor) + " inodes (disk_floor_inodes)");
    return std::nullopt;
}

Status keep_ballast(const World& world) {
    const auto path = store::ballast_beside(world.db.path());
    const auto wanted = world.settings.ballast_bytes;
    const auto size = store::ballast_size(path);
    if (size == wanted || (wanted > size && world.free_bytes() - (wanted - size) < world.settings.disk_floor_bytes)) return {};
    return store::lay_ballast(path, wanted);
}

}  // namespace orchd::engine
