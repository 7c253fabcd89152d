// What intake does with one event of one project, inside the delivery's transaction (intake_forge.cpp, intake_tracker.cpp).
// Private to the engine.
#pragma once

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

// A stamp of somebody else's clock, which may be ahead of ours: what it says of before and after holds as long as no stamp is
// touched. Only one from far ahead, which would make all that follows old, counts as of when it was told. 0: not told.
[[nodiscard]] inline std::int64_t not_far_after(std::int64_t told, std::int64_t received_at) {
    constexpr std::int64_t an_hour = 3'600'000;
    return told == 0 || told > received_at + an_hour ? received_at : told;
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
