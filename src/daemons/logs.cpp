// orchd-logs: tells who may operate orchd what the journal holds of a task. One process for each who asks, on the socket that
// systemd accepted: it reads one line and becomes the journalctl that answers it.
#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "core/log_request.h"
#include "daemons/command_line.h"
#include "host/host.h"

namespace orchd::daemons {
namespace {

constexpr std::int64_t patience_ms = 10'000;
constexpr std::size_t longest_line = 64 * 1024;

// The line, whole, or nothing in time.
Result<std::string> read_line(int fd) {
    std::string text;
    const auto until = host::boottime_ms() + patience_ms;
    while (text.find('\n') == std::string::npos) {
        pollfd ready{fd, POLLIN, 0};
        const auto left = until - host::boottime_ms();
        const int polled = left > 0 ? ::poll(&ready, 1, static_cast<int>(left)) : 0;
        if (polled < 0 && errno == EINTR) continue;
        if (polled <= 0) return fail(Errc::unavailable, "nothing was asked in time");
        char part[4096];
        const auto got = ::read(fd, part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail(Errc::unavailable, "who asked has gone");
        text.append(part, static_cast<std::size_t>(got));
        if (text.size() > longest_line) return fail(Errc::invalid_argument, "what was asked is too long");
    }
    return text.substr(0, text.find('\n'));
}

int answer(const Arguments&) {
    const auto line = read_line(STDIN_FILENO);
    if (!line) return exit_status(fail(line.error()));
    const auto request = log_request(*line);
    if (!request) return exit_status(fail(request.error()));
    // A sign that what was asked is answered: an end without it is none.
    constexpr std::string_view understood = "{}\n";
    if (::write(STDOUT_FILENO, understood.data(), understood.size()) != static_cast<ssize_t>(understood.size())) return 1;
    auto words = journal_command(*request);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv("/usr/bin/journalctl", argv.data());
    return exit_status(fail(Errc::unavailable, std::string("journalctl cannot be run: ") + std::strerror(errno)));
}

}  // namespace
}  // namespace orchd::daemons

int main(int argc, char** argv) {
    using namespace orchd::daemons;
    return run_program({.name = "orchd-logs", .about = "Tells what the journal holds of a task to whoever is on its socket."},
                       argc, argv, answer);
}
