// A look at a body: is it a JSON object, and what do its own first words say. No tree is built, and nothing is believed.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace orchd::listener {

struct Look {  // strings of the outermost object; empty where they are not there, no strings, or too long to be an id
    std::string webhook_id, event_id;
};
// Errc::invalid_argument with the place where it stops being a JSON object, in UTF-8, of bounded depth.
[[nodiscard]] Result<Look> look_at(std::string_view body);

}  // namespace orchd::listener
