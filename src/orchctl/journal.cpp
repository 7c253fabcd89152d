#include "orchctl/journal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <vector>

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

// Whether the journal is the caller's to read: journalctl itself would only show less, and say so to nobody who parses it.
bool may_read() {
    if (::geteuid() == 0) return true;
    std::string machine;
    std::ifstream("/etc/machine-id") >> machine;
    for (const auto* folder : {"/var/log/journal/", "/run/log/journal/"})
        if (::access((folder + machine + "/system.journal").c_str(), R_OK) == 0) return true;
    return false;
}

Error failed(const std::string& what) { return {Errc::unavailable, what + ": " + std::strerror(errno) + "."}; }

Result<host::Fd> connected(const LogRequest& request) {
    host::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.open()) return fail(failed("No socket"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    logs_socket.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno == EACCES || errno == EPERM)
            return fail(Errc::not_permitted,
                        "You may not read the journal: use sudo, or have an administrator add you to the group orchd.");
        return fail(failed("The journal is not yours to read, and " + std::string(logs_socket) +
                           " does not answer (see 'systemctl status orchd-logs.socket')"));
    }
    const auto line = to_line(request) + '\n';
    if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
        return fail(failed(std::string(logs_socket)));
    return fd;
}

Result<std::pair<host::Fd, pid_t>> started(const LogRequest& request) {
    auto words = journal_command(request);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(failed("No pipe"));
    host::Fd read(ends[0]), write(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) return fail(failed("No process"));
    if (child == 0) {
        ::dup2(write.get(), STDOUT_FILENO);
        std::signal(SIGPIPE, SIG_DFL);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    return std::pair{std::move(read), child};
}

// What the journal holds of bytes that are no text is a list of numbers.
std::string text_of(const json::value& value) {
    if (const auto* text = value.if_string()) return {text->begin(), text->end()};
    std::string text;
    if (const auto* bytes = value.if_array()) {
        for (const auto& byte : *bytes) {
            if (byte.is_int64()) text += static_cast<char>(byte.get_int64());
            if (byte.is_string()) return std::string(byte.get_string());  // a field that is there twice
        }
    }
    return text;
}

}  // namespace

Result<Journal> Journal::open(const LogRequest& request) {
    if (may_read()) return started(request).map([](auto made) { return Journal(std::move(made.first), made.second); });
    auto fd = connected(request);
    if (!fd) return fail(fd.error());
    Journal journal(std::move(*fd), -1);
    const auto understood = journal.next();
    if (!understood) return fail(understood.error());
    if (!*understood)
        return fail(Errc::unavailable,
                    "orchd-logs does not answer: 'journalctl --unit=orchd-logs@*' says why, to who may read it.");
    return journal;
}

Journal::~Journal() {
    from_.reset();
    if (child_ <= 0) return;
    ::kill(child_, SIGTERM);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

bool Journal::ready() const {
    if (read_.find('\n', at_) != std::string::npos) return true;
    pollfd one{from_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) > 0;
}

Result<std::optional<json::object>> Journal::next() {
    auto end_of_line = read_.find('\n', at_);
    while (end_of_line == std::string::npos) {
        read_.erase(0, at_);
        at_ = 0;
        std::array<char, 64 * 1024> part{};
        const auto got = ::read(from_.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(failed("The journal cannot be read"));
        if (got == 0) return end().map([] { return std::optional<json::object>(); });
        const auto before = read_.size();
        read_.append(part.data(), static_cast<std::size_t>(got));
        end_of_line = read_.find('\n', before);
    }
    boost::system::error_code error;
    auto record = json::parse(std::string_view(read_).substr(at_, end_of_line - at_), error);
    at_ = end_of_line + 1;
    if (error || !record.is_object()) return fail(Errc::internal, "journalctl answered what is no JSON object.");
    return std::move(record.get_object());
}

// Where it was a child, how that ended: nothing there is no error, but a journalctl that cannot be run is one.
Status Journal::end() {
    if (child_ <= 0) return {};
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) return {};
    return fail(Errc::unavailable, "journalctl cannot be run, or failed.");
}

std::string field_of(const json::object& record, std::string_view name) {
    const auto* value = record.if_contains(name);
    return value == nullptr ? std::string() : text_of(*value);
}

}  // namespace orchd::orchctl
