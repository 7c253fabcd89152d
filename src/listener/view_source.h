// What reading over HTTP looks at: the database, read-only, with the settings and projects beside it. Opened when it is first
// asked for, and again when the file is another one; used by one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "views/views.h"

namespace orchd::listener {

struct ReadOptions {
    std::string database;
    std::function<Now()> now;
    std::function<settings::Reading()> read_settings;
    std::function<std::int64_t()> free_bytes;                  // on the database's file system
    std::function<Inodes()> inodes = [] { return Inodes{}; };  // of the same
};

class ViewSource {
public:
    explicit ViewSource(ReadOptions options) : options_(std::move(options)) {}

    // What there is to look at now; Errc::unavailable while there is no database to read. No statement of the caller's next
    // reading takes longer than two seconds: it is then broken off, as Errc::unavailable, so that no checkpoint waits for it.
    [[nodiscard]] Result<views::WorldView> look();
    [[nodiscard]] const std::string& database() const { return options_.database; }

private:
    using Clock = std::chrono::steady_clock;
    void refresh();
    [[nodiscard]] Status open();
    ReadOptions options_;
    std::optional<store::Db> db_;
    std::uint64_t inode_ = 0;  // of the file that is open
    settings::Reading reading_;
    std::optional<Clock::time_point> refreshed_;
    std::shared_ptr<Clock::time_point> latest_ = std::make_shared<Clock::time_point>();  // when a reading is broken off
};

}  // namespace orchd::listener
