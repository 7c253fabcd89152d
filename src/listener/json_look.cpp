#include "listener/json_look.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>

#include "core/payload.h"

namespace orchd::listener {
namespace {

constexpr std::size_t longest_id = 100;

// Told of each piece of the document as it is read. Every function says whether to go on.
struct Watcher {
    using View = boost::json::string_view;
    using Error = boost::system::error_code;
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;

    Look seen;
    std::size_t depth = 0;
    bool object = false;
    std::string key;                // the last one of the outermost object
    std::string* wanted = nullptr;  // where the string in hand goes

    bool on_document_begin(Error&) { return true; }
    bool on_document_end(Error&) { return true; }
    bool on_object_begin(Error&) {
        object = object || depth == 0;
        ++depth;
        return true;
    }
    bool on_object_end(std::size_t, Error&) {
        --depth;
        return true;
    }
    bool on_array_begin(Error&) {
        ++depth;
        return true;
    }
    bool on_array_end(std::size_t, Error&) {
        --depth;
        return true;
    }
    bool on_key_part(View part, std::size_t size, Error&) {
        if (depth == 1 && size <= longest_id) key.append(part.data(), part.size());
        return true;
    }
    bool on_key(View part, std::size_t size, Error& error) {
        if (depth != 1) return true;
        on_key_part(part, size, error);
        wanted = key == "webhook_id" ? &seen.webhook_id : key == "event_id" ? &seen.event_id : nullptr;
        if (wanted != nullptr) wanted->clear();
        key.clear();
        return true;
    }
    bool on_string_part(View part, std::size_t size, Error&) {
        if (depth != 1 || wanted == nullptr) return true;
        if (size <= longest_id)
            wanted->append(part.data(), part.size());
        else
            wanted->clear();
        return true;
    }
    bool on_string(View part, std::size_t size, Error& error) { return on_string_part(part, size, error); }
    bool on_number_part(View, Error&) { return true; }
    bool on_int64(std::int64_t, View, Error&) { return true; }
    bool on_uint64(std::uint64_t, View, Error&) { return true; }
    bool on_double(double, View, Error&) { return true; }
    bool on_bool(bool, Error&) { return true; }
    bool on_null(Error&) { return true; }
    bool on_comment_part(View, Error&) { return true; }
    bool on_comment(View, Error&) { return true; }
};

}  // namespace

Result<Look> look_at(std::string_view body) {
    boost::json::parse_options options;
    options.max_depth = Payload::max_depth;  // what can be stored can be read
    boost::json::basic_parser<Watcher> parser(options);
    boost::system::error_code error;
    const auto used = parser.write_some(false, body.data(), body.size(), error);
    if (!error && used < body.size()) error = boost::json::error::extra_data;
    if (error)
        return fail(Errc::invalid_argument, "the body is no JSON at byte " + std::to_string(used) + ": " + error.message());
    if (!parser.handler().object) return fail(Errc::invalid_argument, "the body is no JSON object");
    for (const auto* id : {&parser.handler().seen.webhook_id, &parser.handler().seen.event_id})
        if (id->find('\0') != std::string::npos) return fail(Errc::invalid_argument, "an id of the body has a NUL character");
    return parser.handler().seen;
}

}  // namespace orchd::listener
