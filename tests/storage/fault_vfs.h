// A disk for tests: an SQLite VFS over the default one that keeps unsynced writes apart.
//
// Programs see every write at once, as they do on a real machine; a power cut drops what no sync has covered, or lets some of
// it survive in any combination. Calls can be made to fail: one of them, or all from one on, as if the machine had stopped.
#pragma once

#include <sqlite3.h>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace orchd::tests {

class FaultVfs {
public:
    // Registers itself under `name`; unregisters when it goes. No connection may outlive it.
    explicit FaultVfs(std::string name);
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;
    ~FaultVfs();

    [[nodiscard]] const std::string& name() const { return name_; }
    // From the n-th call that touches a file's content on (1 is the next), every one fails.
    void stop_at(int n);
    // The n-th such call fails with `result`, the others do not.
    void fail_once_at(int n, int result);
    void no_more_faults();
    // Whether the fault that was asked for has come.
    [[nodiscard]] bool struck() const { return struck_; }

    // To be called when no connection is open: every file is again what was synced of it. With `chance` each unsynced write
    // survives or not, by its own toss.
    void power_cut(std::mt19937* chance = nullptr);

    // What the files of the VFS do; for the implementation.
    struct Change {
        std::int64_t offset = 0;
        std::optional<std::vector<char>> data;  // none: the file is cut to `offset` bytes
    };
    struct Disk {  // one file
        bool there = false;
        std::vector<char> synced;
        std::vector<Change> unsynced;
    };
    [[nodiscard]] std::shared_ptr<Disk> disk(const char* path);
    void removed(const char* path);
    // SQLITE_OK, or what this call is to fail with.
    [[nodiscard]] int strike();

private:
    std::string name_;
    sqlite3_vfs vfs_ = {};
    std::map<std::string, std::shared_ptr<Disk>> disks_;
    int calls_until_fault_ = 0;  // 0: none is asked for
    int result_ = SQLITE_OK;
    bool for_good_ = false, struck_ = false;
};

}  // namespace orchd::tests
