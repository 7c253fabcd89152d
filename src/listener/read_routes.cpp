#include "listener/read_routes.h"

#include <boost/json.hpp>
#include <charconv>

#include "core/work_item.h"

namespace orchd::listener {
namespace {

namespace json = boost::json;

constexpr const char* prometheus_text = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* openmetrics_text = "application/openmetrics-text; version=1.0.0; charset=utf-8";

net::Response page_response(const char* content_type, std::string body) {
    return {.status = 200, .content_type = content_type, .body = std::move(body), .fields = {}};
}

net::Response refusal(const Error& error) {
    auto response = net::error_response(face(error.code).http_status, error.text);
    if (response.status == 503) response.fields.push_back({"Retry-After", "1"});
    return response;
}

// A page that is answered as it is made.
net::Handler page(Reader& reader, std::string name, const char* content_type, Reader::Make make) {
    return [&reader, name = std::move(name), content_type, make = std::move(make)](const net::Request&, net::Reply reply) {
        // A std::function must be copyable, and a reply is not.
        auto to = std::make_shared<net::Reply>(std::move(reply));
        reader.ask(name, make, [to, content_type](const Result<std::string>& text) {
            to->send(text ? page_response(content_type, *text) : refusal(text.error()));
        });
    };
}

void task(Reader& reader, const net::Request& request, net::Reply reply) {
    const auto item = WorkItem::parse(request.wildcard);
    if (!item) return reply.send(refusal(item.error()));
    const auto make = [item = item->text()](const views::WorldView& view) { return views::task_json(view, item); };
    page(reader, "/tasks/" + item->text(), "application/json", make)(request, std::move(reply));
}

net::Response failing(const Error& error) {
    auto response = refusal({Errc::unavailable, error.text});
    const auto* part = error.code == Errc::no_space ? "disk" : "database";
    response.body = json::serialize(json::object{{"status", "failing"}, {"part", part}, {"error", error.text}});
    return response;
}

// 503 whatever it is that fails: who asks wants to know whether to send work here. First what is read, then whether anything
// can be written.
void is_healthy(Reader& reader, Health& health, net::Reply reply) {
    auto to = std::make_shared<net::Reply>(std::move(reply));
    reader.ask("/health", views::health_json, [to, &health](const Result<std::string>& text) {
        if (!text) return to->send(failing(text.error()));
        health.ask([to, text = *text](const Status& written) {
            to->send(written ? page_response("application/json", text) : failing(written.error()));
        });
    });
}

void metrics(Reader& reader, const Answers& answers, const net::Request& request, net::Reply reply) {
    const bool open = request.field("accept").find("application/openmetrics-text") != std::string_view::npos;
    const auto format = open ? views::MetricsFormat::openmetrics : views::MetricsFormat::prometheus;
    const auto make = [format, &answers](const views::WorldView& view) {
        return views::metrics_text(view, answers.totals(), format);
    };
    page(reader, open ? "/metrics openmetrics" : "/metrics", open ? openmetrics_text : prometheus_text, make)(request,
                                                                                                              std::move(reply));
}

// The event that a client saw last: Last-Event-ID, or ?after=.
Result<std::optional<std::int64_t>> last_seen(const net::Request& request) {
    constexpr std::string_view after = "after=";
    std::string_view text = request.field("last-event-id");
    if (text.empty()) {
        if (request.query.empty()) return std::nullopt;
        if (!request.query.starts_with(after)) return fail(Errc::invalid_argument, "the only parameter of /events is after=ID");
        text = std::string_view(request.query).substr(after.size());
    }
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size() || id < 0)
        return fail(Errc::invalid_argument, "the id of an event is a number");
    return id;
}

void events(Reader& reader, const net::Request& request, net::Reply reply) {
    const auto after = last_seen(request);
    if (!after) return reply.send(refusal(after.error()));
    reader.follow(std::move(reply), *after);
}

}  // namespace

void add_read_routes(net::Router& router, Reader& reader, Health& health, const Answers& answers) {
    const auto add = [&](const char* path, net::Handler handler) {
        router.add({.method = "GET", .path = path, .handler = std::move(handler)});
    };
    using net::Reply;
    using net::Request;
    add("/health", [&](const Request&, Reply reply) { is_healthy(reader, health, std::move(reply)); });
    add("/status", page(reader, "/status", "application/json", views::status_json));
    add("/queue", page(reader, "/queue", "application/json", views::queue_json));
    add("/tasks/*", [&reader](const Request& request, Reply reply) { task(reader, request, std::move(reply)); });
    add("/events", [&reader](const Request& request, Reply reply) { events(reader, request, std::move(reply)); });
    add("/metrics", [&](const Request& request, Reply reply) { metrics(reader, answers, request, std::move(reply)); });
}

}  // namespace orchd::listener
