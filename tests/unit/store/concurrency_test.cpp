// Several processes at one file, as in production.
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <thread>

#include "store/check.h"
#include "store_fixture.h"

namespace orchd::store {
namespace {

using namespace std::chrono_literals;

// A child's side of the talk with its parent.
class Parent {
public:
    Parent(int from, int to) : from_(from), to_(to) {}
    void tell(std::int64_t number) const {
        if (::write(to_, &number, sizeof number) != sizeof number) ::_exit(98);
    }
    void await_go() const {
        char go = 0;
        if (::read(from_, &go, 1) != 1) ::_exit(97);
    }
    [[nodiscard]] bool says_go() const {
        pollfd waiting{from_, POLLIN, 0};
        return ::poll(&waiting, 1, 0) > 0;
    }

private:
    int from_, to_;
};

// A child process whose exit status is what `work` returns. SQLite's connections do not survive a fork: none may be open.
class Child {
public:
    explicit Child(const std::function<int(const Parent&)>& work) {
        int down[2];
        int up[2];
        if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(down[1]);
            ::close(up[0]);
            int status = 99;
            try {
                status = work(Parent(down[0], up[1]));
            } catch (const std::exception& e) {
                ::dprintf(STDERR_FILENO, "child: %s\n", e.what());
            }
            ::_exit(status);
        }
        ::close(down[0]);
        ::close(up[1]);
        to_ = down[1];
        from_ = up[0];
    }
    Child(Child&& other) noexcept
        : pid_(std::exchange(other.pid_, 0)), from_(std::exchange(other.from_, -1)), to_(std::exchange(other.to_, -1)) {}
    Child(const Child&) = delete;
    ~Child() {
        if (from_ >= 0) ::close(from_);
        if (to_ >= 0) ::close(to_);
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    void go() const {
        if (::write(to_, "g", 1) != 1) throw std::runtime_error("the child is gone");
    }
    // The next number it told; nothing at its end.
    [[nodiscard]] std::optional<std::int64_t> hear() const {
        std::int64_t number = 0;
        if (::read(from_, &number, sizeof number) != sizeof number) return std::nullopt;
        return number;
    }
    int exit_status() {
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_ = 0;
    int from_ = -1, to_ = -1;
};

class ConcurrencyTest : public StoreTest {
protected:
    void close_database() { Db closing = std::move(db); }
    void open_database() { db = must(Db::open(path, {})); }
    // Takes jobs one by one until there are none, telling each; 0, or 1 at an error.
    static int claim_until_empty(const std::string& path, const Limits& with, const Parent& parent) {
        Db own = must(Db::open(path, {}));
        for (;;) {
            auto claims = own.write([&](Tx& tx) { return claim(tx, with, 3, monday); });
            if (!claims) return 1;
            if (claims->empty()) return 0;
            for (const auto& c : *claims) parent.tell(c.job.id);
        }
    }
};

TEST_F(ConcurrencyTest, NoJobIsClaimedTwice_R07) {
    constexpr int jobs = 150;
    for (int n = 1; n <= jobs; ++n) (void)ask(task("HELLO-" + std::to_string(n)), Role::developer);
    const auto with = limits();
    close_database();
    std::vector<Child> workers;
    for (int n = 0; n < 4; ++n)
        workers.emplace_back([&](const Parent& parent) { return claim_until_empty(path, with, parent); });
    std::multiset<std::int64_t> claimed;
    for (auto& worker : workers) {
        while (const auto id = worker.hear()) claimed.insert(*id);
        EXPECT_EQ(worker.exit_status(), 0);
    }
    open_database();
    EXPECT_EQ(claimed.size(), static_cast<std::size_t>(jobs));
    EXPECT_EQ(std::set(claimed.begin(), claimed.end()).size(), static_cast<std::size_t>(jobs));
    EXPECT_EQ(number("SELECT count(DISTINCT run_id) FROM jobs WHERE status = 'running'"), jobs);
}

TEST_F(ConcurrencyTest, NoLimitIsPassedByThreadsThatClaimAtOnce_R07) {
    for (int n = 1; n <= 40; ++n) (void)ask(task("HELLO-" + std::to_string(n)), Role::developer);
    const auto with = limits(7);
    std::vector<std::size_t> taken(4);
    std::vector<std::jthread> threads;
    for (auto& mine : taken) {
        threads.emplace_back([&mine, &with, this] {
            Db own = must(Db::open(path, {}));
            for (int n = 0; n < 10; ++n) mine += must(own.write([&](Tx& tx) { return claim(tx, with, 2, monday); })).size();
        });
    }
    threads.clear();
    std::size_t total = 0;
    for (const auto mine : taken) total += mine;
    EXPECT_EQ(total, 7U);
}

TEST_F(ConcurrencyTest, EightWritersAndALongReaderMeetNoErrorAndTheWalIsResetWhenTheReaderGoes) {
    constexpr int writers = 8;
    constexpr int commits = 250;
    constexpr int pages = 40;
    const auto write_much = [&](int n, const Parent& parent) {
        parent.await_go();
        Db own = must(Db::open(path, {.mode = Mode::read_write, .checkpoint_pages = pages}));
        for (int done = 1; done <= commits; ++done) {
            auto counted = own.write([&](Tx& tx) -> Status {
                const auto key = "writer" + std::to_string(n);
                auto put =
                    put_state(tx, {.key = key + "-text", .value = std::string(12'000, 'x'), .by = "", .reason = "", .at = 0});
                return put ? add_to_counter(tx, key, 1, monday) : put;
            });
            if (!counted) {
                ::dprintf(STDERR_FILENO, "writer: %s\n", counted.error().text.c_str());
                return 1;
            }
            if (done == commits / 4) parent.tell(done);
        }
        return 0;
    };
    close_database();
    std::vector<Child> children;
    for (int n = 0; n < writers; ++n) children.emplace_back([&, n](const Parent& parent) { return write_much(n, parent); });
    open_database();
    must(db.read([&](Db& d) -> Status {
        (void)must(find_state(d, "writer0"));  // from here on its snapshot pins the WAL
        for (const auto& child : children) child.go();
        for (const auto& child : children) EXPECT_EQ(child.hear(), commits / 4);
        EXPECT_EQ(must(find_state(d, "writer0")), std::nullopt);
        return {};
    }));
    for (auto& child : children) EXPECT_EQ(child.exit_status(), 0);
    for (int n = 0; n < writers; ++n)
        EXPECT_EQ(must(find_state(db, "writer" + std::to_string(n)))->value, std::to_string(commits));
    // The frames in use, not the file: that keeps its length until it is cut. Without a reset they would be all the pages
    // written since the reader went, several thousand.
    int in_wal = 0;
    ASSERT_EQ(sqlite3_wal_checkpoint_v2(db.raw(), "main", SQLITE_CHECKPOINT_PASSIVE, &in_wal, nullptr), SQLITE_OK);
    EXPECT_LT(in_wal, 20 * pages);
    EXPECT_TRUE(must(integrity_problems(db)).empty());
}

// How often the WAL was begun anew: the checkpoint sequence number of its header (https://sqlite.org/fileformat2.html, "The
// Write-Ahead Log"), big-endian at offset 12.
std::uint32_t times_begun_anew(const std::string& wal) {
    std::array<unsigned char, 16> header{};
    std::ifstream(wal, std::ios::binary).read(reinterpret_cast<char*>(header.data()), header.size());
    return std::uint32_t{header[12]} << 24 | std::uint32_t{header[13]} << 16 | std::uint32_t{header[14]} << 8 | header[15];
}

// Eight processes write until all is seen; five readers, one after the other, or as many as there are in a minute with
// tests/run soak.
TEST_F(ConcurrencyTest, EightWritingProcessesMeetNoBusyAndTheWalIsBegunAnewBetweenTwoLongReaders) {
    const auto* asked = std::getenv("ORCHD_WRITERS_S");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(asked == nullptr ? 0 : std::atoi(asked));
    constexpr int writers = 8;
    const auto write_on = [&](int n, const Parent& parent) {
        Db own = must(Db::open(path, {}));
        std::int64_t commits = 0;
        for (; !parent.says_go(); ++commits) {
            auto put = own.write([&](Tx& tx) {
                return put_state(tx, {.key = "writer" + std::to_string(n), .value = std::string(4000, 'x'), .at = commits});
            });
            if (put) continue;
            ::dprintf(STDERR_FILENO, "writer: %s\n", put.error().text.c_str());
            return 1;
        }
        parent.tell(commits);
        return 0;
    };
    close_database();
    std::vector<Child> children;
    for (int n = 0; n < writers; ++n) children.emplace_back([&, n](const Parent& parent) { return write_on(n, parent); });
    open_database();
    std::uintmax_t longest = 0;
    for (int readers = 0; readers < 5 || std::chrono::steady_clock::now() < end; ++readers) {
        must(db.read([&](Db& d) -> Status {
            (void)must(find_state(d, "writer0"));
            std::this_thread::sleep_for(400ms);  // this long it pins the WAL
            return {};
        }));
        longest = std::max(longest, std::filesystem::file_size(path + "-wal"));
        const auto before = times_begun_anew(path + "-wal");
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        while (times_begun_anew(path + "-wal") == before && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(5ms);
        EXPECT_NE(times_begun_anew(path + "-wal"), before) << "reader " << readers;
    }
    std::int64_t commits = 0;
    for (auto& child : children) {
        child.go();
        commits += child.hear().value_or(0);
        EXPECT_EQ(child.exit_status(), 0);
    }
    must(db.checkpoint());
    std::cout << commits << " commits of 8 processes, no BUSY; the WAL was " << longest / 1024 << " KiB at most, "
              << std::filesystem::file_size(path + "-wal") << " bytes afterwards\n";
    EXPECT_EQ(std::filesystem::file_size(path + "-wal"), 0U);
    EXPECT_TRUE(must(integrity_problems(db)).empty());
}

TEST_F(ConcurrencyTest, AWriterThatStandsStillMakesTheOthersFailInTimeNotHang) {
    close_database();
    Child stopped([&](const Parent& parent) {
        Db own = must(Db::open(path, {}));
        auto done = own.write([&](Tx& tx) -> Status {
            auto put = put_state(tx, {.key = "slow", .value = "1", .by = "", .reason = "", .at = 0});
            parent.tell(1);
            ::raise(SIGSTOP);
            return put;
        });
        return done ? 0 : 1;
    });
    ASSERT_EQ(stopped.hear(), 1);
    Db impatient = must(Db::open(path, {.mode = Mode::read_write, .busy_timeout_ms = 50}));
    auto tried = impatient.write([](Tx& tx) { return ensure_project(tx, "hello"); });
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, Errc::unavailable);
    auto checkpointed = impatient.checkpoint();
    ASSERT_FALSE(checkpointed);
    EXPECT_EQ(checkpointed.error().code, Errc::unavailable);
    ::kill(stopped.pid(), SIGCONT);
    EXPECT_EQ(stopped.exit_status(), 0);
    must(impatient.write([](Tx& tx) { return ensure_project(tx, "hello"); }));
    must(impatient.checkpoint());
    EXPECT_TRUE(must(find_state(impatient, "slow")));
}

TEST_F(ConcurrencyTest, ManyMakeTheSameFileAtOnce) {
    const auto fresh = folder / "fresh.db";
    close_database();
    std::vector<Child> children;
    for (int n = 0; n < 6; ++n) {
        children.emplace_back([&](const Parent&) {
            auto opened = Db::open(fresh, {.mode = Mode::create});
            if (!opened) ::dprintf(STDERR_FILENO, "create: %s\n", opened.error().text.c_str());
            return opened ? 0 : 1;
        });
    }
    for (auto& child : children) EXPECT_EQ(child.exit_status(), 0);
    Db opened = must(Db::open(fresh, {}));
    EXPECT_TRUE(must(integrity_problems(opened)).empty());
}

TEST_F(ConcurrencyTest, AKilledWriterLeavesNothingHalfAndNothingLocked_R11) {
    for (int round = 0; round < 10; ++round) {
        close_database();
        Child writer([&](const Parent& parent) {
            Db own = must(Db::open(path, {.mode = Mode::read_write, .checkpoint_pages = 10}));
            for (int n = 0;; ++n) {
                must(own.write([&](Tx& tx) -> Status {
                    auto left = add_to_counter(tx, "left", 1, monday);
                    return left ? add_to_counter(tx, "right", 1, monday) : left;
                }));
                parent.tell(n);
            }
            return 0;
        });
        for (int n = 0; n < 5 + round; ++n) ASSERT_TRUE(writer.hear());
        ::kill(writer.pid(), SIGKILL);
        EXPECT_EQ(writer.exit_status(), 128 + SIGKILL);
        open_database();
        EXPECT_EQ(must(find_state(db, "left"))->value, must(find_state(db, "right"))->value);
        (void)project("p" + std::to_string(round));
    }
    must(db.checkpoint());
    EXPECT_TRUE(must(integrity_problems(db)).empty());
}

}  // namespace
}  // namespace orchd::store
