#include "orchctl/record.h"

#include <algorithm>
#include <boost/json.hpp>

namespace orchd::orchctl {

namespace json = boost::json;

const Value* Record::find(std::string_view name) const {
    const auto found = std::find_if(values_.begin(), values_.end(), [&](const auto& pair) { return pair.first == name; });
    return found == values_.end() ? nullptr : &found->second;
}

const std::string& Record::text(std::string_view name) const& {
    static const std::string none;
    const auto* value = find(name);
    const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
    return text == nullptr ? none : *text;
}

std::int64_t Record::number(std::string_view name) const {
    const auto* value = find(name);
    const auto* number = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
    return number == nullptr ? 0 : *number;
}

bool Record::flag(std::string_view name) const {
    const auto* value = find(name);
    const auto* flag = value == nullptr ? nullptr : std::get_if<bool>(value);
    return flag != nullptr && *flag;
}

json::object to_json(const Record& record) {
    struct Convert {
        json::value operator()(std::monostate) const { return nullptr; }
        json::value operator()(bool flag) const { return flag; }
        json::value operator()(std::int64_t number) const { return number; }
        json::value operator()(const std::string& text) const { return json::value(text); }
    };
    json::object object;
    for (const auto& [name, value] : record.values()) object[name] = std::visit(Convert{}, value);
    return object;
}

json::array to_json(const Records& records) {
    json::array array;
    for (const auto& record : records) array.push_back(to_json(record));
    return array;
}

const json::value& member(const json::object& object, std::string_view key) {
    static const json::value none;
    const auto* value = object.if_contains(key);
    return value == nullptr ? none : *value;
}

Record record_of(const json::object& object) {
    Record record;
    for (const auto& [name, value] : object) {
        if (value.is_null()) record.add(name, std::monostate{});
        if (value.is_bool()) record.add(name, value.get_bool());
        if (value.is_int64()) record.add(name, value.get_int64());
        if (value.is_uint64()) record.add(name, static_cast<std::int64_t>(value.get_uint64()));
        if (value.is_string()) record.add(name, std::string(value.get_string()));
    }
    return record;
}

Records records_of(const json::value& list) {
    Records records;
    if (const auto* array = list.if_array()) {
        for (const auto& item : *array) {
            if (const auto* object = item.if_object()) records.push_back(record_of(*object));
        }
    }
    return records;
}

}  // namespace orchd::orchctl
