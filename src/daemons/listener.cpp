// orchd-listener.service: webhooks, and reading, over HTTP on the sockets of orchd-listener.socket.
#include <malloc.h>
#include <systemd/sd-daemon.h>
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>

#include "core/names.h"
#include "core/time.h"
#include "daemons/command_line.h"
#include "daemons/settings_files.h"
#include "host/host.h"
#include "host/log.h"
#include "listener/health.h"
#include "listener/read_routes.h"
#include "listener/webhooks.h"
#include "net/server.h"

namespace {

using namespace orchd;

// Settings that are wrong must not keep deliveries out.
settings::Settings settings_at_start() {
    const auto reading = daemons::read_settings();
    for (const auto& warning : reading.condition.warnings) host::log(host::Level::warning, warning + "; it changes nothing");
    if (const auto text = settings::said_of(reading.condition); !text.empty()) host::log(host::Level::warning, text);
    return reading.settings;
}

Status listen_on_passed_sockets(net::Server& server) {
    const int passed = sd_listen_fds(1);
    for (int n = 0; n < passed; ++n) {
        const int fd = SD_LISTEN_FDS_START + n;
        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
            return fail(Errc::invalid_argument, "orchd-listener.socket passes a socket that is no listening stream");
        if (auto listening = server.listen(fd); !listening) return listening;
    }
    if (passed > 0) return {};
    return fail(Errc::invalid_argument, "no socket was handed over: start orchd-listener.socket instead");
}

std::int64_t free_bytes() {
    return host::free_bytes(std::string(names::state_dir)).value_or(std::numeric_limits<std::int64_t>::max());
}
Inodes inodes() { return host::inodes(std::string(names::state_dir)); }

listener::ReadOptions read_options() {
    return {.database = std::string(names::database),
            .now = host::now,
            .read_settings = daemons::read_settings,
            .free_bytes = free_bytes,
            .inodes = inodes};
}

listener::Secrets read_secrets() {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    std::vector<std::string> problems;
    auto secrets = listener::Secrets::read(directory == nullptr ? "" : directory, problems);
    for (const auto& problem : problems) host::log(host::Level::warning, "webhook secrets: " + problem);
    return secrets;
}

constexpr std::size_t buffered_bytes = 32u << 20;  // of bodies: the unit's MemoryMax= allows for the largest setting

// Who asks for the health of a service waits for seconds at most.
Result<store::Db> open_to_look() { return store::Db::open(std::string(names::database), {.busy_timeout_ms = 1000}); }

// Less than a sender's own patience (Gitea: five seconds), so that it is told.
Result<store::Db> open_database() { return store::Db::open(std::string(names::database), {.busy_timeout_ms = 4000}); }

void tell_refusals(const listener::Answers::Refusals& refused) {
    const auto status = std::to_string(refused.status);
    host::log(
        host::Level::notice,
        std::to_string(refused.count) + " requests were refused with " + status + ", the last from " + refused.last_source,
        {{"ORCHD_HTTP_STATUS", status}, {"ORCHD_HTTP_SOURCE", refused.last_source}});
}

void tell_no_room(const std::string& why) {
    host::log(host::Level::warning, "there is no room for a client that waits (" + why +
                                        "): it is served when there is; see LimitNOFILE= in systemd.exec(5)");
}

// Small, and small again after large bodies: threads share one heap, and what is large goes back when it is free.
void keep_memory_small() {
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

Status serve() {
    const auto settings = settings_at_start();
    listener::Health health(
        {.open = open_to_look, .free_bytes = free_bytes, .inodes = inodes, .utc_ms = [] { return host::now().utc_ms; }});
    listener::Reader reader(read_options(), [](const std::string& text) { host::log(host::Level::warning, text); });
    listener::Answers answers(tell_refusals);
    net::Router router;
    listener::add_read_routes(router, reader, health, answers);
    const auto most_body = static_cast<std::size_t>(settings.webhook_max_bytes);
    net::Server server(router, {.connections = static_cast<std::size_t>(settings.listener_connections),
                                .connections_per_source = static_cast<std::size_t>(settings.listener_connections_per_source),
                                .buffered_bytes = std::max(buffered_bytes, 2 * most_body)});
    if (auto listening = listen_on_passed_sockets(server); !listening) return listening;
    listener::Writer writer({.open = open_database,
                             .post = [&server](std::function<void()> work) { server.post(std::move(work)); },
                             .committed = [] { host::poke(std::string(names::wake_socket)); }});
    listener::Webhooks webhooks(read_secrets(), {.utc_ms = [] { return host::now().utc_ms; }, .boot_ms = host::boottime_ms},
                                writer, most_body);
    webhooks.add_to(router);
    server.on_answer([&answers](int status, const std::string& source) { answers.count(status, source); });
    server.on_sweep([&answers] { answers.tell_rest(false); });
    server.on_no_room([told_at = std::optional<std::int64_t>()](const std::string& why) mutable {
        if (due_again(told_at, host::boottime_ms(), std::int64_t{60'000})) tell_no_room(why);
    });
    server.stop_on_signals();
    (void)sd_notify(0, "READY=1");
    server.run(std::chrono::seconds(settings.listener_idle_s));
    answers.tell_rest(true);
    (void)sd_notify(0, "STOPPING=1");
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    return daemons::run_program({.name = "orchd-listener",
                                 .about = "Receives webhooks, and answers reads, over HTTP. Started by orchd-listener.socket."},
                                argc, argv, [](const daemons::Arguments&) {
                                    keep_memory_small();
                                    return daemons::exit_status(serve());
                                });
}
