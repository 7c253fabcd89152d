// Units that should end by themselves and have no job any more, from pass to pass: who sees one again after a while, as the
// same invocation, may call it stuck. Kept in settings_state, since the reaper's passes are processes of their own.
#pragma once

#include <map>
#include <string>

#include "engine/ports.h"

namespace orchd::engine {

inline constexpr std::int64_t stray_patience_ms = 30'000;

class Strays {
public:
    explicit Strays(World& world);  // with what the last pass saw
    // Notes that the unit was seen; whether this very invocation was seen by each pass since `stray_patience_ms` ago.
    [[nodiscard]] bool long_seen(const std::string& unit);
    // For the next pass: those that this one saw. Writes only what changed; what cannot be written is told, and forgotten.
    void keep();

private:
    struct Seen {
        std::string invocation_id;
        std::int64_t since_boot = 0;  // CLOCK_BOOTTIME milliseconds
        bool operator==(const Seen&) const = default;
    };
    World& world_;
    std::map<std::string, Seen> before_, now_;
};

}  // namespace orchd::engine
