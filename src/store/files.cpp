#include "store/files.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace orchd::store {
namespace {

Status sync(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    if (!synced) return fail(Errc::io, path + ": " + why);
    return {};
}

}  // namespace

Status sync_file(const std::string& path) { return sync(path, O_RDONLY); }
Status sync_directory(const std::string& path) { return sync(path, O_RDONLY | O_DIRECTORY); }

Status rename_durably(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0) return fail(Errc::io, to + ": " + std::strerror(errno));
    return sync_directory(std::filesystem::path(to).parent_path().string());
}

}  // namespace orchd::store
