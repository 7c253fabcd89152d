// A JSON document from outside, of which nothing is believed: read field by field, and the first that is not what it has to be
// is kept as the reason to refuse the whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orchd {

class Payload {
public:
    // Errc::invalid_argument: no JSON, text that is no UTF-8, more than `max_depth` objects and lists inside one another, or
    // not an object.
    [[nodiscard]] static Result<Payload> parse(std::string_view body);
    // A description in Plane brings four for each list inside a list.
    static constexpr int max_depth = 100;

    Payload(Payload&&) noexcept;
    Payload& operator=(Payload&&) noexcept;
    ~Payload();

    // A path is the names of objects within one another: "repository.full_name". A field that is null, or lies in an object
    // that is, or whose object is not there, is absent.
    [[nodiscard]] bool has(std::string_view path) const;
    // Whether an object, or a text, stands there; asks nothing of it.
    [[nodiscard]] bool is_object(std::string_view path) const;
    [[nodiscard]] bool is_text(std::string_view path) const;

    // Where the field is absent or of another type: the value of nothing, and a problem.
    [[nodiscard]] std::string text(std::string_view path);
    [[nodiscard]] std::int64_t number(std::string_view path);
    // As those, but absent is no problem.
    [[nodiscard]] std::string text_if_any(std::string_view path);
    [[nodiscard]] std::int64_t number_if_any(std::string_view path);
    [[nodiscard]] bool flag_if_any(std::string_view path);
    // RFC 3339, as UTC milliseconds; 0 where it is absent, or Go's zero time.
    [[nodiscard]] std::int64_t time_if_any(std::string_view path);

    // Adds a problem of the caller's own with a field.
    void refuse(std::string_view path, std::string_view what_is_wrong);
    // Errc::invalid_argument with the first problem, if there was one.
    [[nodiscard]] Status problem() const;

private:
    struct Document;
    explicit Payload(std::unique_ptr<Document> document);
    std::unique_ptr<Document> document_;
};

// One line for people, of text that a stranger wrote: control characters become spaces, and it ends after at most `bytes`,
// never inside a character.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t bytes);
// The same for text of many lines, which keeps its line feeds and tabs.
[[nodiscard]] std::string many_lines(std::string_view text, std::size_t bytes);
// RFC 3339 ("2026-07-01T10:00:00.123456Z", "…+02:00") as UTC milliseconds, if it is a time between the years 1970 and 9999.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace orchd
