#include "orchctl/session.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace orchd::orchctl {
namespace {

bool terminal() { return ::isatty(STDOUT_FILENO) == 1; }

winsize window() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size = {};
    return size;
}

// False when whoever reads has gone (`orchctl … | head`), which is no failure of ours.
Result<bool> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EPIPE) return false;
        if (written <= 0) return fail(Errc::io, std::string("The answer cannot be written: ") + std::strerror(errno) + ".");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

bool Session::colours() const { return terminal() && std::getenv("NO_COLOR") == nullptr; }

void Session::heading(const std::string& text) {
    if (!text_.empty()) text_ += '\n';
    line(coloured(text, Paint::bold, colours()));
}

void Session::table(const Table& table) { text_ += table.render(terminal() ? window().ws_col : 0, colours()); }

void Session::document(const boost::json::value& value) { text_ += boost::json::serialize(value) + '\n'; }

Result<bool> Session::flush() {
    auto read = write_all(STDOUT_FILENO, text_);
    text_.clear();
    return read;
}

Status Session::show() {
    if (page()) return {};
    return flush().map([](bool) {});
}

bool Session::page() {
    const auto lines = std::count(text_.begin(), text_.end(), '\n');
    if (no_pager || json || !terminal() || lines < window().ws_row) return false;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    const pid_t pager = ::fork();
    if (pager == 0) {
        ::dup2(ends[0], STDIN_FILENO);
        std::signal(SIGPIPE, SIG_DFL);
        ::setenv("LESSSECURE", "1", 1);
        ::execlp("less", "less", "-FRX", nullptr);
        ::execlp("cat", "cat", nullptr);
        ::_exit(127);
    }
    ::close(ends[0]);
    if (pager > 0) (void)write_all(ends[1], text_);
    ::close(ends[1]);
    if (pager < 0) return false;
    while (::waitpid(pager, nullptr, 0) < 0 && errno == EINTR) {
    }
    text_.clear();
    return true;
}

}  // namespace orchd::orchctl
