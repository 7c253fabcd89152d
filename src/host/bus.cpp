#include <cstring>

#include "host/host.h"
#include "host/systemd.h"

namespace orchd::host {
namespace {

constexpr std::uint64_t call_timeout_us = 20'000'000;

struct Pending {
    Slot slot;
    Message reply;
    int* left = nullptr;
};

int take_reply(sd_bus_message* reply, void* userdata, sd_bus_error* /*error*/) {
    auto& pending = *static_cast<Pending*>(userdata);
    pending.reply.reset(sd_bus_message_ref(reply));
    --*pending.left;
    return 0;
}

Error explain(const sd_bus_error& error) {
    const std::string_view name = error.name;
    auto code = Errc::unavailable;
    if (name == SD_BUS_ERROR_ACCESS_DENIED || name == SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)
        code = Errc::not_permitted;
    else if (name == "org.freedesktop.systemd1.NoSuchUnit")
        code = Errc::no_such;
    return {code, error.message != nullptr ? error.message : error.name};
}

Error explain(int result) { return {Errc::unavailable, std::string("system bus: ") + std::strerror(-result)}; }

}  // namespace

Result<Bus> open_system_bus() {
    sd_bus* raw = nullptr;
    if (const int r = sd_bus_open_system(&raw); r < 0) return fail(explain(r));
    Bus bus(raw);
    // sd-bus authenticates only with the first call; dbus-daemon drops who has not done so after half a minute.
    const char* name = nullptr;
    if (const int r = sd_bus_get_unique_name(bus.get(), &name); r < 0) return fail(explain(r));
    return bus;
}

std::vector<Result<Message>> call_all(sd_bus& bus, std::vector<Message> requests) {
    std::vector<Pending> pending(requests.size());
    int left = 0, broken = 0;
    for (std::size_t i = 0; i < requests.size() && broken >= 0; ++i) {
        pending[i].left = &left;
        sd_bus_slot* slot = nullptr;
        broken = requests[i] == nullptr
                     ? -ENOMEM
                     : sd_bus_call_async(&bus, &slot, requests[i].get(), take_reply, &pending[i], call_timeout_us);
        pending[i].slot.reset(slot);
        if (broken >= 0) ++left;
    }
    while (left > 0 && broken >= 0) {
        broken = sd_bus_process(&bus, nullptr);
        if (broken == 0) broken = sd_bus_wait(&bus, UINT64_MAX);
    }
    std::vector<Result<Message>> replies;
    for (auto& p : pending) {
        const auto* error = p.reply ? sd_bus_message_get_error(p.reply.get()) : nullptr;
        if (error != nullptr)
            replies.emplace_back(fail(explain(*error)));
        else if (p.reply == nullptr)
            replies.emplace_back(fail(explain(broken)));
        else
            replies.emplace_back(std::move(p.reply));
    }
    return replies;
}

Result<bool> process_until(sd_bus& bus, const std::function<bool()>& done, std::int64_t wait_ms) {
    for (const auto deadline = boottime_ms() + wait_ms; !done();) {
        int r = sd_bus_process(&bus, nullptr);
        if (r > 0) continue;
        const auto left = deadline - boottime_ms();
        if (left <= 0) return false;
        if (r == 0) r = sd_bus_wait(&bus, static_cast<std::uint64_t>(left) * 1000);
        if (r < 0 && r != -EINTR) return fail(Errc::unavailable, "the system bus is gone");  // a signal: done() may be true now
    }
    return true;
}

}  // namespace orchd::host
