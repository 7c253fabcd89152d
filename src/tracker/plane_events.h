// Webhooks of Plane: versions 1 (Community, from 0.20 and before) and 2 (Cloud).
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "tracker/item.h"

namespace orchd::tracker {

// `event` is X-Plane-Event: "issue", "workitem.updated", …; where it is empty the body's own. Errc::invalid_argument with the
// field that is wrong where it is a work item that cannot be understood.
[[nodiscard]] Result<Event> read_plane_event(std::string_view event, std::string_view body);

// The text of a description in HTML: tags gone, paragraphs and list items as lines, entities as characters.
[[nodiscard]] std::string text_of_html(std::string_view html);

}  // namespace orchd::tracker
