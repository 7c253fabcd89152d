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
    // A body is read so far, whatever is kept of it, to see whether it was signed; what is larger is refused as a stranger's.
    static constexpr std::size_t most_read = 128u << 20;
    // Two equal bodies of one Plane webhook are one delivery if they come within this time of each other, or a little more:
    // longer than Plane goes on sending one.
    static constexpr std::int64_t window_ms = 3'600'000;

    // A signed body of more than `most_body` bytes (of a form: its payload) is on record as refused.
    Webhooks(Secrets secrets, WebhookClocks clocks, Writer& writer, std::size_t most_body);
    Webhooks(const Webhooks&) = delete;
    void add_to(net::Router& router);

private:
    struct Dialect;
    class Incoming;
    void add_source(net::Router& router, const Dialect& dialect, const std::string& path);
    [[nodiscard]] std::optional<net::Response> admit(const Dialect& dialect, const net::Request& head);
    [[nodiscard]] net::Response unsigned_answer(const net::Request& request);
    void tell_missing_secret(const std::string& source);
    static const Dialect gitea, plane;

    Secrets secrets_;
    WebhookClocks clocks_;
    Writer& writer_;
    const std::size_t most_body_;
    Failures failures_;
    std::unordered_map<std::string, std::optional<std::int64_t>> told_at_;  // that a source has no secret
};

}  // namespace orchd::listener
