#include "listener/webhooks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <utility>

#include "core/time.h"
#include "core/work_item.h"
#include "host/log.h"
#include "listener/json_look.h"
#include "net/form.h"

namespace orchd::listener {
namespace {

constexpr std::size_t longest_word = 100;  // of a header that is put on record
constexpr std::int64_t tell_again_ms = 60'000;

enum class Format { json, form, other };
Format format_of(const net::Request& head) {
    auto type = std::string(head.field("content-type"));
    type.resize(std::min(type.find(';'), type.size()));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (type == "application/json") return Format::json;
    return type == "application/x-www-form-urlencoded" ? Format::form : Format::other;
}

// The first of these headers that says something, if it is a plain word.
std::string word_of(const net::Request& request, std::span<const std::string_view> names) {
    for (const auto name : names) {
        const auto value = request.field(name);
        if (value.empty() || value.size() > longest_word) continue;
        if (std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < '\x7f'; })) return std::string(value);
    }
    return {};
}

// The hex digits of a signature header, "sha256=" in front or not.
std::string_view digits_of(std::string_view value) {
    constexpr std::string_view scheme = "sha256=";
    if (value.starts_with(scheme)) value.remove_prefix(scheme.size());
    return value;
}

// "gitea", or "gitea/PROJECT".
std::string source_of(std::string_view name, const net::Request& request) {
    return request.wildcard.empty() ? std::string(name) : std::string(name) + '/' + request.wildcard;
}

}  // namespace

// How a sender of webhooks writes them.
struct Webhooks::Dialect {
    std::string_view name;
    std::span<const std::string_view> signatures, events;
    // Sets the keys by which a delivery is known, from its headers and a look at its body.
    void (*identify)(const net::Request&, const Look&, store::NewDelivery&);
};

namespace {

// Event-Type before Event: Gitea 1.23.0 leaves the latter empty, and it means two things in one case.
constexpr std::array<std::string_view, 3> gitea_signatures{"x-gitea-signature", "x-forgejo-signature", "x-hub-signature-256"};
constexpr std::array<std::string_view, 6> gitea_events{"x-gitea-event-type", "x-forgejo-event-type", "x-github-event-type",
                                                       "x-gitea-event",      "x-forgejo-event",      "x-github-event"};
constexpr std::array<std::string_view, 3> gitea_ids{"x-gitea-delivery", "x-forgejo-delivery", "x-github-delivery"};
constexpr std::array<std::string_view, 1> plane_signatures{"x-plane-signature"};
constexpr std::array<std::string_view, 1> plane_events{"x-plane-event"};

void identify_gitea(const net::Request& request, const Look&, store::NewDelivery& delivery) {
    delivery.dedup_key = word_of(request, gitea_ids);
    if (delivery.dedup_key.empty()) delivery.dedup_key = "body:" + delivery.body_hash;
}

// Its delivery id is another with each attempt.
void identify_plane(const net::Request&, const Look& look, store::NewDelivery& delivery) {
    if (!look.event_id.empty()) {
        delivery.dedup_key = "event:" + look.event_id;
        return;
    }
    const auto in_window = [&](std::int64_t window) {
        return look.webhook_id + ':' + delivery.body_hash + ':' + std::to_string(window);
    };
    const auto window = delivery.received_at / Webhooks::window_ms;
    delivery.dedup_key = in_window(window);
    delivery.also_known_as = {in_window(window - 1)};
}

}  // namespace

const Webhooks::Dialect Webhooks::gitea{"gitea", gitea_signatures, gitea_events, identify_gitea};
const Webhooks::Dialect Webhooks::plane{"plane", plane_signatures, plane_events, identify_plane};

Webhooks::Webhooks(Secrets secrets, WebhookClocks clocks, Writer& writer)
    : secrets_(std::move(secrets)), clocks_(std::move(clocks)), writer_(writer) {}

void Webhooks::add_to(net::Router& router) {
    for (const auto* dialect : {&gitea, &plane}) {
        const auto path = "/webhooks/" + std::string(dialect->name);
        add_source(router, *dialect, path);
        add_source(router, *dialect, path + "/*");
    }
}

void Webhooks::add_source(net::Router& router, const Dialect& dialect, const std::string& path) {
    router.add({.method = "POST",
                .path = path,
                .handler = [this, &dialect](net::Request request,
                                            net::Reply reply) { take(dialect, std::move(request), std::move(reply)); },
                .most_body = most_body,
                .admission = [this, &dialect](const net::Request& head) { return admit(dialect, head); }});
}

std::optional<net::Response> Webhooks::admit(const Dialect& dialect, const net::Request& head) {
    if (!head.wildcard.empty() && !valid_project_name(head.wildcard))
        return net::error_response(404, "this is no name of a project");
    if (format_of(head) == Format::other)
        return net::error_response(415, "a webhook is application/json or application/x-www-form-urlencoded");
    if (const auto coding = head.field("content-encoding"); !coding.empty() && coding != "identity")
        return net::error_response(415, "a webhook is sent without a content coding");
    const auto source = source_of(dialect.name, head);
    if (secrets_.of(source) == nullptr) {
        tell_missing_secret(source);
        return unsigned_answer(head);
    }
    const bool claims = std::any_of(dialect.signatures.begin(), dialect.signatures.end(),
                                    [&](auto name) { return !digits_of(head.field(name)).empty(); });
    return claims ? std::nullopt : std::optional(unsigned_answer(head));
}

void Webhooks::take(const Dialect& dialect, net::Request request, net::Reply reply) {
    if (format_of(request) == Format::form) {
        auto payload = net::form_value(request.body, "payload");
        if (!payload) return reply.send(net::error_response(400, "the form has not exactly one field named payload"));
        request.body = std::move(*payload);
    }
    const auto source = source_of(dialect.name, request);
    const auto right = [&](const net::Hmac& secret) {
        return std::any_of(dialect.signatures.begin(), dialect.signatures.end(),
                           [&](auto name) { return secret.signs(request.body, digits_of(request.field(name))); });
    };
    const auto& secrets = *secrets_.of(source);
    if (std::none_of(secrets.begin(), secrets.end(), right)) return reply.send(unsigned_answer(request));
    reply.trust();
    const auto look = look_at(request.body);
    if (!look) return reply.send(net::error_response(400, look.error().text));
    store::NewDelivery delivery{.source = source,
                                .dedup_key = {},
                                .body_hash = net::sha256_hex(request.body),
                                .event = word_of(request, dialect.events),
                                .body = {},
                                .received_at = clocks_.utc_ms()};
    dialect.identify(request, *look, delivery);
    delivery.body = std::move(request.body);
    writer_.submit(std::move(delivery), std::move(reply));
}

net::Response Webhooks::unsigned_answer(const net::Request& request) {
    if (!failures_.one_more(request.source, clocks_.boot_ms()))
        return net::error_response(401, "the signature is missing or wrong");
    auto response = net::error_response(429, "too many wrong signatures from this address");
    response.fields.push_back({"Retry-After", "60"});
    return response;
}

void Webhooks::tell_missing_secret(const std::string& source) {
    if (told_at_.size() > Failures::most_sources) told_at_.clear();
    if (!due_again(told_at_[source], clocks_.boot_ms(), tell_again_ms)) return;
    const auto kind = source.substr(0, source.find('/'));
    host::log(host::Level::warning, "a webhook for " + source +
                                        " is refused: there is no secret in /etc/orchd/credentials/webhooks/" + kind +
                                        "; put it there and restart orchd-listener.service");
}

}  // namespace orchd::listener
