// Webhook deliveries become facts: each in one transaction with its mark.
//
// A delivery is a hint about an object, never the object's state: what it asks is done as far as the object is not known to
// have moved on, so that order, lateness and repetition change nothing (R18). What cannot be understood, or is refused by the
// schema, or throws, is `failed` with its reason; what asks nothing here, or what the task's state forbids, is `ignored` with
// its reason. Neither stops the next (R40). Where the database, or whoever is to be looked at, does not answer, the delivery
// stays pending.
#pragma once

#include <string>

#include "engine/ports.h"
#include "forge/objects.h"
#include "store/deliveries.h"
#include "tracker/item.h"

namespace orchd::engine {

struct IntakeResult {
    int done = 0, ignored = 0, failed = 0;
    bool more = false;  // there are others that this round has not met: look again at once
};

class Intake {
public:
    // Both are asked outside of any transaction, and outlive this.
    Intake(World& world, tracker::Tracker& tracker, forge::Objects& forge) : world_(world), tracker_(tracker), forge_(forge) {}
    // The next of this round, `at_most` of them and for no longer than `longest_ms` and the one in hand; a round meets each
    // pending delivery once, oldest first. One that stays pending is met again in the next round. An error: the database does
    // not answer, try again later.
    static constexpr std::int64_t longest_ms = 5000;  // far less than the worker's watchdog has patience
    [[nodiscard]] Result<IntakeResult> pass(int at_most);

private:
    struct Outcome {
        store::DeliveryState state = store::DeliveryState::done;
        std::string sentence;
    };
    [[nodiscard]] Result<Outcome> take(const store::Delivery& delivery);
    [[nodiscard]] Result<Outcome> understand(const store::Delivery& delivery);

    World& world_;
    tracker::Tracker& tracker_;
    forge::Objects& forge_;
    std::int64_t after_ = 0;  // the last that this round has met; 0: it has not begun
};

}  // namespace orchd::engine
