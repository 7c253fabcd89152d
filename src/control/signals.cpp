#include "control/signals.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <vector>

#include "control/message.h"
#include "core/names.h"
#include "host/log.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::control {
namespace {

namespace json = boost::json;

constexpr int events_at_once = 1000;
const std::string manager_path(names::bus_path);
const std::string manager_interface(names::manager_interface);

json::object data_of(const store::Event& event) {
    boost::system::error_code error;
    const auto value = json::parse(event.data, error);
    return !error && value.is_object() ? value.get_object() : json::object();
}

std::string text(const json::object& data, std::string_view key) {
    const auto* value = data.if_contains(key);
    return value != nullptr && value->is_string() ? utf8(std::string_view(value->get_string())) : std::string();
}

std::int64_t number(const json::object& data, std::string_view key) {
    const auto* value = data.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string work_item_of(store::Db& db, std::optional<std::int64_t> task_id) {
    if (!task_id) return {};
    const auto task = store::find_task(db, *task_id);
    return task && *task ? (*task)->work_item : std::string();
}

Result<host::Fd> bound_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return fail(Errc::invalid_argument, path + " is too long for a socket");
    path.copy(address.sun_path, path.size());
    host::Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // An earlier instance's socket has nobody behind it: the bus name admits one at a time.
    unlink(path.c_str());
    if (!fd.open() || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 ||
        chmod(path.c_str(), 0660) < 0)
        return fail(Errc::io, "cannot listen on " + path + ": " + std::strerror(errno));
    return fd;
}

}  // namespace

Result<Standing> standing(const engine::World& world) {
    store::Db& db = world.db;
    const auto paused = store::find_state(db, "paused");
    if (!paused) return fail(paused.error());
    const auto counts = store::queue_counts(db);
    if (!counts) return fail(counts.error());
    Standing now;
    now.paused = paused->has_value();
    if (*paused) now.pause_reason = (*paused)->reason;
    now.max_concurrency = static_cast<int>(world.settings.max_concurrency);
    now.running = static_cast<int>(counts->running + counts->stopping);
    now.queued = static_cast<int>(counts->queued);
    return now;
}

Status Signals::listen(sd_event& event, const std::string& socket_path) {
    auto bound = bound_socket(socket_path);
    if (!bound) return fail(bound.error());
    socket_ = std::move(*bound);
    sd_event_source* source = nullptr;
    auto added =
        checked(sd_event_add_io(&event, &source, socket_.get(), EPOLLIN, &Signals::poked, this), "watching the socket");
    source_.reset(source);
    if (!added) return added;
    if (auto begun = catch_up(); !begun)
        host::log(host::Level::warning, "Events cannot be read yet, trying at the next poke: " + begun.error().text);
    return {};
}

int Signals::poked(sd_event_source*, int fd, std::uint32_t, void* self) {
    char byte = 0;
    while (recv(fd, &byte, sizeof(byte), MSG_TRUNC) >= 0) {
    }
    if (auto caught_up = static_cast<Signals*>(self)->catch_up(); !caught_up)
        host::log(host::Level::warning, "Events cannot be read, trying at the next poke: " + caught_up.error().text);
    return 0;
}

Status Signals::catch_up() {
    const auto world = world_();
    if (!world) return fail(world.error());
    store::Db& db = (*world)->db;
    if (!last_) return begin(**world);
    Touched touched;
    for (std::size_t seen = events_at_once; seen == events_at_once;) {
        const auto events = store::next_events(db, *last_, events_at_once);
        if (!events) return fail(events.error());
        for (const auto& event : *events) {
            tell(db, event, touched);
            last_ = event.id;
        }
        seen = events->size();
    }
    tell_objects(db, touched);
    return tell_standing(**world);
}

Status Signals::begin(const engine::World& world) {
    const auto now = standing(world);
    if (!now) return fail(now.error());
    const auto newest = store::newest_event_id(world.db);
    if (!newest) return fail(newest.error());
    told_ = *now;
    last_ = *newest;
    return {};
}

void Signals::tell(store::Db& db, const store::Event& event, Touched& touched) {
    const auto emit = [&](const char* member, const char* types, const auto&... values) {
        if (sd_bus_emit_signal(&bus_, manager_path.c_str(), manager_interface.c_str(), member, types, values...) < 0)
            host::log(host::Level::warning, "A signal could not be sent, ignoring");
    };
    const auto data = data_of(event);
    if (event.task_id) touched.tasks.insert(*event.task_id);
    if (event.job_id) touched.jobs.insert(*event.job_id);
    if (event.kind == "stage_changed") {
        emit("TaskStageChanged", "ssst", work_item_of(db, event.task_id).c_str(), text(data, "from").c_str(),
             text(data, "to").c_str(), number(data, "seq"));
        const auto to = from_text<Stage>(text(data, "to"));
        if (event.task_id && to && terminal(*to)) touched.ended_tasks.insert(*event.task_id);
    } else if (event.kind == "job_changed" && event.job_id) {
        emit("JobChanged", "tss", *event.job_id, text(data, "from").c_str(), text(data, "to").c_str());
        const auto to = from_text<JobStatus>(text(data, "to"));
        if (text(data, "from").empty()) touched.new_jobs.insert(*event.job_id);
        if (to && !live(*to)) touched.ended_jobs.insert(*event.job_id);
    } else if (event.kind == "hold_changed") {
        emit("HoldChanged", "sss", work_item_of(db, event.task_id).c_str(), text(data, "hold").c_str(),
             text(data, "reason").c_str());
    } else if (event.kind == "lease_reclaimed") {
        emit("LeaseReclaimed", "ssb", text(data, "kind").c_str(), text(data, "key").c_str(),
             number(data, "forced") != 0 ? 1 : 0);
    } else if (event.kind == "alert") {
        emit("Alert", "ss", text(data, "key").c_str(), text(data, "text").c_str());
    } else if (event.kind == "task_created" && event.task_id) {
        touched.new_tasks.insert(*event.task_id);
    }
}

void Signals::tell_objects(store::Db& db, const Touched& touched) {
    const auto tell_object = [&](const std::string& path, std::string_view interface, bool is_new, bool has_ended) {
        if (is_new) sd_bus_emit_object_added(&bus_, path.c_str());
        if (!is_new) sd_bus_emit_properties_changed_strv(&bus_, path.c_str(), std::string(interface).c_str(), nullptr);
        if (has_ended) sd_bus_emit_object_removed(&bus_, path.c_str());
    };
    for (const auto id : touched.tasks)
        if (const auto work_item = work_item_of(db, id); !work_item.empty())
            tell_object(task_path(work_item), names::task_interface, touched.new_tasks.contains(id),
                        touched.ended_tasks.contains(id));
    for (const auto id : touched.jobs)
        tell_object(job_path(id), names::job_interface, touched.new_jobs.contains(id), touched.ended_jobs.contains(id));
}

Status Signals::tell_standing(const engine::World& world) {
    const auto now = standing(world);
    if (!now) return fail(now.error());
    std::vector<const char*> changed;
    if (now->paused != told_.paused) changed.push_back("Paused");
    if (now->pause_reason != told_.pause_reason) changed.push_back("PauseReason");
    if (now->max_concurrency != told_.max_concurrency) changed.push_back("MaxConcurrency");
    if (now->running != told_.running) changed.push_back("NRunning");
    if (now->queued != told_.queued) changed.push_back("NQueued");
    if (changed.empty()) return {};
    changed.push_back(nullptr);
    told_ = *now;
    return checked(sd_bus_emit_properties_changed_strv(&bus_, manager_path.c_str(), manager_interface.c_str(),
                                                       const_cast<char**>(changed.data())),
                   "telling changed properties");
}

}  // namespace orchd::control
