#include "net/router.h"

#include <algorithm>
#include <utility>

#include "net/hex.h"

namespace orchd::net {
namespace {

bool answers(const Route& route, std::string_view method) {
    return route.method == method || (route.method == "GET" && method == "HEAD");
}

// What `pattern`'s star stands for in `path`; "" for a pattern without one; nothing if they do not fit.
std::optional<std::string_view> fit(std::string_view pattern, std::string_view path) {
    if (!pattern.ends_with('*')) return pattern == path ? std::optional(std::string_view()) : std::nullopt;
    pattern.remove_suffix(1);
    if (!path.starts_with(pattern)) return std::nullopt;
    path.remove_prefix(pattern.size());
    if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
    return path;
}

}  // namespace

Stream::Stream(std::shared_ptr<Outlet> outlet) : outlet_(std::move(outlet)) {}
Stream& Stream::operator=(Stream&& other) noexcept {
    std::swap(outlet_, other.outlet_);
    return *this;
}
Stream::~Stream() {
    if (outlet_) outlet_->end_stream();
}
bool Stream::write(std::string piece) { return outlet_->write(std::move(piece)); }
bool Stream::open() const { return outlet_->open(); }
void Stream::when_sent(std::function<void()> then) { outlet_->when_sent(std::move(then)); }

Reply::Reply(std::shared_ptr<Outlet> outlet) : outlet_(std::move(outlet)) {}
Reply& Reply::operator=(Reply&& other) noexcept {
    std::swap(outlet_, other.outlet_);
    return *this;
}
Reply::~Reply() {
    if (outlet_) outlet_->respond(error_response(500, "the request was not answered"));
}
void Reply::send(Response response) { std::exchange(outlet_, nullptr)->respond(std::move(response)); }
Stream Reply::stream(Response head) {
    auto outlet = std::exchange(outlet_, nullptr);
    outlet->begin_stream(std::move(head));
    return Stream(std::move(outlet));
}
void Reply::trust() { outlet_->trust(); }

void Router::add(Route route) { routes_.push_back(std::move(route)); }

Router::Match Router::match(std::string_view method, std::string_view path) const {
    std::string allow;
    for (const auto& route : routes_) {
        const auto rest = fit(route.path, path);
        if (!rest) continue;
        if (answers(route, method)) {
            auto decoded = percent_decoded(*rest);
            if (!decoded) return {.refusal = error_response(400, "a broken escape in the path")};
            return {.route = &route, .wildcard = std::move(*decoded)};
        }
        if (!allow.empty()) allow += ", ";
        allow += route.method == "GET" ? "GET, HEAD" : route.method;
    }
    if (allow.empty()) return {.refusal = error_response(404, "there is nothing here")};
    auto refusal = error_response(405, "this method is not for this address");
    refusal.fields.push_back({"Allow", allow});
    return {.refusal = std::move(refusal)};
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            bytes += text[at];
            continue;
        }
        const auto byte = text.size() - at > 2 ? byte_of_hex(text[at + 1], text[at + 2]) : std::nullopt;
        if (!byte || *byte == 0) return std::nullopt;
        bytes += static_cast<char>(*byte);
        at += 2;
    }
    return bytes;
}

}  // namespace orchd::net
