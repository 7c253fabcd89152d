// org.orchd1 as a client sees it. Errors are the service's own where it answered, `unavailable` with what to look at where it
// did not, `not_permitted` with what to do where polkit refused.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"
#include "host/systemd.h"
#include "orchctl/record.h"

namespace orchd::orchctl {

using Option = std::variant<std::string, bool, std::uint64_t>;
using Options = std::vector<std::pair<std::string, Option>>;  // an a{sv}
using Argument = std::variant<std::string, std::uint64_t, Options>;

// One member of a struct that a List… method answers. Numbers that are 0 where there is none read as null.
struct Field {
    std::string_view name;
    char type;  // D-Bus: s, o, t, u or b
    bool zero_is_none = false;
};
[[nodiscard]] std::span<const Field> task_fields();
[[nodiscard]] std::span<const Field> job_fields();
[[nodiscard]] std::span<const Field> event_fields();
[[nodiscard]] std::span<const Field> project_fields();
[[nodiscard]] std::span<const Field> lease_fields();
[[nodiscard]] std::span<const Field> delivery_fields();
[[nodiscard]] std::span<const Field> dependency_fields();

class Client {
public:
    [[nodiscard]] static Result<Client> connect();

    // Calls for their effect.
    [[nodiscard]] Status act(std::string_view method, const std::vector<Argument>& arguments);
    // Calls that answer one text: JSON, or the path of an object.
    [[nodiscard]] Result<std::string> text(std::string_view method, const std::vector<Argument>& arguments);
    // Calls that answer a list of structs of these fields.
    [[nodiscard]] Result<Records> list(std::string_view method, const std::vector<Argument>& arguments,
                                       std::span<const Field> fields);
    // Every property of one object, by its name in small letters: "WorkItem" is work_item.
    [[nodiscard]] Result<Record> properties(const std::string& path, std::string_view interface);

    // Asks the service for its signals, and stays subscribed while this client lives.
    [[nodiscard]] Status subscribe();
    // Returns at the next signal, or after `at_most_ms`.
    [[nodiscard]] Status wait(std::int64_t at_most_ms);

private:
    explicit Client(host::Bus bus) : bus_(std::move(bus)) {}
    [[nodiscard]] Result<host::Message> call(std::string_view method, const std::vector<Argument>& arguments);
    [[nodiscard]] Result<host::Message> send(host::Message message);
    host::Bus bus_;
    host::Slot match_;
};

// Errc::invalid_argument where a text would be cut on its way.
[[nodiscard]] Status check_arguments(const std::vector<Argument>& arguments);
// An error reply, as people need it.
[[nodiscard]] Error explain_reply(std::string_view name, std::string_view message);
[[nodiscard]] std::string snake_case(std::string_view camel_case);

}  // namespace orchd::orchctl
