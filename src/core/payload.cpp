#include "core/payload.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace orchd {
namespace json = boost::json;

struct Payload::Document {
    json::value root;
    std::optional<std::string> problem;

    // The field's value; nothing where it is absent.
    [[nodiscard]] const json::value* find(std::string_view path) const {
        const auto* at = &root;
        while (!path.empty()) {
            const auto* object = at->if_object();
            if (object == nullptr) return nullptr;
            const auto name = path.substr(0, path.find('.'));
            at = object->if_contains(name);
            if (at == nullptr || at->is_null()) return nullptr;
            path.remove_prefix(std::min(path.size(), name.size() + 1));
        }
        return at;
    }
};

namespace {

std::string_view kind_name(const json::value& value) {
    switch (value.kind()) {
        case json::kind::object:
            return "an object";
        case json::kind::array:
            return "a list";
        case json::kind::string:
            return "a text";
        case json::kind::bool_:
            return "true or false";
        case json::kind::null:
            return "null";
        default:
            return "a number";
    }
}

std::string must_be(const json::value& value, std::string_view wanted) {
    return "is " + std::string(kind_name(value)) + ", not " + std::string(wanted);
}

// What Go, hence Gitea, writes for a time that was not set.
constexpr std::string_view time_of_nothing = "0001-01-01T00:00:00Z";

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Not longer than `bytes`, and not cut inside a character.
std::string_view cut(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
    return text.substr(0, bytes);
}

}  // namespace

Payload::Payload(std::unique_ptr<Document> document) : document_(std::move(document)) {}
Payload::Payload(Payload&&) noexcept = default;
Payload& Payload::operator=(Payload&&) noexcept = default;
Payload::~Payload() = default;

Result<Payload> Payload::parse(std::string_view body) {
    json::parse_options options;
    options.max_depth = max_depth;
    json::error_code error;
    auto document = std::make_unique<Document>();
    document->root = json::parse(body, error, {}, options);
    if (error) return fail(Errc::invalid_argument, "the body is not JSON that can be read: " + error.message());
    if (!document->root.is_object()) return fail(Errc::invalid_argument, "the body " + must_be(document->root, "an object"));
    return Payload(std::move(document));
}

bool Payload::has(std::string_view path) const { return document_->find(path) != nullptr; }
bool Payload::is_object(std::string_view path) const {
    const auto* value = document_->find(path);
    return value != nullptr && value->is_object();
}
bool Payload::is_text(std::string_view path) const {
    const auto* value = document_->find(path);
    return value != nullptr && value->is_string();
}

std::string Payload::text_if_any(std::string_view path) {
    const auto* value = document_->find(path);
    if (value == nullptr) return {};
    const auto* text = value->if_string();
    if (text != nullptr && text->find('\0') == json::string::npos) return std::string(text->data(), text->size());
    refuse(path, text != nullptr ? "has a NUL character" : must_be(*value, "a text"));
    return {};
}

std::string Payload::text(std::string_view path) {
    auto found = text_if_any(path);
    if (found.empty()) refuse(path, "is missing");
    return found;
}

std::int64_t Payload::number_if_any(std::string_view path) {
    const auto* value = document_->find(path);
    if (value == nullptr) return 0;
    json::error_code error;
    if (value->is_number())
        if (const auto number = value->to_number<std::int64_t>(error); !error) return number;
    refuse(path, value->is_number() ? "is no whole number" : must_be(*value, "a number"));
    return 0;
}

std::int64_t Payload::number(std::string_view path) {
    if (!has(path)) refuse(path, "is missing");
    return number_if_any(path);
}

bool Payload::flag_if_any(std::string_view path) {
    const auto* value = document_->find(path);
    if (value == nullptr) return false;
    if (const auto* flag = value->if_bool()) return *flag;
    refuse(path, must_be(*value, "true or false"));
    return false;
}

std::int64_t Payload::time_if_any(std::string_view path) {
    const auto text = text_if_any(path);
    if (text.empty() || text == time_of_nothing) return 0;
    const auto time = parse_time(text);
    if (!time) refuse(path, "is no time");
    return time.value_or(0);
}

void Payload::refuse(std::string_view path, std::string_view what_is_wrong) {
    if (!document_->problem) document_->problem = std::string(path) + ' ' + std::string(what_is_wrong);
}

Status Payload::problem() const {
    if (document_->problem) return fail(Errc::invalid_argument, *document_->problem);
    return {};
}

std::string one_line(std::string_view text, std::size_t bytes) {
    std::string line(cut(text, bytes));
    while (!line.empty() && control(line.back())) line.pop_back();
    std::ranges::replace_if(line, control, ' ');
    return line;
}

std::string many_lines(std::string_view text, std::size_t bytes) {
    std::string lines(cut(text, bytes));
    std::ranges::replace_if(
        lines, [](char c) { return control(c) && c != '\n' && c != '\t'; }, ' ');
    return lines;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    namespace chrono = std::chrono;
    constexpr std::string_view form = "0000-00-00T00:00:00";
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto shaped = [&](std::string_view part, std::string_view like) {
        return std::equal(part.begin(), part.end(), like.begin(), like.end(),
                          [&](char c, char wanted) { return wanted == '0' ? digit(c) : c == wanted; });
    };
    const auto number = [&](std::string_view part) {
        int value = 0;
        for (const char c : part) value = value * 10 + (c - '0');
        return value;
    };
    if (text.size() < form.size() || !shaped(text.substr(0, form.size()), form)) return std::nullopt;
    const chrono::year_month_day day{chrono::year(number(text.substr(0, 4))),
                                     chrono::month(static_cast<unsigned>(number(text.substr(5, 2)))),
                                     chrono::day(static_cast<unsigned>(number(text.substr(8, 2))))};
    const int hour = number(text.substr(11, 2)), minute = number(text.substr(14, 2)), second = number(text.substr(17, 2));
    if (!day.ok() || day.year() < chrono::year(1970) || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    auto rest = text.substr(form.size());
    int ms = 0;
    if (rest.starts_with('.')) {
        const auto digits =
            rest.substr(1, static_cast<std::size_t>(std::ranges::find_if_not(rest.substr(1), digit) - rest.substr(1).begin()));
        if (digits.empty()) return std::nullopt;
        for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < digits.size() ? digits[i] - '0' : 0);
        rest.remove_prefix(1 + digits.size());
    }
    int offset_minutes = 0;
    if (shaped(rest, "+00:00") || shaped(rest, "-00:00"))
        offset_minutes = (rest[0] == '-' ? -1 : 1) * (number(rest.substr(1, 2)) * 60 + number(rest.substr(4, 2)));
    else if (rest != "Z" && rest != "z")
        return std::nullopt;
    const chrono::milliseconds since = chrono::sys_days(day).time_since_epoch() + chrono::hours(hour) +
                                       chrono::minutes(minute - offset_minutes) + chrono::seconds(second) +
                                       chrono::milliseconds(ms);
    return since.count() < 0 ? std::nullopt : std::optional<std::int64_t>(since.count());
}

}  // namespace orchd
