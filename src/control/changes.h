// The methods of org.orchd1.Manager that change something, as a table: what each is called, which polkit action it asks, and
// how its arguments become an act.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "control/message.h"
#include "engine/ports.h"

namespace orchd::control {

// What is done once the caller is known and allowed. The path of the object it made, or "".
using Act = std::function<Result<std::string>(engine::World& world, const std::string& by)>;

struct Change {
    std::string_view member, action;
    Result<Act> (*parse)(sd_bus_message* call);  // reads and checks all arguments; touches nothing else
};
// The row of a method; null for a name that is not in the table.
[[nodiscard]] const Change* find_change(std::string_view member);

}  // namespace orchd::control
