// Forge and tracker, which tell by webhook: late, out of order, more than once. The listener that takes it.
#include <array>

#include "core/boundary.h"
#include "sim/house.h"
#include "store/deliveries.h"
#include "store/tasks.h"

namespace orchd::sim {

void House::senders() {
    constexpr std::int64_t every_ms = 700;
    if (chance_.is_calm()) return;
    scheduler_.in(every_ms, [this] { senders(); });
    if (chance_.strikes(Stroke::tell)) tell_something();
}

void House::tell_something() {
    const auto& item = items_[chance_.detail(items_.size())];
    const auto task = store::find_task(databases_.watching(), item);
    if (!task || !*task) return;
    const auto& project = (*task)->project;
    auto& branches = repositories_.at(project)->forge;
    const auto found = branches.find("task/" + item);
    const auto head = found == branches.end() ? branches.at("main") : found->second;
    Message message;
    switch (chance_.detail(6)) {
        case 0:
            message = told_.push(project, "task/" + item, head);
            break;
        case 1:
            message = told_.status(project, head, chance_.detail(2));
            break;
        case 2:
            message = told_.pull_request(project, item, head, chance_.detail(64));
            break;
        default: {
            const bool asked = (*task)->waiting_for == to_text(Gate::analysis_approved) && (*task)->hold == Hold::none;
            constexpr std::array answers{Told::State::approved, Told::State::rejected};
            const auto state = asked ? answers[chance_.detail(2)] : static_cast<Told::State>(chance_.detail(4));
            message = told_.work_item(project, item, state);
        }
    }
    const auto key = std::to_string(scheduler_.clock());
    const auto times = 1 + chance_.detail(3);
    for (std::uint64_t i = 0; i < times; ++i) {
        const auto wait = static_cast<std::int64_t>(chance_.detail(chance_.detail(2) == 0 ? 300 : 20'000));
        const bool as_new = chance_.detail(4) != 0;  // an attempt of its own, with a key of its own
        ++in_flight_;
        scheduler_.in(wait, [this, message, key = as_new ? key + '-' + std::to_string(i) : key] { arrives(message, key); });
    }
    scheduler_.note("!! " + message.source + " tells of " + item + " by " + message.event + ", " + std::to_string(times) +
                    " times");
}

// As the listener: on record, then answered. Whoever sends repeats what was not answered.
void House::arrives(const Message& message, const std::string& key) {
    auto& listener = scheduler_.spawn("orchd-listener", [this, message, key] {
        Databases::Lease lease(databases_);
        const store::NewDelivery delivery{.source = message.source,
                                          .dedup_key = key,
                                          .body_hash = "h",
                                          .event = message.event,
                                          .body = message.body,
                                          .received_at = scheduler_.now().utc_ms};
        boundary("listener.commit.before");
        const auto added = lease.db().write([&](store::Tx& tx) { return store::add_deliveries(tx, std::span(&delivery, 1)); });
        boundary("listener.commit.after");
        if (!added) return 1;
        poke_all();
        return 0;
    });
    callers_.insert(&listener);
    listener.on_end = [this, message, key](Process& ended) {
        constexpr std::int64_t patience_ms = 2000;
        callers_.erase(&ended);
        if (!ended.killed && ended.exit_status == 0)
            --in_flight_;
        else
            scheduler_.in(patience_ms, [this, message, key] { arrives(message, key); });
    };
}

}  // namespace orchd::sim
