// Rows as they come over the bus or stand in an answer's JSON: named values, in order. What `--json` prints of them is
// documented in orchctl(1): names are never changed, only added.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace orchd::orchctl {

using Value = std::variant<std::monostate, bool, std::int64_t, std::string>;  // monostate: null

class Record {
public:
    void add(std::string name, Value value) { values_.emplace_back(std::move(name), std::move(value)); }
    [[nodiscard]] const std::vector<std::pair<std::string, Value>>& values() const { return values_; }
    // "", 0 or false where there is no such value, or it is of another type.
    [[nodiscard]] const std::string& text(std::string_view name) const&;
    [[nodiscard]] std::string text(std::string_view name) const&& { return text(name); }  // of a record that goes at once
    [[nodiscard]] std::int64_t number(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const;

private:
    [[nodiscard]] const Value* find(std::string_view name) const;
    std::vector<std::pair<std::string, Value>> values_;
};
using Records = std::vector<Record>;

[[nodiscard]] boost::json::object to_json(const Record& record);
[[nodiscard]] boost::json::array to_json(const Records& records);
// The value under this key; null where there is none.
[[nodiscard]] const boost::json::value& member(const boost::json::object& object, std::string_view key);
// The values of an object that are no objects or lists themselves; the objects of a list.
[[nodiscard]] Record record_of(const boost::json::object& object);
[[nodiscard]] Records records_of(const boost::json::value& list);

}  // namespace orchd::orchctl
