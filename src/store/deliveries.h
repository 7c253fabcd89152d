// Webhook deliveries as they came: durable before they are answered, turned into facts later (engine/intake).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/enum_text.h"
#include "store/db.h"

namespace orchd::store {

// As the listener accepted it, or refused it. Its signature was right; nothing else about it is believed.
struct NewDelivery {
    std::string source;     // "gitea", "gitea/PROJECT", "plane", "plane/PROJECT": what follows /webhooks/ in the address
    std::string dedup_key;  // unique with the source among those that did not fail: the sender's own id of the event
    std::string body_hash;  // SHA-256 of the body, lowercase hex
    std::string event;      // the sender's word: X-Gitea-Event-Type, X-Plane-Event; may be empty
    std::string body;       // the JSON that was signed; any bytes
    std::int64_t received_at = 0;
    // Keys under which the same delivery may be on record too (of a window before this one); it is then a duplicate as well.
    std::vector<std::string> also_known_as = {};
    std::string peer = {};     // where it came from, as far as the listener sees
    std::int64_t size = 0;     // of the body as it came, in bytes
    std::string refused = {};  // why it was refused: it is on record as that, with size and peer, without its body
};

enum class Accepted { stored, duplicate, refused };
// One answer a delivery, in order. One statement each in the caller's transaction: the group commit. Errc::conflict for an
// empty source or key, which nobody may have put in.
[[nodiscard]] Result<std::vector<Accepted>> add_deliveries(Tx& tx, std::span<const NewDelivery> deliveries);

enum class DeliveryState { pending, done, ignored, failed, refused };

struct Delivery {
    std::int64_t id = 0;
    std::string source, dedup_key, body_hash, event, body;
    std::int64_t received_at = 0;
    DeliveryState state = DeliveryState::pending;
    std::string outcome;  // one sentence: what became of it, why it was ignored, failed or refused; empty while pending
    std::string peer = {};
    std::int64_t size = 0;
};
// The ids of those that came after `after_id`, oldest first.
[[nodiscard]] Result<std::vector<std::int64_t>> pending_deliveries(Db& db, std::int64_t after_id, int at_most);
[[nodiscard]] Result<std::optional<Delivery>> find_delivery(Db& db, std::int64_t id);
struct DeliveryFilter {
    std::optional<DeliveryState> state = {};
    std::int64_t before_id = 0;  // only older ones; 0: from the newest
    int limit = 100;
};
// Newest first, without their bodies.
[[nodiscard]] Result<std::vector<Delivery>> list_deliveries(Db& db, const DeliveryFilter& filter);
// pending -> done, ignored or failed with its sentence, together with the facts it became. Errc::conflict if it is not pending.
[[nodiscard]] Status settle_delivery(Tx& tx, std::int64_t id, DeliveryState state, const std::string& outcome);
// Back to pending, whatever became of it. Errc::no_such; Errc::conflict where a later delivery of the same key is on record, or
// it was refused, so that its body is not.
[[nodiscard]] Status replay_delivery(Tx& tx, std::int64_t id);
// The counter of all that were ever refused (store/facts.h).
inline constexpr const char* refused_total = "deliveries_refused_total";
// How many there are of each state.
struct DeliveryCounts {
    std::int64_t pending = 0, done = 0, ignored = 0, failed = 0, refused = 0;
};
// Reads the pending ones, and of the others one row a state.
[[nodiscard]] Result<DeliveryCounts> count_deliveries(Db& db);

}  // namespace orchd::store

template <>
inline constexpr auto orchd::enum_text<orchd::store::DeliveryState> =
    std::to_array<std::string_view>({"pending", "done", "ignored", "failed", "refused"});
