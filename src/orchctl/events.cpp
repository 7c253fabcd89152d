#include "orchctl/events.h"

#include <boost/json.hpp>
#include <memory>

#include "orchctl/client.h"
#include "orchctl/commands.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

struct EventsOptions {
    std::string work_item;
    std::uint64_t lines = 50;
    bool follow = false;
};

// "from=review to=testing": the members of the event's object that are no objects themselves.
std::string data_text(const std::string& data) {
    boost::system::error_code error;
    const auto value = json::parse(data, error);
    if (error || !value.is_object()) return data;
    std::string text;
    for (const auto& [name, part] : value.get_object()) {
        if (part.is_null() || (part.is_string() && part.get_string().empty())) continue;
        text += (text.empty() ? "" : " ") + std::string(name) + '=' +
                (part.is_string() ? std::string(part.get_string()) : json::serialize(part));
    }
    return text;
}

// `data` as the object that it is, so that nobody parses twice.
json::object event_json(const Record& event) {
    auto object = to_json(event);
    boost::system::error_code error;
    auto data = json::parse(event.text("data"), error);
    if (!error) object["data"] = std::move(data);
    return object;
}

Result<Records> newer(Client& client, const EventsOptions& given, std::int64_t after) {
    Options filter;
    if (!given.work_item.empty()) filter.emplace_back("work_item", given.work_item);
    if (after > 0) {
        filter.emplace_back("after", static_cast<std::uint64_t>(after));
    } else {
        filter.emplace_back("limit", given.lines);
    }
    return client.list("ListEvents", {filter}, event_fields());
}

// One event a line in JSON too, so that following it can be read as it grows.
void print(Session& session, const Records& events, std::int64_t& last) {
    for (const auto& event : events) {
        last = event.number("id");
        if (session.json) {
            session.document(event_json(event));
        } else {
            session.line(event_line(event, session.colours()));
        }
    }
}

Status events(Session& session, const EventsOptions& given) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    if (given.follow) {
        if (auto subscribed = client->subscribe(); !subscribed) return subscribed;
    }
    std::int64_t last = 0;
    const auto first = newer(*client, given, last);
    if (!first) return fail(first.error());
    print(session, *first, last);
    // Not every event has its signal: what has none is seen at the next look.
    constexpr std::int64_t look_again_ms = 2000;
    while (given.follow) {
        const auto read = session.flush();
        if (!read) return fail(read.error());
        if (!*read) return {};  // nobody reads any more
        if (auto waited = client->wait(look_again_ms); !waited) return waited;
        const auto more = newer(*client, given, last);
        if (!more) return fail(more.error());
        print(session, *more, last);
    }
    return {};
}

}  // namespace

std::string event_line(const Record& event, bool colours) {
    const auto& work_item = event.text("work_item");
    return coloured(local_time(event.number("at")), Paint::dim, colours) + "  " +
           (work_item.empty() ? "" : printable(work_item) + "  ") +
           coloured(printable(event.text("kind")), Paint::bold, colours) + "  " + printable(data_text(event.text("data"))) +
           "  " + coloured("(" + printable(event.text("actor")) + ")", Paint::dim, colours);
}

void add_events(Command app, Session& session) {
    const auto given = std::make_shared<EventsOptions>();
    const auto command = app.add("events", "Show the history: of everything, or of one task");
    command.option("WORK-ITEM", given->work_item, "Only of this task");
    command.flag("-f,--follow", given->follow, "Go on with what happens from now on");
    command.option("-n,--lines", given->lines, "How many of the newest; 50 where it is left out").between(1, 10000);
    command.does([&session, given] { return events(session, *given); });
}

}  // namespace orchd::orchctl
