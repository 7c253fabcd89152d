// What intake does with one event of one project, inside the delivery's transaction (intake_forge.cpp, intake_tracker.cpp).
// Private to the engine.
#pragma once

#include <algorithm>
#include <string>

#include "engine/events.h"
#include "engine/ports.h"
#include "forge/gitea_events.h"
#include "tracker/item.h"

namespace orchd::engine {

// The sentence of a delivery that became something, or asked nothing.
struct Consequence {
    bool done = true;  // otherwise ignored
    std::string sentence;
};
[[nodiscard]] inline Consequence became(std::string sentence) { return {true, std::move(sentence)}; }
[[nodiscard]] inline Consequence nothing_to_do(std::string why) { return {false, std::move(why)}; }

// A stamp of somebody else's clock as what happened at the latest when it was told: one from the future would make all that
// follows old. 0: not told.
[[nodiscard]] inline std::int64_t not_after(std::int64_t told, std::int64_t received_at) {
    return told == 0 ? received_at : std::min(told, received_at);
}

// Errc::conflict where the task's present state forbids it.
[[nodiscard]] Result<Consequence> take_forge_event(World& world, const Acting& who, const settings::Project& project,
                                                   const forge::GiteaEvent& event, std::int64_t received_at);

// What the tracker's event says of its item is written down first, whatever comes of the rest: `note` alone where that was
// refused.
struct ItemSeen {
    tracker::ItemTold told;  // the item as it was looked at
    std::int64_t at = 0;     // of its last change
    std::int64_t received_at = 0;
};
// Errc::no_such where its state's name is not known.
[[nodiscard]] Status note_item(const Acting& who, const settings::Project& project, const ItemSeen& seen);
// Errc::conflict, or no_such, where the task's present state forbids what the item's state asks.
[[nodiscard]] Result<Consequence> take_item(World& world, const Acting& who, const settings::Project& project,
                                            const ItemSeen& seen);

}  // namespace orchd::engine
