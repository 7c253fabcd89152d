#include "store/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace orchd::store {

std::string ballast_beside(const std::string& database) {
    return (std::filesystem::path(database).parent_path() / "ballast").string();
}

std::int64_t ballast_size(const std::string& path) {
    struct stat seen {};
    return ::lstat(path.c_str(), &seen) == 0 && S_ISREG(seen.st_mode) ? seen.st_size : 0;
}

Status lay_ballast(const std::string& path, std::int64_t bytes) {
    drop_ballast(path);
    if (bytes == 0) return {};
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (fd < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
    const int refused = ::posix_fallocate(fd, 0, bytes);
    ::close(fd);
    if (refused == 0) return {};
    drop_ballast(path);
    return fail(refused == ENOSPC || refused == EDQUOT ? Errc::no_space : Errc::io, path + ": " + std::strerror(refused));
}

void drop_ballast(const std::string& path) { (void)::unlink(path.c_str()); }

}  // namespace orchd::store
