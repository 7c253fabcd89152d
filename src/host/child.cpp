#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "host/fd.h"
#include "host/host.h"

namespace orchd::host {
namespace {

constexpr std::int64_t grace_ms = 5000;  // between SIGTERM and SIGKILL

struct Pipe {
    Fd read, write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) return fail(Errc::io, std::string("pipe: ") + std::strerror(errno));
    return Pipe{Fd(fds[0]), Fd(fds[1])};
}

// The whole input in a file without a name: nobody has to feed a pipe, and no SIGPIPE comes of a child that does not read.
Result<Fd> open_input(const std::string& input) {
    Fd fd(input.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : ::memfd_create("input", MFD_CLOEXEC));
    if (!fd.open()) return fail(Errc::io, std::string("input of a child process: ") + std::strerror(errno));
    for (std::size_t written = 0; written < input.size();) {
        const auto n = ::write(fd.get(), input.data() + written, input.size() - written);
        if (n < 0 && errno != EINTR) return fail(Errc::io, std::string("input of a child process: ") + std::strerror(errno));
        if (n > 0) written += static_cast<std::size_t>(n);
    }
    ::lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> all;
    all.reserve(words.size() + 1);
    for (const auto& w : words) all.push_back(const_cast<char*>(w.c_str()));
    all.push_back(nullptr);
    return all;
}

// What the child says through a close-on-exec pipe when it does not get as far as its program.
struct Refusal {
    enum class At { setup, directory, exec } at;
    int error;
};

struct Prepared {
    std::vector<char*> argv, env;
    const char* directory;
    int in, out, err, report, umask;
};

// Between vfork and exec, in the caller's memory: nothing but async-signal-safe calls, and past what a sanitizer makes of
// signal(2), which would be the caller's.
[[noreturn]] void become(const Prepared& p) {
    const auto refuse = [&](Refusal::At at) {
        const Refusal r{at, errno};
        (void)!::write(p.report, &r, sizeof r);
        ::_exit(127);
    };
    ::setpgid(0, 0);
    constexpr std::array<unsigned long, 4> by_default{};  // the kernel's own struct sigaction
    for (int s = 1; s < NSIG; ++s) ::syscall(SYS_rt_sigaction, s, by_default.data(), nullptr, sizeof(unsigned long));
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::umask(static_cast<mode_t>(p.umask));
    if (::dup2(p.in, STDIN_FILENO) < 0) refuse(Refusal::At::setup);
    if (p.out >= 0 && (::dup2(p.out, STDOUT_FILENO) < 0 || ::dup2(p.err, STDERR_FILENO) < 0)) refuse(Refusal::At::setup);
    if (*p.directory != '\0' && ::chdir(p.directory) != 0) refuse(Refusal::At::directory);
    ::execve(p.argv[0], p.argv.data(), p.env.data());
    refuse(Refusal::At::exec);
    ::_exit(127);
}

// A copy of this process's page tables would cost more than most programs that are started. So the child has our memory until
// it is its program, and no handler of ours may run in it meanwhile. A function of its own: what is in registers here, vfork
// spoils.
[[gnu::noinline]] pid_t start(const Prepared& p) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork): see become()
    if (pid == 0) become(p);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return pid;
}

Error explain(const Refusal& r, const Child& child) {
    const std::string why = std::strerror(r.error);
    if (r.at == Refusal::At::directory) return {Errc::io, "cannot enter " + child.directory + ": " + why};
    if (r.at == Refusal::At::setup) return {Errc::io, "cannot set up a child process: " + why};
    const bool absent = r.error == ENOENT || r.error == ENOTDIR;
    return {absent ? Errc::no_such : Errc::not_permitted, "cannot execute " + child.argv[0] + ": " + why};
}

// One started child: its pipes, its clock, its end. The destructor leaves no process of the group behind.
class Running {
public:
    Running(const Child& child, pid_t pid, Fd pidfd, Fd out, Fd err)
        : child_(child), pid_(pid), pidfd_(std::move(pidfd)), out_(std::move(out)), err_(std::move(err)) {
        for (const auto* fd : {&out_, &err_})
            if (fd->open()) ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
    }
    Running(const Running&) = delete;
    ~Running() {
        if (pid_ == 0) return;
        kill_group();
        ::waitpid(pid_, nullptr, 0);
    }

    Result<Ended> finish() {
        std::int64_t due = child_.timeout_ms > 0 ? boottime_ms() + child_.timeout_ms : -1;
        for (;;) {
            const auto left = due < 0 ? -1 : std::max<std::int64_t>(0, due - boottime_ms());
            if (left == 0) {
                ::kill(-pid_, ended_.timed_out ? SIGKILL : SIGTERM);
                due = ended_.timed_out ? -1 : boottime_ms() + grace_ms;
                ended_.timed_out = true;
                continue;
            }
            const auto gone = wait(left);
            if (!gone) return fail(gone.error());
            if (*gone) break;
        }
        if (auto drained = drain(); !drained) return fail(drained.error());
        kill_group();
        ::waitpid(pid_, &ended_.status, 0);
        pid_ = 0;
        return std::move(ended_);
    }

private:
    // Before the leader is reaped: until then the group's number is still its own.
    void kill_group() const { ::kill(-pid_, SIGKILL); }
    // Waits for output or the end; true at the end.
    Result<bool> wait(std::int64_t ms) {
        std::array<pollfd, 3> fds{pollfd{pidfd_.get(), POLLIN, 0}, pollfd{out_.get(), POLLIN, 0},
                                  pollfd{err_.get(), POLLIN, 0}};
        const int n = ::poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(ms, 1 << 30)));
        if (n < 0 && errno != EINTR) return fail(Errc::io, std::string("poll: ") + std::strerror(errno));
        if (n <= 0) return false;
        if (auto drained = drain(); !drained) return fail(drained.error());
        return fds[0].revents != 0;
    }
    Status drain() {
        if (auto s = drain(out_, ended_.out); !s) return s;
        return drain(err_, ended_.err);
    }
    Status drain(Fd& from, std::string& to) {
        std::array<char, 65536> block;
        while (from.open()) {
            const auto n = ::read(from.get(), block.data(), block.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return {};
            if (n <= 0) {
                from.reset();
                return {};
            }
            if (ended_.out.size() + ended_.err.size() + static_cast<std::size_t>(n) > child_.max_output)
                return fail(Errc::invalid_argument,
                            child_.argv[0] + " wrote more than " + std::to_string(child_.max_output) + " bytes");
            to.append(block.data(), static_cast<std::size_t>(n));
        }
        return {};
    }

    const Child& child_;
    pid_t pid_;
    Fd pidfd_, out_, err_;
    Ended ended_;
};

}  // namespace

Result<Ended> run(const Child& child) {
    if (child.argv.empty()) return fail(Errc::invalid_argument, "no command was given");
    auto in = child.input_fd >= 0 ? Result<Fd>{} : open_input(child.input);
    if (!in) return fail(in.error());
    auto out = make_pipe(), err = make_pipe(), report = make_pipe();
    for (const auto* p : {&out, &err, &report})
        if (!*p) return fail(p->error());

    const Prepared prepared{.argv = pointers(child.argv),
                            .env = pointers(child.environment),
                            .directory = child.directory.c_str(),
                            .in = in->open() ? in->get() : child.input_fd,
                            .out = child.inherit_output ? -1 : out->write.get(),
                            .err = child.inherit_output ? -1 : err->write.get(),
                            .report = report->write.get(),
                            .umask = child.umask};
    const pid_t pid = start(prepared);
    if (pid < 0) return fail(Errc::unavailable, std::string("vfork: ") + std::strerror(errno));

    ::setpgid(pid, pid);  // as the child does: whoever comes first
    for (auto* p : {&*report, &*out, &*err}) p->write.reset();
    if (child.inherit_output) {
        out->read.reset();
        err->read.reset();
    }
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const bool watched = pidfd.open();
    Running running(child, pid, std::move(pidfd), std::move(out->read), std::move(err->read));
    if (!watched) return fail(Errc::io, std::string("pidfd_open: ") + std::strerror(errno));
    Refusal refusal{};
    ssize_t n = 0;
    do n = ::read(report->read.get(), &refusal, sizeof refusal);
    while (n < 0 && errno == EINTR);
    if (n == sizeof refusal) return fail(explain(refusal, child));
    return running.finish();
}

}  // namespace orchd::host
