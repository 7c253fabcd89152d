// orchd-worker.service: claims jobs, starts their units, and recovers what died.
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "core/names.h"
#include "daemons/command_line.h"
#include "daemons/settings_files.h"
#include "daemons/worker_loop.h"

namespace {

using namespace orchd;

constexpr unsigned seconds_between_tries = 5;

// The socket that orchd-worker.socket listens on.
Result<int> wake_socket() {
    const int passed = sd_listen_fds(1);
    if (passed == 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_DGRAM, -1, nullptr, 0) > 0) return SD_LISTEN_FDS_START;
    return fail(Errc::invalid_argument, "no wake-up socket was handed over: start orchd-worker.socket instead");
}

int work(const daemons::Arguments&) {
    const auto socket = wake_socket();
    if (!socket) return daemons::exit_status(fail(socket.error()));
    daemons::stand_until_settings_are_good();
    const auto owned =
        daemons::OwnedWorld::open({.actor = "worker", .mode = store::Mode::create, .units = true, .keeps_settings = true});
    if (!owned) {
        const int status = daemons::exit_status(fail(owned.error()));
        // systemd starts it again at once; a database that is lost, or may not be opened, stays so for a while.
        if (owned.error().code != Errc::unavailable) ::sleep(seconds_between_tries);
        return status;
    }
    return daemons::exit_status(daemons::WorkerLoop(**owned, *socket).run());
}

}  // namespace

int main(int argc, char** argv) {
    return daemons::run_program({.name = "orchd-worker",
                                 .about = "Claims jobs, starts their units and recovers. Started by orchd-worker.service.",
                                 .user = names::worker_user},
                                argc, argv, work);
}
