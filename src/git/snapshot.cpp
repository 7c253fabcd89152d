// The state of a clone right after its checkout.
#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <ctime>

#include "git/call.h"
#include "git/run_side.h"
#include "git/stamp.h"

namespace orchd::git {
namespace {

constexpr std::int64_t billion = 1'000'000'000;

std::int64_t ns(const timespec& time) { return time.tv_sec * billion + time.tv_nsec; }

// File systems take their times from this clock, which stands still between two ticks of the kernel. A clock that is turned
// back meanwhile is not waited for.
void await_time_after(std::int64_t moment) {
    constexpr int most_looks = 1200;
    constexpr timespec a_while{0, 1'000'000};
    timespec now{};
    for (int i = 0; i < most_looks; ++i) {
        ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
        if (ns(now) > moment) return;
        ::nanosleep(&a_while, nullptr);
    }
}

Call in(const std::string& clone, std::vector<std::string> args) {
    return {.repository = clone + "/.git",
            .args = std::move(args),
            .environment = {"GIT_WORK_TREE=" + clone, "GIT_OPTIONAL_LOCKS=0"},
            .timeout_s = 600};
}

// Git looks into a file again that is not older than its index, by whole seconds. Where attributes say that its line ends
// should be others, it then counts as changed although nobody touched it, and the next `git add --all` rewrites it. An index
// that is a second younger than all files spares the run's own git that.
Status settle_index(const std::string& clone) {
    const auto attributes = output(in(clone, {"ls-files", "-z", "--", ".gitattributes", "**/.gitattributes"}));
    if (!attributes) return fail(attributes.error());
    if (attributes->empty()) return {};
    const auto clean = call(in(clone, {"diff-files", "--quiet"}));
    if (!clean) return fail(clean.error());
    if (clean->status == 0) return {};
    const auto index = clone + "/.git/index";
    const auto stamp = stamp_of(index);
    if (!stamp) return fail(Errc::io, index + " is not there");
    await_time_after((stamp->modified_ns / billion + 1) * billion - 1);
    return ::utimensat(AT_FDCWD, index.c_str(), nullptr, 0) == 0 ? Status{} : Status(fail(Errc::io, "cannot touch " + index));
}

}  // namespace

std::optional<Stamp> stamp_of(const std::string& path) {
    struct stat seen {};
    if (::lstat(path.c_str(), &seen) != 0) return std::nullopt;
    return Stamp{seen.st_ino, static_cast<std::uint64_t>(seen.st_size), seen.st_mode, ns(seen.st_mtim), ns(seen.st_ctim)};
}

Result<Snapshot> take_snapshot(const std::string& clone) {
    if (auto settled = settle_index(clone); !settled) return fail(settled.error());
    const auto listed = output(in(clone, {"ls-files", "-z"}));
    if (!listed) return fail(listed.error());
    Snapshot all;
    std::int64_t newest = 0;
    for (auto& path : split(*listed, '\0')) {
        const auto stamp = stamp_of(clone + '/' + path);
        if (!stamp) continue;
        newest = std::max(newest, stamp->changed_ns);
        all.emplace(std::move(path), *stamp);
    }
    await_time_after(newest);
    return all;
}

}  // namespace orchd::git
