// Room for files, as a file system counts it beside its bytes.
#pragma once

#include <cstdint>
#include <limits>

namespace orchd {

struct Inodes {
    // Without end on a file system that keeps no count.
    std::int64_t free = std::numeric_limits<std::int64_t>::max(), total = std::numeric_limits<std::int64_t>::max();
};

}  // namespace orchd
