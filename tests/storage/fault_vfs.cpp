#include "fault_vfs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <new>
#include <utility>

namespace orchd::tests {
namespace {

sqlite3_vfs* underlying() { return sqlite3_vfs_find(nullptr); }

// An open file: ours first, then that of the VFS below, in the memory that SQLite gives for both.
struct File {
    sqlite3_file base;
    FaultVfs* vfs;
    std::shared_ptr<FaultVfs::Disk>* disk;  // null for temporary files
    sqlite3_file* below;
};

File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* below(sqlite3_file* file) { return of(file).below; }

void apply(std::vector<char>& content, const FaultVfs::Change& change) {
    const auto offset = static_cast<std::size_t>(change.offset);
    if (!change.data) {
        content.resize(offset);
        return;
    }
    if (content.size() < offset + change.data->size()) content.resize(offset + change.data->size());
    std::copy(change.data->begin(), change.data->end(), content.begin() + change.offset);
}

int close_file(sqlite3_file* file) {
    delete of(file).disk;
    return below(file)->pMethods->xClose(below(file));
}

int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    if (const int fault = of(file).vfs->strike(); fault != SQLITE_OK) return fault == SQLITE_FULL ? SQLITE_IOERR_READ : fault;
    return below(file)->pMethods->xRead(below(file), to, size, offset);
}

int change_file(sqlite3_file* file, FaultVfs::Change change) {
    if (const int fault = of(file).vfs->strike(); fault != SQLITE_OK) return fault;
    auto* real = below(file);
    const int result =
        change.data ? real->pMethods->xWrite(real, change.data->data(), static_cast<int>(change.data->size()), change.offset)
                    : real->pMethods->xTruncate(real, change.offset);
    if (result == SQLITE_OK && of(file).disk != nullptr) (*of(file).disk)->unsynced.push_back(std::move(change));
    return result;
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    const auto* bytes = static_cast<const char*>(from);
    return change_file(file, {.offset = offset, .data = std::vector<char>(bytes, bytes + size)});
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) { return change_file(file, {.offset = size, .data = std::nullopt}); }

// Does not trouble the real disk: the page cache below is never cut.
int sync_file(sqlite3_file* file, int) {
    if (const int fault = of(file).vfs->strike(); fault != SQLITE_OK) return fault;
    if (of(file).disk == nullptr) return SQLITE_OK;
    auto& disk = **of(file).disk;
    for (const auto& change : disk.unsynced) apply(disk.synced, change);
    disk.unsynced.clear();
    disk.there = true;
    return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) { return below(file)->pMethods->xFileSize(below(file), size); }
int lock_file(sqlite3_file* file, int level) { return below(file)->pMethods->xLock(below(file), level); }
int unlock_file(sqlite3_file* file, int level) { return below(file)->pMethods->xUnlock(below(file), level); }
int check_reserved(sqlite3_file* file, int* reserved) {
    return below(file)->pMethods->xCheckReservedLock(below(file), reserved);
}
int control_file(sqlite3_file* file, int op, void* argument) {
    return below(file)->pMethods->xFileControl(below(file), op, argument);
}
int sector_size(sqlite3_file* file) { return below(file)->pMethods->xSectorSize(below(file)); }
int characteristics(sqlite3_file* file) { return below(file)->pMethods->xDeviceCharacteristics(below(file)); }
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** mapped) {
    return below(file)->pMethods->xShmMap(below(file), page, size, extend, mapped);
}
int lock_shared(sqlite3_file* file, int offset, int n, int flags) {
    return below(file)->pMethods->xShmLock(below(file), offset, n, flags);
}
void barrier(sqlite3_file* file) { below(file)->pMethods->xShmBarrier(below(file)); }
int unmap_shared(sqlite3_file* file, int remove) { return below(file)->pMethods->xShmUnmap(below(file), remove); }

// Version 2: no memory-mapped pages, which would go past us.
constexpr sqlite3_io_methods file_methods = {
    2,           close_file,  read_file,      write_file,   truncate_file, sync_file,       file_size,
    lock_file,   unlock_file, check_reserved, control_file, sector_size,   characteristics, map_shared,
    lock_shared, barrier,     unmap_shared,   nullptr,      nullptr};

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    auto& fault = *static_cast<FaultVfs*>(vfs->pAppData);
    auto* mine = new (file) File{};
    mine->below = reinterpret_cast<sqlite3_file*>(mine + 1);
    mine->vfs = &fault;
    auto disk = path == nullptr ? nullptr : fault.disk(path);
    const int result = underlying()->xOpen(underlying(), path, mine->below, flags, out_flags);
    if (result != SQLITE_OK) return result;
    mine->base.pMethods = &file_methods;
    if (disk != nullptr) mine->disk = new std::shared_ptr<FaultVfs::Disk>(std::move(disk));
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    auto& fault = *static_cast<FaultVfs*>(vfs->pAppData);
    if (const int struck = fault.strike(); struck != SQLITE_OK) return struck == SQLITE_FULL ? SQLITE_IOERR_DELETE : struck;
    fault.removed(path);
    return underlying()->xDelete(underlying(), path, sync_directory);
}
int access_file(sqlite3_vfs*, const char* path, int flags, int* result) {
    return underlying()->xAccess(underlying(), path, flags, result);
}
int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
    return underlying()->xFullPathname(underlying(), path, size, out);
}
int randomness(sqlite3_vfs*, int size, char* out) { return underlying()->xRandomness(underlying(), size, out); }
int nap(sqlite3_vfs*, int microseconds) { return underlying()->xSleep(underlying(), microseconds); }
int current_time(sqlite3_vfs*, double* now) { return underlying()->xCurrentTime(underlying(), now); }

std::vector<char> content_of(const std::string& path) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    std::vector<char> content(none ? 0 : size);
    std::ifstream(path, std::ios::binary).read(content.data(), std::ssize(content));
    return content;
}

}  // namespace

FaultVfs::FaultVfs(std::string name) : name_(std::move(name)) {
    vfs_.iVersion = 1;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + underlying()->szOsFile;
    vfs_.mxPathname = underlying()->mxPathname;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = open_file;
    vfs_.xDelete = delete_file;
    vfs_.xAccess = access_file;
    vfs_.xFullPathname = full_path;
    vfs_.xRandomness = randomness;
    vfs_.xSleep = nap;
    vfs_.xCurrentTime = current_time;
    sqlite3_vfs_register(&vfs_, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }

void FaultVfs::stop_at(int n) {
    fail_once_at(n, SQLITE_IOERR);
    for_good_ = true;
}

void FaultVfs::fail_once_at(int n, int result) {
    calls_until_fault_ = n;
    result_ = result;
    for_good_ = struck_ = false;
}

void FaultVfs::no_more_faults() { calls_until_fault_ = 0; }

int FaultVfs::strike() {
    if (calls_until_fault_ == 0) return SQLITE_OK;
    if (calls_until_fault_ > 1) {
        --calls_until_fault_;
        return SQLITE_OK;
    }
    struck_ = true;
    if (!for_good_) calls_until_fault_ = 0;
    return result_;
}

std::shared_ptr<FaultVfs::Disk> FaultVfs::disk(const char* path) {
    auto& known = disks_[path];
    // A file that was there before us is as durable as it will be.
    if (known == nullptr) {
        known = std::make_shared<Disk>();
        known->there = std::filesystem::exists(path);
        known->synced = content_of(path);
    }
    return known;
}

void FaultVfs::removed(const char* path) { disks_.erase(path); }

void FaultVfs::power_cut(std::mt19937* chance) {
    no_more_faults();
    for (auto& [path, disk] : disks_) {
        for (const auto& change : disk->unsynced) {
            if (chance == nullptr || (*chance)() % 2 == 0) continue;
            apply(disk->synced, change);
            disk->there = true;
        }
        if (disk->there)
            std::ofstream(path, std::ios::binary | std::ios::trunc).write(disk->synced.data(), std::ssize(disk->synced));
        else
            std::filesystem::remove(path);
        std::filesystem::remove(path + "-shm");  // lives in memory
    }
    disks_.clear();
}

}  // namespace orchd::tests
