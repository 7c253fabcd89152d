#include "orchctl/client.h"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "core/names.h"

namespace orchd::orchctl {
namespace {

constexpr std::array tasks_row{
    Field{"work_item", 's'},        Field{"project", 's'}, Field{"title", 's'},   Field{"stage", 's'},
    Field{"stage_seq", 't'},        Field{"hold", 's'},    Field{"paused", 'b'},  Field{"needs_you", 'b'},
    Field{"priority", 'u'},         Field{"why", 's'},     Field{"command", 's'}, Field{"created_at", 't', true},
    Field{"updated_at", 't', true}, Field{"path", 'o'},
};
constexpr std::array jobs_row{
    Field{"id", 't'},
    Field{"work_item", 's'},
    Field{"project", 's'},
    Field{"kind", 's'},
    Field{"role", 's'},
    Field{"status", 's'},
    Field{"blocked", 'b'},
    Field{"priority", 'u'},
    Field{"attempts", 'u'},
    Field{"max_attempts", 'u'},
    Field{"run_id", 't', true},
    Field{"unit", 's'},
    Field{"exit", 's'},
    Field{"error", 's'},
    Field{"available_at", 't', true},
    Field{"created_at", 't', true},
    Field{"started_at", 't', true},
    Field{"finished_at", 't', true},
    Field{"path", 'o'},
};
constexpr std::array events_row{
    Field{"id", 't'},        Field{"at", 't'},   Field{"actor", 's'}, Field{"work_item", 's'},
    Field{"job", 't', true}, Field{"kind", 's'}, Field{"data", 's'},
};
constexpr std::array leases_row{
    Field{"kind", 's'}, Field{"key", 's'},     Field{"work_item", 's'},   Field{"project", 's'},    Field{"job", 't', true},
    Field{"unit", 's'}, Field{"boot_id", 's'}, Field{"acquired_at", 't'}, Field{"from_stage", 's'}, Field{"path", 'o'},
};
constexpr std::array deliveries_row{
    Field{"id", 't'},          Field{"source", 's'}, Field{"event", 's'},
    Field{"received_at", 't'}, Field{"state", 's'},  Field{"outcome", 's'},
};
constexpr std::array dependencies_row{
    Field{"work_item", 's'},
    Field{"needs", 's'},
    Field{"needs_stage", 's'},
    Field{"source", 's'},
};
constexpr std::array projects_row{
    Field{"name", 's'},         Field{"prefix", 's'},     Field{"target", 's'},  Field{"forge", 's'},  Field{"paused", 'b'},
    Field{"pause_reason", 's'}, Field{"open_tasks", 't'}, Field{"running", 't'}, Field{"queued", 't'}, Field{"problem", 's'},
};

// A person may be asked for a password meanwhile.
constexpr std::uint64_t call_timeout_us = 120'000'000;

Error broken(int result) { return {Errc::unavailable, std::string("The system bus failed: ") + std::strerror(-result) + "."}; }

int append(sd_bus_message* message, const Options& options) {
    int r = sd_bus_message_open_container(message, 'a', "{sv}");
    for (const auto& [name, value] : options) {
        if (r < 0) return r;
        if (const auto* text = std::get_if<std::string>(&value)) {
            r = sd_bus_message_append(message, "{sv}", name.c_str(), "s", text->c_str());
        } else if (const auto* flag = std::get_if<bool>(&value)) {
            r = sd_bus_message_append(message, "{sv}", name.c_str(), "b", static_cast<int>(*flag));
        } else {
            r = sd_bus_message_append(message, "{sv}", name.c_str(), "t", std::get<std::uint64_t>(value));
        }
    }
    return r < 0 ? r : sd_bus_message_close_container(message);
}

int append(sd_bus_message* message, const Argument& argument) {
    if (const auto* text = std::get_if<std::string>(&argument)) return sd_bus_message_append(message, "s", text->c_str());
    if (const auto* number = std::get_if<std::uint64_t>(&argument)) return sd_bus_message_append(message, "t", *number);
    return append(message, std::get<Options>(argument));
}

// sd-bus takes texts as C strings: what follows a NUL would be lost in silence.
bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

bool has_nul(const Argument& argument) {
    if (const auto* text = std::get_if<std::string>(&argument)) return has_nul(*text);
    const auto* options = std::get_if<Options>(&argument);
    return options != nullptr && std::any_of(options->begin(), options->end(), [](const auto& option) {
               const auto* text = std::get_if<std::string>(&option.second);
               return text != nullptr && has_nul(*text);
           });
}

// The next value of the message, whose type is `type`; monostate for types that nothing of ours has.
Result<Value> read_value(sd_bus_message* message, char type) {
    int r = 0;
    Value value;
    if (type == 's' || type == 'o') {
        const char* text = nullptr;
        r = sd_bus_message_read_basic(message, type, &text);
        if (r > 0) value = std::string(text);
    } else if (type == 't') {
        std::uint64_t number = 0;
        r = sd_bus_message_read_basic(message, type, &number);
        value = static_cast<std::int64_t>(number);
    } else if (type == 'u') {
        std::uint32_t number = 0;
        r = sd_bus_message_read_basic(message, type, &number);
        value = static_cast<std::int64_t>(number);
    } else if (type == 'b') {
        int flag = 0;
        r = sd_bus_message_read_basic(message, type, &flag);
        value = flag != 0;
    } else {
        const char any[] = {type, '\0'};
        r = sd_bus_message_skip(message, any);
    }
    if (r <= 0) return fail(broken(r == 0 ? -EBADMSG : r));
    return value;
}

Value none_if_zero(Value value, bool zero_is_none) {
    const auto* number = std::get_if<std::int64_t>(&value);
    return zero_is_none && number != nullptr && *number == 0 ? Value(std::monostate{}) : value;
}

Result<Record> read_struct(sd_bus_message* message, std::span<const Field> fields) {
    Record record;
    for (const auto& field : fields) {
        auto value = read_value(message, field.type);
        if (!value) return fail(value.error());
        record.add(std::string(field.name), none_if_zero(std::move(*value), field.zero_is_none));
    }
    return record;
}

std::string signature_of(std::span<const Field> fields) {
    std::string signature = "(";
    for (const auto& field : fields) signature += field.type;
    return signature + ')';
}

int ignore_signal(sd_bus_message* /*signal*/, void* /*userdata*/, sd_bus_error* /*error*/) { return 0; }

}  // namespace

std::span<const Field> task_fields() { return tasks_row; }
std::span<const Field> delivery_fields() { return deliveries_row; }
std::span<const Field> job_fields() { return jobs_row; }
std::span<const Field> event_fields() { return events_row; }
std::span<const Field> project_fields() { return projects_row; }
std::span<const Field> lease_fields() { return leases_row; }
std::span<const Field> dependency_fields() { return dependencies_row; }

Status check_arguments(const std::vector<Argument>& arguments) {
    for (const auto& argument : arguments)
        if (has_nul(argument)) return fail(Errc::invalid_argument, "What was given has a NUL character: it is no text.");
    return {};
}

Error explain_reply(std::string_view name, std::string_view message) {
    const std::string text(message);
    if (name.starts_with("org.orchd1.Error.")) return {errc_from_dbus(name), text};
    if (name == SD_BUS_ERROR_ACCESS_DENIED || name == SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) {
        return {Errc::not_permitted,
                "You may not do this (" + text + "): use sudo, or have an administrator add you to the group orchd."};
    }
    if (name == SD_BUS_ERROR_UNKNOWN_OBJECT || name == SD_BUS_ERROR_UNKNOWN_INTERFACE) return {Errc::no_such, text};
    return {Errc::unavailable, "org.orchd1 does not answer (" + text + "): see 'systemctl status orchd-control'."};
}

std::string snake_case(std::string_view camel_case) {
    std::string text;
    for (const char c : camel_case) {
        const auto letter = static_cast<unsigned char>(c);
        if (std::isupper(letter) != 0 && !text.empty()) text += '_';
        text += static_cast<char>(std::tolower(letter));
    }
    return text;
}

Result<Client> Client::connect() {
    auto bus = host::open_system_bus();
    if (!bus)
        return fail(Errc::unavailable, "There is no system bus here (" + bus.error().text + "): is this host's PID 1 systemd?");
    sd_bus_set_allow_interactive_authorization(bus->get(), ::isatty(STDIN_FILENO));
    return Client(std::move(*bus));
}

Result<host::Message> Client::send(host::Message message) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    const int r = sd_bus_call(bus_.get(), message.get(), call_timeout_us, &error, &reply);
    if (r >= 0) return host::Message(reply);
    auto explained = sd_bus_error_is_set(&error) != 0
                         ? explain_reply(error.name, error.message != nullptr ? error.message : error.name)
                         : broken(r);
    sd_bus_error_free(&error);
    return fail(std::move(explained));
}

Result<host::Message> Client::call(std::string_view method, const std::vector<Argument>& arguments) {
    if (auto fit = check_arguments(arguments); !fit) return fail(fit.error());
    sd_bus_message* raw = nullptr;
    int r = sd_bus_message_new_method_call(bus_.get(), &raw, std::string(names::bus_name).c_str(),
                                           std::string(names::bus_path).c_str(), std::string(names::manager_interface).c_str(),
                                           std::string(method).c_str());
    host::Message message(raw);
    for (const auto& argument : arguments) {
        if (r >= 0) r = append(message.get(), argument);
    }
    // The bus takes UTF-8 alone.
    if (r == -EINVAL) return fail(Errc::invalid_argument, "What was given is not UTF-8.");
    if (r < 0) return fail(broken(r));
    return send(std::move(message));
}

Status Client::act(std::string_view method, const std::vector<Argument>& arguments) {
    const auto reply = call(method, arguments);
    if (!reply) return fail(reply.error());
    return {};
}

Result<std::string> Client::text(std::string_view method, const std::vector<Argument>& arguments) {
    const auto reply = call(method, arguments);
    if (!reply) return fail(reply.error());
    char type = 0;
    if (const int r = sd_bus_message_peek_type(reply->get(), &type, nullptr); r < 0) return fail(broken(r));
    const auto value = read_value(reply->get(), type);
    if (!value) return fail(value.error());
    const auto* text = std::get_if<std::string>(&*value);
    if (text == nullptr) return fail(broken(-EBADMSG));
    return *text;
}

Result<Records> Client::list(std::string_view method, const std::vector<Argument>& arguments, std::span<const Field> fields) {
    const auto reply = call(method, arguments);
    if (!reply) return fail(reply.error());
    const std::string row = signature_of(fields);
    Records records;
    int r = sd_bus_message_enter_container(reply->get(), 'a', row.c_str());
    while (r > 0) {
        r = sd_bus_message_enter_container(reply->get(), 'r', row.substr(1, row.size() - 2).c_str());
        if (r <= 0) break;
        auto record = read_struct(reply->get(), fields);
        if (!record) return fail(record.error());
        records.push_back(std::move(*record));
        r = sd_bus_message_exit_container(reply->get());
    }
    if (r < 0) return fail(broken(r));
    return records;
}

Result<Record> Client::properties(const std::string& path, std::string_view interface) {
    sd_bus_message* raw = nullptr;
    int r = sd_bus_message_new_method_call(bus_.get(), &raw, std::string(names::bus_name).c_str(), path.c_str(),
                                           "org.freedesktop.DBus.Properties", "GetAll");
    host::Message message(raw);
    if (r >= 0) r = sd_bus_message_append(message.get(), "s", std::string(interface).c_str());
    if (r < 0) return fail(broken(r));
    const auto reply = send(std::move(message));
    if (!reply) return fail(reply.error());

    Record record;
    r = sd_bus_message_enter_container(reply->get(), 'a', "{sv}");
    while (r > 0) {
        r = sd_bus_message_enter_container(reply->get(), 'e', "sv");
        if (r <= 0) break;
        const auto name = read_value(reply->get(), 's');
        if (!name) return fail(name.error());
        const char* contents = nullptr;
        r = sd_bus_message_peek_type(reply->get(), nullptr, &contents);
        if (r > 0) r = sd_bus_message_enter_container(reply->get(), 'v', contents);
        if (r <= 0) break;
        auto value = read_value(reply->get(), contents[0]);
        if (!value) return fail(value.error());
        const std::string key = snake_case(std::get<std::string>(*name));
        record.add(key, none_if_zero(std::move(*value), key.ends_with("_at") || key == "run_id"));
        r = sd_bus_message_exit_container(reply->get());
        if (r > 0) r = sd_bus_message_exit_container(reply->get());
    }
    if (r < 0) return fail(broken(r));
    return record;
}

Status Client::subscribe() {
    sd_bus_slot* slot = nullptr;
    const std::string rule = "type='signal',sender='" + std::string(names::bus_name) + "'";
    if (const int r = sd_bus_add_match(bus_.get(), &slot, rule.c_str(), ignore_signal, nullptr); r < 0) return fail(broken(r));
    match_.reset(slot);
    return act("Subscribe", {});
}

Status Client::wait(std::int64_t at_most_ms) {
    // What has arrived already is worked off first; then the socket is watched.
    int r = sd_bus_process(bus_.get(), nullptr);
    if (r == 0) r = sd_bus_wait(bus_.get(), static_cast<std::uint64_t>(at_most_ms) * 1000);
    while (r > 0) r = sd_bus_process(bus_.get(), nullptr);
    if (r < 0 && r != -EINTR) return fail(broken(r));
    return {};
}

}  // namespace orchd::orchctl
