// POST /webhooks/SOURCE[/PROJECT]: who signs right is put on record, whatever it says; nothing else is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "listener/failures.h"
#include "listener/secrets.h"
#include "listener/writer.h"
#include "net/router.h"

namespace orchd::listener {

struct WebhookClocks {
    std::function<std::int64_t()> utc_ms, boot_ms;
};

// Lives on the server's thread; its routes refer to it.
class Webhooks {
public:
    static constexpr std::size_t most_body = 1u << 20;
    // Two equal bodies of one Plane webhook are one delivery if they come within this time of each other, or a little more:
    // longer than Plane goes on sending one.
    static constexpr std::int64_t window_ms = 3'600'000;

    Webhooks(Secrets secrets, WebhookClocks clocks, Writer& writer);
    Webhooks(const Webhooks&) = delete;
    void add_to(net::Router& router);

private:
    struct Dialect;
    void add_source(net::Router& router, const Dialect& dialect, const std::string& path);
    [[nodiscard]] std::optional<net::Response> admit(const Dialect& dialect, const net::Request& head);
    void take(const Dialect& dialect, net::Request request, net::Reply reply);
    [[nodiscard]] net::Response unsigned_answer(const net::Request& request);
    void tell_missing_secret(const std::string& source);
    static const Dialect gitea, plane;

    Secrets secrets_;
    WebhookClocks clocks_;
    Writer& writer_;
    Failures failures_;
    std::unordered_map<std::string, std::optional<std::int64_t>> told_at_;  // that a source has no secret
};

}  // namespace orchd::listener
