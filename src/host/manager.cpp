#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "core/names.h"
#include "host/cgroup.h"
#include "host/host.h"
#include "host/systemd.h"

namespace orchd::host {
namespace {

constexpr auto destination = "org.freedesktop.systemd1";
constexpr auto manager_path = "/org/freedesktop/systemd1";
constexpr auto manager_interface = "org.freedesktop.systemd1.Manager";

Message request(sd_bus& bus, const char* member) {
    sd_bus_message* raw = nullptr;
    (void)sd_bus_message_new_method_call(&bus, &raw, destination, manager_path, manager_interface, member);
    return Message(raw);  // null when out of memory: call_all says so
}

Message property_request(sd_bus& bus, const std::string& path, const char* interface, const char* property) {
    sd_bus_message* raw = nullptr;
    (void)sd_bus_message_new_method_call(&bus, &raw, destination, path.c_str(), "org.freedesktop.DBus.Properties", "Get");
    Message message(raw);
    (void)sd_bus_message_append(raw, "ss", interface, property);
    return message;
}

Result<Message> call(sd_bus& bus, Message message) {
    std::vector<Message> one;
    one.push_back(std::move(message));
    return std::move(call_all(bus, std::move(one)).front());
}

Error about(const std::string& what, const Error& error) { return {error.code, what + ": " + error.text}; }

std::string unit_path(const std::string& unit) {
    char* raw = nullptr;
    if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &raw) < 0) return {};
    std::string path = raw;
    std::free(raw);
    return path;
}

struct Listed {
    std::string name, active_state, path;
    bool job_pending = false;
    [[nodiscard]] bool active() const { return active_state != "inactive" && active_state != "failed"; }
};

Result<std::vector<Listed>> list(sd_bus& bus, const std::vector<std::string>& patterns) {
    auto message = request(bus, "ListUnitsByPatterns");
    (void)sd_bus_message_append(message.get(), "as", 0);
    (void)sd_bus_message_open_container(message.get(), 'a', "s");
    for (const auto& p : patterns) (void)sd_bus_message_append(message.get(), "s", p.c_str());
    (void)sd_bus_message_close_container(message.get());
    auto reply = call(bus, std::move(message));
    if (!reply) return fail(about("listing units", reply.error()));

    std::vector<Listed> units;
    auto* m = reply->get();
    if (sd_bus_message_enter_container(m, 'a', "(ssssssouso)") < 0) return fail(Errc::unavailable, "listing units: odd reply");
    const char *name = nullptr, *active = nullptr, *path = nullptr;
    std::uint32_t job = 0;
    while (sd_bus_message_read(m, "(ssssssouso)", &name, nullptr, nullptr, &active, nullptr, nullptr, &path, &job, nullptr,
                               nullptr) > 0)
        units.push_back({name, active, path, job != 0});
    return units;
}

// The cgroup of a unit as the manager names it, for units that an administrator put elsewhere.
std::string control_group(sd_bus& bus, const std::string& path) {
    auto reply = call(bus, property_request(bus, path, "org.freedesktop.systemd1.Service", "ControlGroup"));
    const char* group = nullptr;
    if (!reply || sd_bus_message_read(reply->get(), "v", "s", &group) < 0) return {};
    return group;
}

// By its cgroup alone, where units of ours usually are.
UnitSeen see_in_slices(const std::string& unit) {
    UnitSeen seen;
    for (const auto slice : {names::agents_cgroup, names::units_cgroup}) {
        int error = 0;
        const auto group = see_cgroup(std::string(slice) + '/' + unit, error);
        if (error != 0) seen.readable = false;
        if (!group) continue;
        seen.populated = group->populated;
        seen.invocation_id = group->invocation_id;
        seen.active = group->populated;
        if (seen.populated) break;
    }
    return seen;
}

void add_what_is_known(sd_bus& bus, const Listed& known, UnitSeen& seen) {
    seen.job_pending = known.job_pending;
    seen.active = known.active();
    int error = 0;
    const auto group = seen.active ? control_group(bus, known.path) : std::string();
    if (const auto found = group.empty() ? std::nullopt : see_cgroup(group, error)) {
        seen.populated = found->populated;
        seen.invocation_id = found->invocation_id;
    }
    if (error != 0) seen.readable = false;
}

// How systemd spells each limit.
struct LimitFace {
    const char* property;
    std::uint64_t (*value)(const Limits&);
};
constexpr std::array limit_faces{
    LimitFace{"MemoryMax", [](const Limits& l) { return l.memory_bytes; }},
    LimitFace{"TasksMax", [](const Limits& l) { return static_cast<std::uint64_t>(l.tasks_max); }},
    LimitFace{"CPUQuotaPerSecUSec", [](const Limits& l) { return static_cast<std::uint64_t>(l.cpu_percent) * 10'000; }},
};

// What the template says, read from an instance that never runs.
std::array<std::uint64_t, limit_faces.size()> shipped_limits(sd_bus& bus, const std::string& unit) {
    const auto path = unit_path(unit.substr(0, unit.find('@')) + "@shipped.service");
    std::vector<Message> requests;
    requests.reserve(limit_faces.size());
    for (const auto& face : limit_faces)
        requests.push_back(property_request(bus, path, "org.freedesktop.systemd1.Service", face.property));
    const auto replies = call_all(bus, std::move(requests));
    std::array<std::uint64_t, limit_faces.size()> values{};
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!replies[i] || sd_bus_message_read(replies[i]->get(), "v", "t", &values[i]) < 0)
            values[i] = UINT64_MAX;  // infinity
    return values;
}

// The request for what differs from the unit's own limits; null if nothing does.
Message limits_request(sd_bus& bus, const LimitsOf& of) {
    const bool set_before = ::access(("/run/systemd/system.control/" + of.unit + ".d").c_str(), F_OK) == 0;
    std::array<std::uint64_t, limit_faces.size()> values{};
    std::transform(limit_faces.begin(), limit_faces.end(), values.begin(), [&](const auto& f) { return f.value(of.limits); });
    if (set_before && std::count(values.begin(), values.end(), 0u) > 0) {
        const auto shipped = shipped_limits(bus, of.unit);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i] == 0) values[i] = shipped[i];
    }
    if (std::all_of(values.begin(), values.end(), [](auto v) { return v == 0; })) return nullptr;
    auto message = request(bus, "SetUnitProperties");
    (void)sd_bus_message_append(message.get(), "sb", of.unit.c_str(), 1);
    (void)sd_bus_message_open_container(message.get(), 'a', "(sv)");
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] != 0) (void)sd_bus_message_append(message.get(), "(sv)", limit_faces[i].property, "t", values[i]);
    (void)sd_bus_message_close_container(message.get());
    return message;
}

// A queued stop: the job's object path, and whether the manager said that it is gone.
struct StopJob {
    std::string path;
    std::vector<std::string> removed;
    [[nodiscard]] bool gone() const { return std::find(removed.begin(), removed.end(), path) != removed.end(); }
};

int note_removed_job(sd_bus_message* m, void* userdata, sd_bus_error* /*error*/) {
    const char* job = nullptr;
    if (sd_bus_message_read(m, "uoss", nullptr, &job, nullptr, nullptr) > 0)
        static_cast<StopJob*>(userdata)->removed.emplace_back(job);
    return 0;
}

using Gone = std::function<void(const std::string&)>;

void free_gone(void* userdata) { delete static_cast<Gone*>(userdata); }

template <int unit_argument>
int report_unit(sd_bus_message* m, void* userdata, sd_bus_error* /*error*/) {
    const char* unit = nullptr;
    const int r =
        unit_argument == 0 ? sd_bus_message_read(m, "s", &unit) : sd_bus_message_read(m, "uos", nullptr, nullptr, &unit);
    if (r > 0) (*static_cast<Gone*>(userdata))(unit);
    return 0;
}

Result<Slot> match(sd_bus& bus, const char* member, sd_bus_message_handler_t handler, void* userdata) {
    sd_bus_slot* raw = nullptr;
    const int r = sd_bus_match_signal(&bus, &raw, destination, manager_path, manager_interface, member, handler, userdata);
    if (r < 0) return fail(Errc::unavailable, "the system bus takes no match for systemd's signals");
    return Slot(raw);
}

}  // namespace

std::vector<Status> Manager::start(const std::vector<std::string>& units) {
    std::vector<Message> requests;
    for (const auto& unit : units) {
        requests.push_back(request(bus_, "StartUnit"));
        (void)sd_bus_message_append(requests.back().get(), "ss", unit.c_str(), "fail");
    }
    const auto replies = call_all(bus_, std::move(requests));
    std::vector<Status> answers;
    for (std::size_t i = 0; i < units.size(); ++i)
        answers.push_back(replies[i] ? Status() : fail(about("starting " + units[i], replies[i].error())));
    return answers;
}

std::vector<Status> Manager::set_limits(const std::vector<LimitsOf>& units) {
    std::vector<Status> answers(units.size());
    std::vector<Message> requests;
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < units.size(); ++i) {
        auto message = limits_request(bus_, units[i]);
        if (message == nullptr) continue;
        requests.push_back(std::move(message));
        asked.push_back(i);
    }
    const auto replies = call_all(bus_, std::move(requests));
    for (std::size_t i = 0; i < asked.size(); ++i)
        if (!replies[i]) answers[asked[i]] = fail(about("limiting " + units[asked[i]].unit, replies[i].error()));
    return answers;
}

Status Manager::stop(const std::string& unit, std::int64_t wait_ms) {
    const auto settled = [&] { return !busy(see(unit)); };
    if (settled()) return {};
    StopJob job;
    auto slot = match(bus_, "JobRemoved", note_removed_job, &job);
    if (!slot) return fail(slot.error());
    auto message = request(bus_, "StopUnit");
    (void)sd_bus_message_append(message.get(), "ss", unit.c_str(), "replace");
    auto reply = call(bus_, std::move(message));
    const char* path = nullptr;
    if (!reply) return fail(about("stopping " + unit, reply.error()));
    if (sd_bus_message_read(reply->get(), "o", &path) < 0) return fail(Errc::unavailable, "stopping " + unit + ": odd reply");
    job.path = path;
    const auto gone = process_until(
        bus_, [&] { return job.gone(); }, wait_ms);
    if (!gone) return fail(gone.error());
    if (!*gone) return fail(Errc::unavailable, unit + " is still being stopped");
    if (!settled()) return fail(Errc::unavailable, unit + " is not settled yet");
    return {};
}

Status Manager::clean(const std::string& unit) {
    auto message = request(bus_, "CleanUnit");
    (void)sd_bus_message_append(message.get(), "sas", unit.c_str(), 1, "state");
    if (auto reply = call(bus_, std::move(message)); !reply) return fail(about("cleaning " + unit, reply.error()));
    return {};
}

std::vector<UnitSeen> Manager::see_all(const std::vector<std::string>& units) {
    std::vector<UnitSeen> all;
    std::vector<std::string> to_ask;
    for (const auto& unit : units) {
        all.push_back(see_in_slices(unit));
        if (!all.back().populated) to_ask.push_back(unit);
    }
    if (to_ask.empty()) return all;
    const auto listed = list(bus_, to_ask);
    for (std::size_t i = 0; i < units.size(); ++i) {
        if (all[i].populated) continue;
        if (!listed) {
            all[i].readable = false;
            continue;
        }
        const auto known = std::find_if(listed->begin(), listed->end(), [&](const auto& l) { return l.name == units[i]; });
        if (known != listed->end()) add_what_is_known(bus_, *known, all[i]);
    }
    return all;
}

Result<std::vector<std::string>> Manager::active(const std::vector<std::string>& patterns) {
    const auto listed = list(bus_, patterns);
    if (!listed) return fail(listed.error());
    std::vector<std::string> names;
    for (const auto& unit : *listed)
        if (unit.active() || unit.job_pending) names.push_back(unit.name);
    return names;
}

Result<std::optional<std::int64_t>> Manager::timer_interval_s(const std::string& timer) {
    auto reply = call(bus_, property_request(bus_, unit_path(timer), "org.freedesktop.systemd1.Timer", "TimersMonotonic"));
    if (!reply) return fail(about("asking for " + timer, reply.error()));
    auto* m = reply->get();
    if (sd_bus_message_enter_container(m, 'v', "a(stt)") < 0 || sd_bus_message_enter_container(m, 'a', "(stt)") < 0)
        return fail(Errc::unavailable, "asking for " + timer + ": odd reply");
    const char* base = nullptr;
    std::uint64_t usec = 0;
    while (sd_bus_message_read(m, "(stt)", &base, &usec, nullptr) > 0)
        if (std::string_view(base) == "OnUnitActiveUSec") return static_cast<std::int64_t>(usec / 1'000'000);
    return std::nullopt;
}

Result<std::vector<Slot>> Manager::watch(const Gone& gone) {
    struct Signal {
        const char* member;
        sd_bus_message_handler_t handler;
    };
    std::vector<Slot> slots;
    for (const auto& [member, handler] : {Signal{"UnitRemoved", report_unit<0>}, Signal{"JobRemoved", report_unit<2>}}) {
        auto own = std::make_unique<Gone>(gone);
        auto slot = match(bus_, member, handler, own.get());
        if (!slot) return fail(slot.error());
        (void)sd_bus_slot_set_destroy_callback(slot->get(), free_gone);
        (void)own.release();
        slots.push_back(std::move(*slot));
    }
    if (auto reply = call(bus_, request(bus_, "Subscribe")); !reply) return fail(about("subscribing", reply.error()));
    return slots;
}

}  // namespace orchd::host
