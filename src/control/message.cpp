#include "control/message.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/names.h"
#include "core/work_item.h"

namespace orchd::control {
namespace {

constexpr std::size_t longest_reason = 4000;

std::string encoded(const char* prefix, const std::string& name) {
    char* path = nullptr;
    if (sd_bus_path_encode(prefix, name.c_str(), &path) < 0) return {};
    std::string text(path);
    std::free(path);
    return text;
}

tl::unexpected<Error> unknown_key(const char* key, std::span<const OptionRow> allowed) {
    std::string names;
    for (const auto& row : allowed) names += (names.empty() ? "" : ", ") + std::string(row.name);
    return fail(Errc::invalid_argument, "unknown option '" + utf8(key) + "': known are " + names);
}

// Reads an integer of the given basic type.
template <class T>
Result<std::int64_t> read_integer(sd_bus_message* call, char type) {
    T value{};
    if (auto read = checked(sd_bus_message_read_basic(call, type, &value), "reading a number"); !read)
        return fail(read.error());
    if (!std::in_range<std::int64_t>(value) || std::cmp_less(value, 0))
        return fail(Errc::invalid_argument, "a number must not be negative or over 2^63");
    return static_cast<std::int64_t>(value);
}

Result<std::int64_t> read_number(sd_bus_message* call, char type) {
    switch (type) {
        case SD_BUS_TYPE_BYTE:
            return read_integer<std::uint8_t>(call, type);
        case SD_BUS_TYPE_INT16:
            return read_integer<std::int16_t>(call, type);
        case SD_BUS_TYPE_UINT16:
            return read_integer<std::uint16_t>(call, type);
        case SD_BUS_TYPE_INT32:
            return read_integer<std::int32_t>(call, type);
        case SD_BUS_TYPE_UINT32:
            return read_integer<std::uint32_t>(call, type);
        case SD_BUS_TYPE_INT64:
            return read_integer<std::int64_t>(call, type);
        case SD_BUS_TYPE_UINT64:
            return read_integer<std::uint64_t>(call, type);
        default:
            return fail(Errc::invalid_argument, "not a number");
    }
}

// How many bytes of well-formed UTF-8 begin the text: 0 where its first byte begins none.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead == 0) return 0;
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const unsigned char second = byte(1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second > 0x9f;
    const bool beyond = lead == 0xf4 && second > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

Status checked(int result, std::string_view what) {
    if (result >= 0) return {};
    return fail(Errc::internal, std::string(what) + " failed: " + std::strerror(-result));
}

int set_error(sd_bus_error* error, const Error& what) {
    return sd_bus_error_set(error, std::string(face(what.code).dbus_name).c_str(), utf8(what.text).c_str());
}

Result<std::string> read_text(sd_bus_message* call) {
    const char* text = nullptr;
    if (auto read = checked(sd_bus_message_read_basic(call, SD_BUS_TYPE_STRING, &text), "reading a text"); !read)
        return fail(read.error());
    return std::string(text);
}

Result<std::string> read_work_item(sd_bus_message* call) {
    return read_text(call)
        .and_then([](const std::string& text) { return WorkItem::parse(text); })
        .map([](const WorkItem& item) { return item.text(); });
}

Result<std::string> read_reason(sd_bus_message* call) {
    auto reason = read_text(call);
    if (reason && reason->find_first_not_of(" \t\r\n") == std::string::npos)
        return fail(Errc::invalid_argument,
                    "a reason says something: it stands in the history, and whoever it concerns reads it");
    if (reason && reason->size() > longest_reason) return fail(Errc::invalid_argument, "a reason has at most 4,000 bytes");
    return reason;
}

Result<Stage> read_stage(sd_bus_message* call) {
    auto text = read_text(call);
    if (!text) return fail(text.error());
    if (const auto stage = from_text<Stage>(*text)) return *stage;
    std::string known;
    for (const auto name : enum_text<Stage>) known += (known.empty() ? "" : ", ") + std::string(name);
    return fail(Errc::invalid_argument, "'" + utf8(*text) + "' is no stage: known are " + known);
}

Result<std::int64_t> read_id(sd_bus_message* call) {
    std::uint64_t id = 0;
    if (auto read = checked(sd_bus_message_read_basic(call, SD_BUS_TYPE_UINT64, &id), "reading an id"); !read)
        return fail(read.error());
    if (!std::in_range<std::int64_t>(id)) return fail(Errc::no_such, "nothing has the number " + std::to_string(id));
    return static_cast<std::int64_t>(id);
}

Result<Options::Value> Options::read_value(sd_bus_message* call, const OptionRow& row) {
    const char* contents = nullptr;
    if (auto peeked = checked(sd_bus_message_peek_type(call, nullptr, &contents), "reading an option"); !peeked)
        return fail(peeked.error());
    const std::string signature(contents);
    const auto wrong = [&](const char* wanted) {
        return fail(Errc::invalid_argument,
                    "option '" + std::string(row.name) + "' is " + wanted + ", not of type '" + signature + "'");
    };
    if (auto entered = checked(sd_bus_message_enter_container(call, SD_BUS_TYPE_VARIANT, contents), "reading an option");
        !entered)
        return fail(entered.error());
    Value value;
    if (row.kind == OptionRow::Kind::text) {
        if (signature != "s") return wrong("a text (s)");
        auto text = read_text(call);
        if (!text) return fail(text.error());
        value = std::move(*text);
    } else if (row.kind == OptionRow::Kind::flag) {
        if (signature != "b") return wrong("yes or no (b)");
        int flag = 0;
        if (auto read = checked(sd_bus_message_read_basic(call, SD_BUS_TYPE_BOOLEAN, &flag), "reading a flag"); !read)
            return fail(read.error());
        value = flag != 0;
    } else {
        if (signature.size() != 1 || std::string_view("ynqiuxt").find(signature[0]) == std::string_view::npos)
            return wrong("a number (u or t)");
        auto number = read_number(call, signature[0]);
        if (!number) return fail(number.error());
        value = *number;
    }
    if (auto left = checked(sd_bus_message_exit_container(call), "reading an option"); !left) return fail(left.error());
    return value;
}

Result<Options> Options::read(sd_bus_message* call, std::span<const OptionRow> allowed) {
    Options options;
    if (auto entered = checked(sd_bus_message_enter_container(call, SD_BUS_TYPE_ARRAY, "{sv}"), "reading options"); !entered)
        return fail(entered.error());
    while (sd_bus_message_enter_container(call, SD_BUS_TYPE_DICT_ENTRY, "sv") > 0) {
        const char* key = nullptr;
        if (auto read = checked(sd_bus_message_read_basic(call, SD_BUS_TYPE_STRING, &key), "reading an option"); !read)
            return fail(read.error());
        const auto row = std::find_if(allowed.begin(), allowed.end(), [&](const OptionRow& r) { return r.name == key; });
        if (row == allowed.end()) return unknown_key(key, allowed);
        auto value = read_value(call, *row);
        if (!value) return fail(value.error());
        if (!options.values_.emplace(key, std::move(*value)).second)
            return fail(Errc::invalid_argument, "option '" + std::string(key) + "' is given twice");
        if (auto left = checked(sd_bus_message_exit_container(call), "reading options"); !left) return fail(left.error());
    }
    if (auto left = checked(sd_bus_message_exit_container(call), "reading options"); !left) return fail(left.error());
    return options;
}

std::string Options::text(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::string() : std::get<std::string>(found->second);
}

std::optional<std::int64_t> Options::number(std::string_view key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) return std::nullopt;
    return std::get<std::int64_t>(found->second);
}

bool Options::flag(std::string_view key) const {
    const auto found = values_.find(key);
    return found != values_.end() && std::get<bool>(found->second);
}

Result<int> limit_of(const Options& options) {
    const std::int64_t limit = options.number("limit").value_or(1000);
    if (limit < 1 || limit > 10'000) return fail(Errc::invalid_argument, "option 'limit' is 1 to 10000");
    return static_cast<int>(limit);
}

std::string utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0)
            out += "\xef\xbf\xbd";
        else
            out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string task_path(std::string_view work_item) {
    return encoded((std::string(names::bus_path) + "/task").c_str(), std::string(work_item));
}

std::string job_path(std::int64_t id) { return std::string(names::bus_path) + "/job/" + std::to_string(id); }

}  // namespace orchd::control
