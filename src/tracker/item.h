// A work item as its tracker shows it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "core/error.h"
#include "settings/project.h"

namespace orchd::tracker {

struct State {
    std::string id;
    std::string name, group;  // empty where only the id is known
};

struct Item {
    std::string id;       // the tracker's own
    std::string project;  // the tracker's own, in lower case
    std::int64_t number = 0;
    std::string title;        // one line
    std::string description;  // text of many lines
    State state;
    std::int64_t at = 0;  // of its last change, UTC milliseconds by the tracker's clock; 0: not known
};

// What a webhook tells of a work item: where to look again, and who was the last to touch it.
struct ItemTold {
    Item item;
    std::string by;              // whoever did it, by name
    bool state_changed = false;  // it tells of a change of the state, not of something else
};
struct Nothing {  // an event that nothing here depends on
    std::string why;
};
struct Event {
    std::string project;  // the tracker's own, in lower case; may be empty for Nothing
    std::variant<Nothing, ItemTold> what;
};

// A tracker that can be looked at, because of an event and outside of any transaction.
class Tracker {
public:
    virtual ~Tracker() = default;
    // The item as it is now. Errc::no_such where it is gone; Errc::unavailable where the tracker does not answer: the event
    // then waits.
    [[nodiscard]] virtual Result<Item> look(const settings::Project& project, const Item& told) = 0;
};
// For as long as nothing here reads a tracker: an item is as the event told of it.
class AsTold final : public Tracker {
public:
    [[nodiscard]] Result<Item> look(const settings::Project&, const Item& told) override { return told; }
};

}  // namespace orchd::tracker
