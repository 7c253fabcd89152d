#include "store/deliveries.h"

#include "store/facts.h"
#include "store/query.h"

namespace orchd::store {
namespace {

Result<bool> on_record(Db& db, const std::string& source, const std::string& key) {
    return find_row(db, "SELECT 1 FROM deliveries WHERE source = ? AND dedup_key = ? AND state NOT IN ('failed', 'refused')",
                    first_integer, source, key)
        .map([](const auto& found) { return found.has_value(); });
}

// Counted here: a trigger on the insert would cost each of the others.
Result<Accepted> add_refused(Tx& tx, const NewDelivery& d) {
    auto& db = tx.db();
    auto counted = add_to_counter(tx, refused_total, 1, {.utc_ms = d.received_at, .boot_ms = 0, .boot_id = {}});
    if (!counted) return fail(counted.error());
    auto stored = change_one(db,
                             "INSERT INTO deliveries (source, dedup_key, body_hash, event, body, received_at, state, outcome,"
                             " peer, size) VALUES (?, ?, ?, ?, '', ?, 'refused', ?, ?, ?) ON CONFLICT DO NOTHING",
                             d.source, d.dedup_key, d.body_hash, d.event, d.received_at,
                             d.refused + " (" + std::to_string(d.size) + " bytes from " + d.peer + ')', d.peer, d.size);
    if (!stored) return fail(stored.error());
    if (*stored)
        if (auto one_more = write_rows(db, "UPDATE delivery_counts SET n = n + 1 WHERE state = 'refused'"); !one_more)
            return fail(one_more.error());
    return Accepted::refused;
}

Result<Accepted> add(Tx& tx, const NewDelivery& d) {
    if (!d.refused.empty()) return add_refused(tx, d);
    auto& db = tx.db();
    for (const auto& key : d.also_known_as) {
        auto known = on_record(db, d.source, key);
        if (!known) return fail(known.error());
        if (*known) return Accepted::duplicate;
    }
    return change_one(db,
                      "INSERT INTO deliveries (source, dedup_key, body_hash, event, body, received_at, peer, size)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                      d.source, d.dedup_key, d.body_hash, d.event, d.body, d.received_at, d.peer, d.size)
        .map([](bool stored) { return stored ? Accepted::stored : Accepted::duplicate; });
}

// All but the body.
Delivery read_head(const Row& row) {
    return {.id = row.integer(0),
            .source = row.text(1),
            .dedup_key = row.text(2),
            .body_hash = row.text(3),
            .event = row.text(4),
            .body = {},
            .received_at = row.integer(5),
            .state = word<DeliveryState>(row, 6),
            .outcome = row.text(7),
            .peer = row.text(8),
            .size = row.integer(9)};
}

}  // namespace

Result<std::vector<Accepted>> add_deliveries(Tx& tx, std::span<const NewDelivery> deliveries) {
    std::vector<Accepted> answers;
    answers.reserve(deliveries.size());
    for (const auto& delivery : deliveries) {
        auto added = add(tx, delivery);
        if (!added) return fail(added.error());
        answers.push_back(*added);
    }
    return answers;
}

Result<std::vector<std::int64_t>> pending_deliveries(Db& db, std::int64_t after_id, int at_most) {
    return list_rows(db, "SELECT id FROM deliveries WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?", first_integer,
                     after_id, at_most);
}

Result<std::optional<Delivery>> find_delivery(Db& db, std::int64_t id) {
    return find_row(
        db,
        "SELECT id, source, dedup_key, body_hash, event, received_at, state, outcome, peer, size, body FROM deliveries"
        " WHERE id = ?",
        [](const Row& row) {
            auto delivery = read_head(row);
            delivery.body = row.text(10);
            return delivery;
        },
        id);
}

Result<std::vector<Delivery>> list_deliveries(Db& db, const DeliveryFilter& filter) {
    std::string sql =
        "SELECT id, source, dedup_key, body_hash, event, received_at, state, outcome, peer, size FROM deliveries WHERE ";
    sql += filter.state ? "state = ?1" : "?1 IS NULL";
    if (filter.before_id != 0) sql += " AND id < ?2";
    sql += " ORDER BY id DESC LIMIT ?3";
    const auto state = filter.state ? std::optional(to_text(*filter.state)) : std::nullopt;
    return list_rows(db, sql, read_head, state, filter.before_id, filter.limit);
}

Status settle_delivery(Tx& tx, std::int64_t id, DeliveryState state, const std::string& outcome) {
    auto settled = change_one(tx.db(), "UPDATE deliveries SET state = ?, outcome = ? WHERE id = ? AND state = 'pending'",
                              to_text(state), outcome, id);
    if (!settled) return fail(settled.error());
    if (!*settled) return fail(Errc::conflict, "delivery " + std::to_string(id) + " is not pending");
    return {};
}

Status replay_delivery(Tx& tx, std::int64_t id) {
    auto& db = tx.db();
    auto delivery = find_delivery(db, id);
    if (!delivery) return fail(delivery.error());
    if (!*delivery) return fail(Errc::no_such, "there is no delivery " + std::to_string(id));
    if ((*delivery)->state == DeliveryState::refused)
        return fail(Errc::conflict, "delivery " + std::to_string(id) + " was refused (" + (*delivery)->outcome +
                                        "), so its body is not on record: have the sender send it again");
    if ((*delivery)->state == DeliveryState::failed) {
        auto sent_again = on_record(db, (*delivery)->source, (*delivery)->dedup_key);
        if (!sent_again) return fail(sent_again.error());
        if (*sent_again)
            return fail(Errc::conflict, "delivery " + std::to_string(id) + " was sent again, and that one is on record");
    }
    return write_rows(db, "UPDATE deliveries SET state = 'pending', outcome = '' WHERE id = ?", id);
}

Result<DeliveryCounts> count_deliveries(Db& db) {
    DeliveryCounts counts;
    auto pending = find_row(db, "SELECT count(*) FROM deliveries WHERE state = 'pending'", first_integer);
    if (!pending) return fail(pending.error());
    counts.pending = **pending;
    auto settled = list_rows(db, "SELECT state, n FROM delivery_counts",
                             [](const Row& row) { return std::pair(word<DeliveryState>(row, 0), row.integer(1)); });
    if (!settled) return fail(settled.error());
    for (const auto& [state, n] : *settled)
        (state == DeliveryState::done      ? counts.done
         : state == DeliveryState::ignored ? counts.ignored
         : state == DeliveryState::failed  ? counts.failed
                                           : counts.refused) = n;
    return counts;
}

}  // namespace orchd::store
