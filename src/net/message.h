// A request as it was parsed and the answer to it, as plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orchd::net {

struct Field {
    std::string name;  // of a request: lowercase
    std::string value;
};

struct Request {
    std::string method;         // as sent: "GET"
    std::string path;           // of the target, as sent: begins with '/', printable ASCII, without the query
    std::string query;          // what follows '?', as sent
    std::string wildcard;       // what the route's '*' stands for, percent-decoded
    std::vector<Field> fields;  // in the order they were sent
    std::string body;
    std::string source;  // the peer: an IPv4 address, an IPv6 /64, "local" for a Unix socket

    // The value of the first such field (`name` in lowercase), empty where there is none.
    [[nodiscard]] std::string_view field(std::string_view name) const;
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body = {};
    std::vector<Field> fields = {};  // more of them; names and values without CR and LF
};

// {"error":"…"}, {"status":"…"} with a line feed. `text` is any UTF-8.
[[nodiscard]] Response error_response(int status, std::string_view text);
[[nodiscard]] Response status_response(std::string_view text);

}  // namespace orchd::net
