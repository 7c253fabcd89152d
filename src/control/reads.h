// The methods of org.orchd1.Manager that only look, as a table.
#pragma once

#include <string>
#include <string_view>

#include "control/message.h"
#include "engine/ports.h"
#include "store/records.h"

namespace orchd::control {

struct Read {
    std::string_view member;
    Status (*answer)(engine::World& world, sd_bus_message* call, sd_bus_message* reply);  // fills the reply
};
// The row of a method; null for a name that is not in the table.
[[nodiscard]] const Read* find_read(std::string_view member);

// How a run ended, in two words: "exited 0", "killed 9"; "" while it has not.
[[nodiscard]] std::string exit_text(const store::Run& run);

}  // namespace orchd::control
