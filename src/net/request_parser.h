// One HTTP/1.x request from bytes in any pieces: Boost.Beast's parser behind a stricter door.
//
// What two parsers could read differently is refused: obs-fold, bare CR or LF, white space before a colon, more than one
// Content-Length or Host, a list or a sign in Content-Length, Content-Length beside Transfer-Encoding, any transfer coding but
// exactly "chunked", chunked in HTTP/1.0, control characters.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/message.h"

namespace orchd::net {

// The connection cannot go on: what is answered before it is closed.
struct Refusal {
    int status;
    std::string text;
};

class RequestParser {
public:
    // Request line and fields together, in bytes.
    explicit RequestParser(std::size_t head_limit);
    RequestParser(RequestParser&&) noexcept;
    RequestParser& operator=(RequestParser&&) noexcept;
    ~RequestParser();

    // Takes what it can use and says how much that was: all of it, unless the head or the request is complete, or refused.
    // Stops once behind the head, so that its caller can judge it before the body is read.
    [[nodiscard]] std::size_t put(std::string_view bytes);
    // What a body may have: more is refused with 413. To be called once, when the head is complete.
    void limit_body(std::size_t bytes);
    // Has the body handed on as it comes, in place of Request::body. To be called before any of it has.
    void hand_body_to(std::function<void(std::string_view piece)> take);

    [[nodiscard]] bool begun() const;  // anything of this request was there
    [[nodiscard]] bool head_complete() const;
    [[nodiscard]] bool complete() const;
    [[nodiscard]] const std::optional<Refusal>& refusal() const;

    // Of a complete head.
    [[nodiscard]] Request& request();
    [[nodiscard]] bool keep_alive() const;
    [[nodiscard]] bool http_1_0() const;
    [[nodiscard]] bool expects_continue() const;
    [[nodiscard]] bool has_body() const;                // one was announced
    [[nodiscard]] std::size_t announced_bytes() const;  // how large it will be; 0 where that was not said

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace orchd::net
