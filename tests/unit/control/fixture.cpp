#include "control/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "host/fd.h"
#include "host/host.h"
#include "store/tasks.h"

namespace orchd::control {
namespace {

template <class Handle, class Raw>
Handle owned(int result, Raw* raw) {
    EXPECT_GE(result, 0);
    return Handle(raw);
}

store::Db new_database(const std::filesystem::path& folder) {
    store::OpenOptions options;
    options.mode = store::Mode::create;
    auto db = store::Db::open((folder / "orchd.db").string(), options);
    if (!db) throw std::runtime_error(db.error().text);
    return std::move(*db);
}

settings::Projects one_project() {
    settings::Project project;
    project.name = "hello";
    project.prefix = "HELLO";
    project.forge_path = "/srv/git/hello.git";
    project.workers[Role::analyst].command = {"./analyse"};
    settings::Projects projects;
    projects.good.push_back(project);
    projects.problems.push_back({"/etc/orchd/projects.d/broken.toml", "line 3: unknown key"});
    return projects;
}

host::Event new_event() {
    sd_event* event = nullptr;
    const int made = sd_event_new(&event);
    return owned<host::Event>(made, event);
}

}  // namespace

PrivateBus::PrivateBus() {
    std::string pattern = (std::filesystem::temp_directory_path() / "orchd-bus-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) < 0) throw std::runtime_error("pipe");
    const std::string address = "--address=unix:path=" + (folder_ / "bus").string();
    const std::string report = "--print-address=" + std::to_string(pipe_ends[1]);
    daemon_ = fork();
    if (daemon_ == 0) {
        // It complains of limits that it may not raise.
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", address.c_str(), report.c_str(), nullptr);
        _exit(127);
    }
    close(pipe_ends[1]);
    const host::Fd answer(pipe_ends[0]);
    for (char c = 0; read(answer.get(), &c, 1) == 1 && c != '\n';) address_ += c;
    if (address_.empty()) throw std::runtime_error("dbus-daemon did not start");
}

PrivateBus::~PrivateBus() {
    kill(daemon_, SIGKILL);
    waitpid(daemon_, nullptr, 0);
    std::filesystem::remove_all(folder_);
}

host::Bus PrivateBus::connect(sd_event& event) const {
    sd_bus* raw = nullptr;
    const int made = sd_bus_new(&raw);
    auto bus = owned<host::Bus>(made, raw);
    EXPECT_GE(sd_bus_set_address(raw, address_.c_str()), 0);
    EXPECT_GE(sd_bus_set_bus_client(raw, 1), 0);
    EXPECT_GE(sd_bus_start(raw), 0);
    EXPECT_GE(sd_bus_attach_event(raw, &event, SD_EVENT_PRIORITY_NORMAL), 0);
    return bus;
}

std::string Answer::error() const {
    const auto* error = sd_bus_message_get_error(message.get());
    return error != nullptr ? error->name : "";
}

std::string Answer::error_text() const {
    const auto* error = sd_bus_message_get_error(message.get());
    return error != nullptr ? error->message : "";
}

std::string Answer::text() const {
    const char* text = nullptr;
    char type = 0;
    if (sd_bus_message_peek_type(message.get(), &type, nullptr) <= 0) return {};
    return sd_bus_message_read_basic(message.get(), type, &text) < 0 ? "" : text;
}

ControlTest::ControlTest()
    : event_(new_event()),
      db_(new_database(bus_.folder())),
      projects_(one_project()),
      world_{.db = db_,
             .now = host::now,
             .settings = settings_,
             .projects = projects_,
             .paths = {},
             .actor = "control",
             .open_mirror = [](const settings::Project&) -> Result<std::unique_ptr<git::Mirror>> {
                 return fail(Errc::unavailable, "no mirror in this test");
             },
             .open_forge = [](const settings::Project&) -> Result<std::unique_ptr<forge::Forge>> {
                 return fail(Errc::unavailable, "no forge in this test");
             },
             .poke_events = [socket = (bus_.folder() / "events").string()] { host::poke(socket); },
             .random = host::random_unit},
      server_(bus_.connect(*event_)),
      caller_(bus_.connect(*event_)) {
    start_service();
    EXPECT_GE(sd_bus_request_name(server_.get(), "org.orchd1", 0), 0);
}

void ControlTest::start_service() {
    service_.reset();
    service_.emplace(*server_, [this]() -> Result<engine::World*> {
        if (database_gone_) return fail(Errc::io, "the database cannot be opened");
        return &world_;
    });
    EXPECT_TRUE(service_->start(*event_, (bus_.folder() / "events").string()));
}

host::Message ControlTest::manager_call(sd_bus& from, const char* member) {
    sd_bus_message* raw = nullptr;
    const int made = sd_bus_message_new_method_call(&from, &raw, "org.orchd1", "/org/orchd1", "org.orchd1.Manager", member);
    return owned<host::Message>(made, raw);
}

Answer ControlTest::send(sd_bus& from, host::Message request) {
    Answer answer;
    sd_bus_slot* slot = nullptr;
    const auto take = [](sd_bus_message* message, void* answer_of_test, sd_bus_error*) {
        static_cast<Answer*>(answer_of_test)->message.reset(sd_bus_message_ref(message));
        return 0;
    };
    EXPECT_GE(sd_bus_call_async(&from, &slot, request.get(), take, &answer, 0), 0);
    const host::Slot pending(slot);
    run_until([&] { return answer.message != nullptr; });
    return answer;
}

Answer ControlTest::get_property(const std::string& path, const char* interface, const char* name) {
    sd_bus_message* raw = nullptr;
    const int made = sd_bus_message_new_method_call(caller_.get(), &raw, "org.orchd1", path.c_str(),
                                                    "org.freedesktop.DBus.Properties", "Get");
    auto request = owned<host::Message>(made, raw);
    EXPECT_GE(sd_bus_message_append(raw, "ss", interface, name), 0);
    auto answer = send(*caller_, std::move(request));
    const char* contents = nullptr;
    if (answer.error().empty() && sd_bus_message_peek_type(answer.message.get(), nullptr, &contents) > 0)
        sd_bus_message_enter_container(answer.message.get(), 'v', contents);
    return answer;
}

void ControlTest::listen_to_signals() {
    const auto keep = [](sd_bus_message* message, void* signals, sd_bus_error*) {
        static_cast<std::deque<host::Message>*>(signals)->emplace_back(sd_bus_message_ref(message));
        return 0;
    };
    sd_bus_slot* slot = nullptr;
    EXPECT_GE(sd_bus_add_match(caller_.get(), &slot, "type='signal',path_namespace='/org/orchd1'", keep, &signals_), 0);
    signal_match_.reset(slot);
}

bool ControlTest::heard(const std::string& member) const {
    return std::any_of(signals_.begin(), signals_.end(),
                       [&](const auto& signal) { return member == sd_bus_message_get_member(signal.get()); });
}

host::Message ControlTest::take(const std::string& member) {
    run_until([&] { return heard(member); });
    const auto found = std::find_if(signals_.begin(), signals_.end(),
                                    [&](const auto& signal) { return member == sd_bus_message_get_member(signal.get()); });
    if (found == signals_.end()) return nullptr;
    auto signal = std::move(*found);
    signals_.erase(found);
    return signal;
}

store::Task ControlTest::make_task(const std::string& work_item) {
    const auto answer = call("CreateTask", "sssa{sv}", "hello", work_item.c_str(), "A greeting", 0);
    EXPECT_EQ(answer.error(), "") << answer.error_text();
    const auto task = store::find_task(db_, work_item);
    EXPECT_TRUE(task && *task);
    return **task;
}

}  // namespace orchd::control
