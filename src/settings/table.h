// The one table of settings (R39). Whatever is said about a key, in a message, a file or a man page, is read from here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "settings/document.h"
#include "settings/settings.h"

namespace orchd::settings {

enum class Unit { none, seconds, bytes };

struct Key {
    std::string_view name;  // in the file; also the field's
    std::variant<std::int64_t Settings::*, bool Settings::*, std::vector<std::string> Settings::*> field;  // lists: of projects
    std::int64_t least = 0, most = 0;  // of numbers; both included
    Unit unit = Unit::none;
    std::string_view text;  // one line, without a full stop
};
[[nodiscard]] std::span<const Key> keys();
[[nodiscard]] const Key* find_key(std::string_view name);
[[nodiscard]] const std::vector<std::string>& key_names();

// "ORCH_MAX_CONCURRENCY"
[[nodiscard]] std::string env_name(const Key& key);
// "an integer from 1 to 1000", "seconds from 1 to 3600", "a size from 1M to 64G", "true or false", "a list of projects …"
[[nodiscard]] std::string allowed(const Key& key);
// The key := value; false, and nothing is changed, where it does not take that.
[[nodiscard]] bool set_value(const Key& key, const Value& value, Settings& settings);
// Whether a list may hold this: a project's name, or "*".
[[nodiscard]] bool listable(const std::string& entry);
// The key's value as it is written in the file: "4", "\"1G\"", "true", "[\"hello\"]".
[[nodiscard]] std::string value_text(const Key& key, const Settings& settings);
[[nodiscard]] std::string_view unit_text(Unit unit);

// Sets of values that must fit inside one another (R17). The sum of `inner`, each taken `times`, may not be more than `outer`.
struct Nesting {
    struct Part {
        std::string_view key;
        std::int64_t times = 1;
    };
    std::vector<Part> inner;
    std::string_view outer;
    std::string_view why;
};
[[nodiscard]] std::span<const Nesting> nestings();

}  // namespace orchd::settings
