// The ballast: a file that holds disk space back, beside the database. When the disk is full it is given back, so that the end
// of a run and a delivery can still be recorded; it is laid again when there is space again (engine/disk).
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"

namespace orchd::store {

// The ballast's path for a database's.
[[nodiscard]] std::string ballast_beside(const std::string& database);
// Its size in bytes; 0 where there is none.
[[nodiscard]] std::int64_t ballast_size(const std::string& path);
// Brings it to `bytes`, with blocks behind it; 0 takes it away. Errc::no_space leaves none.
[[nodiscard]] Status lay_ballast(const std::string& path, std::int64_t bytes);
// Gives its space back. No error if it is not there, or cannot go: the caller's next write tells.
void drop_ballast(const std::string& path);

}  // namespace orchd::store
