// Arguments and answers of D-Bus messages: reading with checks, and texts that the bus will carry.
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.h"
#include "core/words.h"

namespace orchd::control {

// A negative errno of sd-bus as Errc::internal, naming what failed.
[[nodiscard]] Status checked(int result, std::string_view what);

// Fills the error that a handler answers with, under its D-Bus name; returns what the handler then returns.
int set_error(sd_bus_error* error, const Error& what);

// The next argument of the call. Errc::internal where it is of another type, which the bus does not let through;
// invalid_argument for a text that is no such thing.
[[nodiscard]] Result<std::string> read_text(sd_bus_message* call);
[[nodiscard]] Result<std::string> read_work_item(sd_bus_message* call);
// A stage by its name.
[[nodiscard]] Result<Stage> read_stage(sd_bus_message* call);
// A reason that a person gave: it says something, in no more than 4,000 bytes.
[[nodiscard]] Result<std::string> read_reason(sd_bus_message* call);
// Errc::no_such for ids that no row can have.
[[nodiscard]] Result<std::int64_t> read_id(sd_bus_message* call);

// An a{sv} of options or of a filter.
struct OptionRow {
    enum class Kind { text, number, flag };
    std::string_view name;
    Kind kind;
};
class Options {
public:
    // Reads the next argument. Errc::invalid_argument for a key that is not in `allowed`, one given twice, or another type;
    // numbers are any integer type, not negative.
    [[nodiscard]] static Result<Options> read(sd_bus_message* call, std::span<const OptionRow> allowed);
    [[nodiscard]] bool given(std::string_view key) const { return values_.contains(key); }
    [[nodiscard]] std::string text(std::string_view key) const;  // "" where not given
    [[nodiscard]] std::optional<std::int64_t> number(std::string_view key) const;
    [[nodiscard]] bool flag(std::string_view key) const;  // false where not given

private:
    using Value = std::variant<std::string, std::int64_t, bool>;
    [[nodiscard]] static Result<Value> read_value(sd_bus_message* call, const OptionRow& row);
    std::map<std::string, Value, std::less<>> values_;
};
// How many rows a list may answer: the option "limit", 1,000 where not given, 1 to 10,000.
[[nodiscard]] Result<int> limit_of(const Options& options);

// The text with every byte that is not UTF-8, and NUL, replaced by U+FFFD: the bus ends the connection of whoever sends it
// anything else.
[[nodiscard]] std::string utf8(std::string_view text);

// Object paths: "/org/orchd1/task/HELLO_2d1", "/org/orchd1/job/17".
[[nodiscard]] std::string task_path(std::string_view work_item);
[[nodiscard]] std::string job_path(std::int64_t id);

}  // namespace orchd::control
