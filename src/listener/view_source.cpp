#include "listener/view_source.h"

#include <sys/stat.h>

#include "store/worker_lock.h"

namespace orchd::listener {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_reading = 2s;
// Files of the administrator's are read again this often, while anybody asks.
constexpr auto refresh_every = 1s;
// Writers hold locks for milliseconds; a reader meets them only while a WAL is recovered.
constexpr int busy_timeout_ms = 1000;

std::uint64_t inode_of(const std::string& path) {
    struct stat seen {};
    return ::stat(path.c_str(), &seen) == 0 ? seen.st_ino : 0;
}

}  // namespace

Status ViewSource::open() {
    inode_ = inode_of(options_.database);
    auto db = store::Db::open(options_.database, {.mode = store::Mode::read_only, .busy_timeout_ms = busy_timeout_ms});
    if (!db) return fail(db.error());
    db->give_up_when([latest = latest_] { return Clock::now() > *latest; });
    db_.emplace(std::move(*db));
    return {};
}

void ViewSource::refresh() {
    const auto now = Clock::now();
    if (refreshed_ && now - *refreshed_ < refresh_every) return;
    refreshed_ = now;
    reading_ = options_.read_settings();
    if (db_ && inode_of(options_.database) != inode_) db_.reset();
}

Result<views::WorldView> ViewSource::look() {
    *latest_ = Clock::now() + longest_reading;
    refresh();
    if (!db_)
        if (auto opened = open(); !opened) return fail(Errc::unavailable, opened.error().text);
    return views::WorldView{.db = *db_,
                            .settings = reading_.settings,
                            .projects = reading_.projects,
                            .now = options_.now(),
                            .free_bytes = options_.free_bytes(),
                            .condition = &reading_.condition,
                            .inodes = options_.inodes(),
                            .worker_lives = store::worker_lives(options_.database)};
}

}  // namespace orchd::listener
