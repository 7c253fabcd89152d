// A moment for people: "2026-11-22 01:50:07 UTC".
#pragma once

#include <cstdint>
#include <string>

namespace orchd {

[[nodiscard]] std::string utc_text(std::int64_t utc_ms);

}  // namespace orchd
