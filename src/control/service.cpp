#include "control/service.h"

#include <algorithm>
#include <array>
#include <exception>
#include <functional>

#include "control/changes.h"
#include "control/message.h"
#include "control/reads.h"
#include "core/names.h"

namespace orchd::control {
namespace {

// Runs a handler's body; what it throws is answered as Errc::internal, since nothing may be thrown through sd-bus.
template <class Body>
int guarded(sd_bus_error* error, Body&& body) noexcept {
    try {
        const Status done = body();
        return done ? 1 : set_error(error, done.error());
    } catch (const std::exception& caught) {
        return set_error(error, {Errc::internal, std::string("a bug of orchd: ") + caught.what()});
    }
}

Result<std::string> acted(const Act& act, engine::World& world, const std::string& by) {
    try {
        return act(world, by);
    } catch (const std::exception& caught) {
        return fail(Errc::internal, std::string("a bug of orchd: ") + caught.what());
    }
}

void reply(sd_bus_message* call, const Result<std::string>& done) {
    if (!done)
        sd_bus_reply_method_errorf(call, std::string(face(done.error().code).dbus_name).c_str(), "%s",
                                   utf8(done.error().text).c_str());
    else if (done->empty())
        sd_bus_reply_method_return(call, "");
    else
        sd_bus_reply_method_return(call, "o", done->c_str());
}

struct Property {
    std::string_view name;
    int (*append)(sd_bus_message* reply, engine::World& world, const Standing& standing);
};
constexpr std::array properties{
    Property{"Version",
             [](sd_bus_message* m, engine::World&, const Standing&) { return sd_bus_message_append(m, "s", ORCHD_VERSION); }},
    Property{"BootID", [](sd_bus_message* m, engine::World& w,
                          const Standing&) { return sd_bus_message_append(m, "s", w.now().boot_id.c_str()); }},
    Property{"SchemaVersion", [](sd_bus_message* m, engine::World&,
                                 const Standing&) { return sd_bus_message_append(m, "u", store::schema_version()); }},
    Property{"MaxConcurrency", [](sd_bus_message* m, engine::World&,
                                  const Standing& s) { return sd_bus_message_append(m, "u", s.max_concurrency); }},
    Property{"Paused",
             [](sd_bus_message* m, engine::World&, const Standing& s) { return sd_bus_message_append(m, "b", s.paused); }},
    Property{"PauseReason", [](sd_bus_message* m, engine::World&,
                               const Standing& s) { return sd_bus_message_append(m, "s", utf8(s.pause_reason).c_str()); }},
    Property{"NRunning",
             [](sd_bus_message* m, engine::World&, const Standing& s) { return sd_bus_message_append(m, "u", s.running); }},
    Property{"NQueued",
             [](sd_bus_message* m, engine::World&, const Standing& s) { return sd_bus_message_append(m, "u", s.queued); }},
};

}  // namespace

// Every method is UNPRIVILEGED to sd-bus: who may do what is polkit's to say.
const sd_bus_vtable Service::manager_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("CreateTask", SD_BUS_ARGS("s", project, "s", work_item, "s", title, "a{sv}", options),
                            SD_BUS_RESULT("o", task), &Service::on_change, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Approve", SD_BUS_ARGS("s", work_item), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reject", SD_BUS_ARGS("s", work_item, "s", reason), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Retry", SD_BUS_ARGS("s", work_item), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SendBack", SD_BUS_ARGS("s", work_item, "s", to, "s", reason), SD_BUS_NO_RESULT,
                            &Service::on_change, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("EditTask", SD_BUS_ARGS("s", work_item, "a{sv}", changes), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("s", work_item, "s", reason), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ReleaseHold", SD_BUS_ARGS("s", work_item), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CancelJob", SD_BUS_ARGS("t", id), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RetryJob", SD_BUS_ARGS("t", id), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("AddDependency", SD_BUS_ARGS("s", work_item, "s", needs), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RemoveDependency", SD_BUS_ARGS("s", work_item, "s", needs), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ReleaseTransitionLease", SD_BUS_ARGS("s", work_item, "s", reason, "a{sv}", options),
                            SD_BUS_NO_RESULT, &Service::on_change, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ReleaseMergeLease", SD_BUS_ARGS("s", repo, "s", reason, "a{sv}", options), SD_BUS_NO_RESULT,
                            &Service::on_change, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reap", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, &Service::on_change, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ReplayDelivery", SD_BUS_ARGS("t", id), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_ARGS("s", scope, "s", reason), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_ARGS("s", scope), SD_BUS_NO_RESULT, &Service::on_change,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListTasks", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("a(sssstsbbusstto)", tasks),
                            &Service::on_read, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("a(tsssssbuuutssstttto)", jobs),
                            &Service::on_read, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListProjects", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssssbsttts)", projects), &Service::on_read,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListEvents", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("a(ttsstss)", events), &Service::on_read,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListLeases", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sssstsstso)", leases), &Service::on_read,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListDependencies", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("a(ssss)", dependencies),
                            &Service::on_read, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListDeliveries", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("a(tsstss)", deliveries),
                            &Service::on_read, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetDelivery", SD_BUS_ARGS("t", id), SD_BUS_RESULT("s", json), &Service::on_read,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetTask", SD_BUS_ARGS("s", work_item), SD_BUS_RESULT("s", json), &Service::on_read,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetQueue", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), &Service::on_read,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Subscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, &Service::on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Unsubscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, &Service::on_unsubscribe,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Version", "s", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("BootID", "s", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("SchemaVersion", "u", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("MaxConcurrency", "u", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Paused", "b", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("PauseReason", "s", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("NRunning", "u", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("NQueued", "u", &Service::on_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_SIGNAL_WITH_ARGS("TaskStageChanged", SD_BUS_ARGS("s", work_item, "s", from, "s", to, "t", seq), 0),
    SD_BUS_SIGNAL_WITH_ARGS("JobChanged", SD_BUS_ARGS("t", id, "s", from, "s", to), 0),
    SD_BUS_SIGNAL_WITH_ARGS("HoldChanged", SD_BUS_ARGS("s", work_item, "s", hold, "s", reason), 0),
    SD_BUS_SIGNAL_WITH_ARGS("LeaseReclaimed", SD_BUS_ARGS("s", kind, "s", key, "b", forced), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Alert", SD_BUS_ARGS("s", key, "s", text), 0),
    SD_BUS_VTABLE_END,
};

Service::Service(sd_bus& bus, WorldSource world)
    : bus_(bus), world_(std::move(world)), authority_(bus), objects_(world_), signals_(bus, world_) {}

Status Service::start(sd_event& event, const std::string& events_socket) {
    sd_bus_slot* slot = nullptr;
    auto published = checked(sd_bus_add_object_vtable(&bus_, &slot, std::string(names::bus_path).c_str(),
                                                      std::string(names::manager_interface).c_str(), manager_table, this),
                             "publishing the manager");
    manager_.reset(slot);
    if (!published) return published;
    sd_bus_track* track = nullptr;
    auto tracking = checked(sd_bus_track_new(&bus_, &track, nullptr, nullptr), "tracking subscribers");
    subscribers_.reset(track);
    if (!tracking) return tracking;
    if (auto objects = objects_.publish(bus_); !objects) return objects;
    return signals_.listen(event, events_socket);
}

bool Service::idle() const { return answered() && sd_bus_track_count(subscribers_.get()) == 0; }

int Service::on_change(sd_bus_message* call, void* self, sd_bus_error* error) {
    return guarded(error, [&]() -> Status {
        auto& service = *static_cast<Service*>(self);
        const Change* change = find_change(sd_bus_message_get_member(call));
        auto act = change->parse(call);
        if (!act) return fail(act.error());
        service.authority_.ask(call, change->action, [&service, call, act = std::move(*act)](const Result<std::string>& by) {
            const auto world = service.world_();
            if (!by || !world) return reply(call, fail(by ? world.error() : by.error()));
            reply(call, acted(act, **world, *by));
        });
        return {};
    });
}

int Service::on_read(sd_bus_message* call, void* self, sd_bus_error* error) {
    return guarded(error, [&]() -> Status {
        const auto world = static_cast<Service*>(self)->world_();
        if (!world) return fail(world.error());
        sd_bus_message* raw = nullptr;
        auto made = checked(sd_bus_message_new_method_return(call, &raw), "answering");
        const host::Message answer(raw);
        if (!made) return made;
        auto answered = find_read(sd_bus_message_get_member(call))->answer(**world, call, raw);
        return answered ? checked(sd_bus_send(nullptr, raw, nullptr), "answering") : answered;
    });
}

int Service::on_subscribe(sd_bus_message* call, void* self, sd_bus_error* error) {
    return guarded(error, [&]() -> Status {
        auto& service = *static_cast<Service*>(self);
        // What was committed before is told before the answer, so that a subscriber knows what follows it to be new.
        if (auto caught_up = service.signals_.catch_up(); !caught_up) return caught_up;
        auto added = checked(sd_bus_track_add_sender(service.subscribers_.get(), call), "subscribing");
        return added ? checked(sd_bus_reply_method_return(call, ""), "answering") : added;
    });
}

int Service::on_unsubscribe(sd_bus_message* call, void* self, sd_bus_error* error) {
    return guarded(error, [&]() -> Status {
        auto& subscribers = *static_cast<Service*>(self)->subscribers_;
        auto removed = checked(sd_bus_track_remove_sender(&subscribers, call), "unsubscribing");
        return removed ? checked(sd_bus_reply_method_return(call, ""), "answering") : removed;
    });
}

int Service::on_property(sd_bus*, const char*, const char*, const char* name, sd_bus_message* reply, void* self,
                         sd_bus_error* error) {
    return guarded(error, [&]() -> Status {
        const auto world = static_cast<Service*>(self)->world_();
        if (!world) return fail(world.error());
        const auto now = standing(**world);
        if (!now) return fail(now.error());
        const auto* row = std::find_if(properties.begin(), properties.end(), [&](const Property& p) { return p.name == name; });
        return checked(row->append(reply, **world, *now), "answering");
    });
}

}  // namespace orchd::control
