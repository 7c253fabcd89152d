#include "net/message.h"

#include <algorithm>

namespace orchd::net {
namespace {

// {"KEY":"TEXT"}
std::string one_pair(std::string_view key, std::string_view text) {
    std::string json = "{\"";
    json.append(key).append("\":\"");
    for (const char c : text) {
        if (c == '"' || c == '\\') json += '\\';
        json += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return json += "\"}\n";
}

}  // namespace

std::string_view Request::field(std::string_view name) const {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
    return found == fields.end() ? std::string_view() : std::string_view(found->value);
}

Response error_response(int status, std::string_view text) { return {.status = status, .body = one_pair("error", text)}; }
Response status_response(std::string_view text) { return {.body = one_pair("status", text)}; }

}  // namespace orchd::net
