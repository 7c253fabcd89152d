#include <boost/json.hpp>
#include <memory>

#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

struct DeliveryFilter {
    std::string state;
    std::uint64_t before = 0, limit = 50;
};

Paint paint_of(const std::string& state) {
    if (state == "failed" || state == "refused") return Paint::red;
    if (state == "pending") return Paint::yellow;
    return state == "ignored" ? Paint::dim : Paint::none;
}

Status list_deliveries(Session& session, const DeliveryFilter& given) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    Options filter{{"limit", given.limit}};
    if (!given.state.empty()) filter.emplace_back("state", given.state);
    if (given.before > 0) filter.emplace_back("before", given.before);
    const auto deliveries = client->list("ListDeliveries", {filter}, delivery_fields());
    if (!deliveries) return fail(deliveries.error());
    if (session.json) {
        session.document(to_json(*deliveries));
        return {};
    }
    if (deliveries->empty()) {
        session.line("No deliveries.");
        return {};
    }
    Table table({{"DELIVERY", Align::right}, {"RECEIVED"}, {"SOURCE"}, {"EVENT"}, {"STATE"}, {"OUTCOME"}});
    for (const auto& d : *deliveries) {
        const auto& state = d.text("state");
        table.add({std::to_string(d.number("id")),
                   local_time(d.number("received_at")),
                   d.text("source"),
                   d.text("event"),
                   {state, paint_of(state)},
                   d.text("outcome")});
    }
    session.table(table);
    return {};
}

Status show(Session& session, std::uint64_t id) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    auto delivery = ask_story(*client, "GetDelivery", {id});
    if (!delivery) return fail(delivery.error());
    if (session.json) {
        session.document(std::move(*delivery));
        return {};
    }
    Table table({{"PROPERTY"}, {"VALUE"}});
    for (const auto& [name, value] : *delivery) {
        if (name == "body") continue;
        const auto* words = value.if_string();
        table.add({std::string(name), words != nullptr        ? std::string(*words)
                                      : name == "received_at" ? local_time(value.to_number<std::int64_t>())
                                                              : json::serialize(value)});
    }
    session.table(table);
    if (const auto* body = delivery->if_contains("body"); body != nullptr && body->is_string()) {
        session.line("");
        session.line(printable_lines(std::string(body->get_string())));
    }
    return {};
}

}  // namespace

void add_webhook(Command app, Session& session) {
    const auto webhook = app.family("webhook", "Webhook deliveries: what came in, and what became of it");

    const auto filter = std::make_shared<DeliveryFilter>();
    const auto listing = webhook.add("list", "List deliveries, the newest first");
    listing.option("--state", filter->state, "Only pending, done, ignored, failed or refused ones");
    listing.option("--before", filter->before, "Only those older than this delivery");
    listing.option("--limit", filter->limit, "At most so many; 50 where it is left out").between(1, 10000);
    listing.does([&session, filter] { return list_deliveries(session, *filter); });

    const auto id = std::make_shared<std::uint64_t>();
    const auto add = [&](const char* name, const char* text, std::function<Status()> command) {
        const auto added = webhook.add(name, text);
        added.option("DELIVERY", *id, "The delivery's number").required();
        added.does(std::move(command));
    };
    add("show", "Show a delivery with its body", [&session, id] { return show(session, *id); });
    add("replay", "Take a delivery in again, whatever became of it, unless it was refused", [&session, id] {
        return act(session, "ReplayDelivery", {*id}, "Delivery " + std::to_string(*id) + " will be taken in again.");
    });
}

}  // namespace orchd::orchctl
