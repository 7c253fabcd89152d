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

Webhooks::Webhooks(Secrets secrets, WebhookClocks clocks, Writer& writer, std::size_t most_body)
    : secrets_(std::move(secrets)), clocks_(std::move(clocks)), writer_(writer), most_body_(most_body) {}

struct Refused {
    int status = 0;
    std::string text;
};

namespace {

const Refused bad_form{400, "the form has not exactly one field named payload"};

// What the head alone refuses.
std::optional<Refused> refused_by_head(const net::Request& head) {
    if (!head.wildcard.empty() && !valid_project_name(head.wildcard)) return Refused{404, "this is no name of a project"};
    if (format_of(head) == Format::other)
        return Refused{415, "a webhook is application/json or application/x-www-form-urlencoded"};
    if (const auto coding = head.field("content-encoding"); !coding.empty() && coding != "identity")
        return Refused{415, "a webhook is sent without a content coding"};
    return std::nullopt;
}

}  // namespace

// Who claims a signature is read first, whatever the head says: what is signed right is not refused without a trace.
std::optional<net::Response> Webhooks::admit(const Dialect& dialect, const net::Request& head) {
    const auto refused = refused_by_head(head);
    const auto source = source_of(dialect.name, head);
    const bool secret = secrets_.of(source) != nullptr;
    const bool claims = std::any_of(dialect.signatures.begin(), dialect.signatures.end(),
                                    [&](auto name) { return !digits_of(head.field(name)).empty(); });
    if (claims && secret) return std::nullopt;
    if (refused) return net::error_response(refused->status, refused->text);
    if (!secret) tell_missing_secret(source);
    return unsigned_answer(head);
}

// One delivery as it comes. Its signature is worked out piece by piece; only what may be put on record is kept.
class Webhooks::Incoming final : public net::Body {
public:
    Incoming(Webhooks& webhooks, const Dialect& dialect, const net::Request& head, std::size_t announced)
        : webhooks_(webhooks), dialect_(dialect), refused_(refused_by_head(head)) {
        for (const auto& secret : *webhooks.secrets_.of(source_of(dialect.name, head))) codes_.push_back(secret.begin());
        if (!refused_ && format_of(head) == Format::form)
            form_.emplace("payload", [this](std::string_view piece) { take(piece); });
        else if (!refused_ && announced <= webhooks.most_body_)
            kept_.reserve(announced);
    }

    void put(std::string_view piece) override {
        size_ += piece.size();
        form_ ? form_->put(piece) : take(piece);
    }
    [[nodiscard]] std::size_t held() const override { return kept_.size(); }

    void finish(net::Request request, net::Reply reply) override {
        const bool whole = !form_ || form_->finish();
        if (!signed_right(request)) {
            if (!refused_ && !whole) refused_ = bad_form;
            return reply.send(refused_ ? answer(*refused_) : webhooks_.unsigned_answer(request));
        }
        reply.trust();
        if (!whole) refused_ = bad_form;
        if (!refused_ && signed_bytes_ > webhooks_.most_body_)
            refused_ = Refused{413, "the body has " + std::to_string(signed_bytes_) + " bytes, " +
                                        std::to_string(webhooks_.most_body_) + " is the most (webhook_max_bytes)"};
        auto look = refused_ ? Result<Look>(Look{}) : look_at(kept_);
        if (!look) refused_ = Refused{400, look.error().text};
        submit(request, look ? *look : Look{}, std::move(reply));
    }

private:
    static net::Response answer(const Refused& refused) { return net::error_response(refused.status, refused.text); }

    // A piece of what was signed.
    void take(std::string_view piece) {
        for (auto& code : codes_) code.add(piece);
        hash_.add(piece);
        signed_bytes_ += piece.size();
        if (refused_) return;
        if (signed_bytes_ > webhooks_.most_body_) return std::string().swap(kept_);
        // Its length was not said: room for all of it at once, of which the host gives what is used.
        constexpr std::size_t small = 64u << 10;
        const auto size = kept_.size() + piece.size();
        if (size > kept_.capacity()) kept_.reserve(size <= small ? small : webhooks_.most_body_);
        kept_ += piece;
    }

    bool signed_right(const net::Request& request) {
        bool right = false;
        for (auto& code : codes_) {
            const auto is = code.finish();
            for (const auto name : dialect_.signatures) right = is(digits_of(request.field(name))) || right;
        }
        return right;
    }

    void submit(const net::Request& request, const Look& look, net::Reply reply) {
        const bool named = request.wildcard.empty() || valid_project_name(request.wildcard);
        store::NewDelivery delivery{.source = named ? source_of(dialect_.name, request) : std::string(dialect_.name),
                                    .dedup_key = {},
                                    .body_hash = hash_.finish(),
                                    .event = word_of(request, dialect_.events),
                                    .body = {},
                                    .received_at = webhooks_.clocks_.utc_ms(),
                                    .peer = request.source,
                                    .size = static_cast<std::int64_t>(size_)};
        dialect_.identify(request, look, delivery);
        if (!refused_) {
            delivery.body = std::move(kept_);
            return webhooks_.writer_.submit(std::move(delivery), std::move(reply));
        }
        delivery.refused = std::to_string(refused_->status) + ": " + refused_->text;
        webhooks_.writer_.refuse(std::move(delivery), answer(*refused_), std::move(reply));
    }

    Webhooks& webhooks_;
    const Dialect& dialect_;
    std::optional<Refused> refused_;
    std::vector<net::Hmac::Running> codes_;
    net::Sha256 hash_;
    std::optional<net::FormField> form_;
    std::string kept_;
    std::size_t size_ = 0;          // of the body as it came
    std::size_t signed_bytes_ = 0;  // of it, or of the form's field
};

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
                .handler = {},
                .most_body = most_read,
                .admission = [this, &dialect](const net::Request& head) { return admit(dialect, head); },
                .open_body = [this, &dialect](const net::Request& head, std::size_t announced) -> std::unique_ptr<net::Body> {
                    return std::make_unique<Incoming>(*this, dialect, head, announced);
                }});
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
