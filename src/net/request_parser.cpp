#include "net/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace orchd::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using View = boost::beast::string_view;

constexpr std::size_t most_fields = 100;
// A chunk's size line with its extensions, or the trailers: what the parser wants in one piece.
constexpr std::size_t chunk_line_limit = 4096;

std::string_view view(View text) { return {text.data(), text.size()}; }

// Printable ASCII, what percent-encoding leaves of a target.
bool plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// The first thing wrong with a head as bytes, up to and with its empty line.
const char* fault_of(std::string_view head) {
    for (std::size_t at = 0; at < head.size(); ++at) {
        const auto c = static_cast<unsigned char>(head[at]);
        if (c == '\r') {
            if (at + 1 == head.size() || head[at + 1] != '\n') return "a carriage return inside a line";
            ++at;
            const char next = at + 1 < head.size() ? head[at + 1] : 'x';
            if (next == ' ' || next == '\t') return "a folded header line";
        } else if ((c < ' ' && c != '\t') || c == 0x7f) {
            return c == '\n' ? "a line feed without its carriage return" : "a control character in the header";
        }
    }
    return nullptr;
}

// The target without scheme and authority. Empty: neither a path nor an absolute URL.
std::string_view path_of(std::string_view target) {
    if (target.starts_with('/')) return target;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!boost::beast::iequals(View(target.data(), std::min(target.size(), scheme.size())),
                                   View(scheme.data(), scheme.size())))
            continue;
        const auto slash = target.find('/', scheme.size());
        return slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    return {};
}

}  // namespace

struct RequestParser::Parts : http::basic_parser<true> {
    explicit Parts(std::size_t limit) : limit_of_head(limit) {
        eager(true);
        header_limit(static_cast<std::uint32_t>(limit + 1));
        body_limit(boost::none);
    }

    std::size_t limit_of_head;
    std::size_t limit_of_body = 0;
    std::string kept;  // bytes that wait for the rest of their line or head
    Request request;
    std::size_t body_size = 0;
    std::function<void(std::string_view)> take_piece;
    std::optional<Refusal> refused;
    bool old = false, continues = false, announced = false;
    bool has_length = false, has_coding = false;
    int hosts = 0;

    void refuse(int status, std::string text) {
        if (!refused) refused = Refusal{status, std::move(text)};
    }
    error_code stop(int status, std::string text) {
        refuse(status, std::move(text));
        return http::error::bad_field;
    }
    std::size_t take_head(std::string_view bytes);
    std::size_t take_body(std::string_view bytes);
    void parse(std::string_view bytes, std::size_t& used);
    void judge_head();
    error_code add_field(std::string_view name, std::string_view value);

    void on_request_impl(http::verb, View method, View target, int version, error_code& ec) override {
        old = version == 10;
        request.method = view(method);
        const auto whole = view(target);
        const auto path = path_of(whole);
        if (path.empty() || !plain(whole)) {
            ec = stop(400, "the target of the request is no path");
            return;
        }
        const auto mark = path.find('?');
        request.path = path.substr(0, mark);
        if (mark != std::string_view::npos) request.query = path.substr(mark + 1);
    }
    void on_response_impl(int, View, int, error_code&) override {}
    void on_field_impl(http::field, View name, View value, error_code& ec) override {
        if (!is_header_done()) ec = add_field(view(name), view(value));  // trailers are passed over
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
    std::size_t on_body_impl(View piece, error_code& ec) override {
        body_size += piece.size();
        if (body_size > limit_of_body)
            ec = stop(413, "the body is larger than " + std::to_string(limit_of_body) + " bytes");
        else if (take_piece)
            take_piece(view(piece));
        else
            request.body.append(piece.data(), piece.size());
        return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t size, View, error_code& ec) override {
        if (size > limit_of_body - std::min(limit_of_body, body_size))
            ec = stop(413, "the body is larger than " + std::to_string(limit_of_body) + " bytes");
    }
    std::size_t on_chunk_body_impl(std::uint64_t, View piece, error_code& ec) override { return on_body_impl(piece, ec); }
    void on_finish_impl(error_code&) override {}
};

error_code RequestParser::Parts::add_field(std::string_view name, std::string_view value) {
    if (request.fields.size() == most_fields) return stop(431, "more than " + std::to_string(most_fields) + " header fields");
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (lower == "content-length") {
        const bool number = !value.empty() && value.size() <= 18 &&
                            std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!number) return stop(400, "Content-Length is no number");
        if (has_length) return stop(400, "Content-Length twice");
        has_length = true;
        announced = value.find_first_not_of('0') != std::string_view::npos;
    } else if (lower == "transfer-encoding") {
        if (!boost::beast::iequals(View(value.data(), value.size()), "chunked"))
            return stop(400, "a Transfer-Encoding other than chunked");
        if (has_coding) return stop(400, "Transfer-Encoding twice");
        has_coding = announced = true;
    } else if (lower == "host") {
        ++hosts;
    } else if (lower == "expect") {
        if (!boost::beast::iequals(View(value.data(), value.size()), "100-continue"))
            return stop(417, "an expectation other than 100-continue");
        continues = true;
    }
    if (has_length && has_coding) return stop(400, "Content-Length beside Transfer-Encoding");
    request.fields.push_back({std::move(lower), std::string(value)});
    return {};
}

void RequestParser::Parts::judge_head() {
    if (hosts > 1 || (hosts == 0 && !old)) refuse(400, "a request has exactly one Host");
    if (old && has_coding) refuse(400, "Transfer-Encoding in HTTP/1.0");
    continues = continues && announced && !old;
}

void RequestParser::Parts::parse(std::string_view bytes, std::size_t& used) {
    error_code ec;
    used = basic_parser::put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (!ec || ec == http::error::need_more) return;
    if (ec == http::error::bad_version)
        refuse(505, "HTTP/1.1 is spoken here");
    else
        refuse(400, "this is no HTTP request: " + ec.message());
}

// The head is handed over in one piece, once it is there and its bytes are in order.
std::size_t RequestParser::Parts::take_head(std::string_view bytes) {
    std::size_t skipped = 0;
    if (kept.empty() && bytes.starts_with("\r\n")) skipped = 2;  // an empty line before a request may be passed over
    const auto before = kept.size();
    kept.append(bytes.substr(skipped, limit_of_head + 4 - std::min(limit_of_head, before)));
    const auto end = kept.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        // A head that can no longer become one is told so at once: its sender may be waiting.
        std::string_view lines(kept);
        if (lines.ends_with('\r')) lines.remove_suffix(1);
        if (const char* fault = fault_of(lines)) refuse(400, fault);
        if (kept.size() > limit_of_head) refuse(431, "the header is larger than " + std::to_string(limit_of_head) + " bytes");
        return bytes.size();
    }
    const auto size = end + 4;
    if (size > limit_of_head) refuse(431, "the header is larger than " + std::to_string(limit_of_head) + " bytes");
    kept.resize(size);
    if (const char* fault = fault_of(kept)) refuse(400, fault);
    if (!refused) {
        std::size_t used = 0;
        parse(kept, used);
        if (!refused && !is_header_done()) refuse(400, "this is no HTTP request");
        if (!refused) judge_head();
    }
    kept = {};
    return size - before + skipped;
}

std::size_t RequestParser::Parts::take_body(std::string_view bytes) {
    std::size_t used = 0;
    if (kept.empty()) {
        parse(bytes, used);
        if (!refused && !is_done()) kept = bytes.substr(used);
    } else {
        const auto before = kept.size();
        kept.append(bytes);
        // What remains of any body is no shorter than its last chunk, "0 CR LF CR LF"; Beast asserts that it is there.
        if (kept.size() < 5) return bytes.size();
        parse(kept, used);
        if (is_done()) return used - before;  // what was kept was not enough to end it
        kept.erase(0, used);
    }
    if (kept.size() > chunk_line_limit) refuse(400, "a chunk without a size");
    return is_done() ? used : bytes.size();
}

RequestParser::RequestParser(std::size_t head_limit) : parts_(std::make_unique<Parts>(head_limit)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

std::size_t RequestParser::put(std::string_view bytes) {
    if (parts_->refused || complete() || bytes.empty()) return 0;
    return parts_->is_header_done() ? parts_->take_body(bytes) : parts_->take_head(bytes);
}

void RequestParser::limit_body(std::size_t bytes) {
    parts_->limit_of_body = bytes;
    if (parts_->has_length && parts_->content_length_remaining().value_or(0) > bytes)
        parts_->refuse(413,
                       bytes == 0 ? "no body is taken here" : "the body is larger than " + std::to_string(bytes) + " bytes");
}

void RequestParser::hand_body_to(std::function<void(std::string_view)> take) { parts_->take_piece = std::move(take); }

bool RequestParser::begun() const { return parts_->got_some() || !parts_->kept.empty(); }
bool RequestParser::head_complete() const { return parts_->is_header_done(); }
bool RequestParser::complete() const { return parts_->is_header_done() && parts_->is_done(); }
const std::optional<Refusal>& RequestParser::refusal() const { return parts_->refused; }
Request& RequestParser::request() { return parts_->request; }
bool RequestParser::keep_alive() const { return parts_->basic_parser::keep_alive(); }
bool RequestParser::http_1_0() const { return parts_->old; }
bool RequestParser::expects_continue() const { return parts_->continues; }
bool RequestParser::has_body() const { return parts_->announced; }
std::size_t RequestParser::announced_bytes() const { return parts_->has_length ? parts_->content_length().value_or(0) : 0; }

}  // namespace orchd::net
