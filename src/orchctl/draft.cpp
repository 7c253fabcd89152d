#include "orchctl/draft.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "host/fd.h"

namespace orchd::orchctl {

Error file_error(const std::string& file) {
    const int reason = errno;
    const auto code = reason == EACCES || reason == EPERM || reason == EROFS ? Errc::not_permitted : Errc::io;
    return {code, file + ": " + std::strerror(reason) + (code == Errc::not_permitted ? ". Run this as root." : "")};
}

Result<Draft> Draft::write(const std::string& dir, const std::string& name, const std::string& text, const struct stat* like) {
    std::string path = dir + "/." + name + ".XXXXXX";
    const host::Fd fd(::mkostemp(path.data(), O_CLOEXEC));
    if (!fd.open()) return fail(file_error(dir));
    Draft draft(path);
    const bool whole = ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (!whole || (like != nullptr && ::fchown(fd.get(), like->st_uid, like->st_gid) != 0) ||
        ::fchmod(fd.get(), like == nullptr ? 0644 : like->st_mode & 07777U) != 0 || ::fsync(fd.get()) != 0)
        return fail(file_error(path));
    return draft;
}

Draft::Draft(Draft&& other) noexcept : path_(std::exchange(other.path_, {})) {}

Draft::~Draft() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

Status Draft::take_free_name(const std::string& file) {
    if (::link(path_.c_str(), file.c_str()) == 0) return {};
    if (errno == EEXIST) return fail(Errc::conflict, file + " is there already: the name is taken.");
    return fail(file_error(file));
}

Status Draft::replace(const std::string& file) {
    if (::rename(path_.c_str(), file.c_str()) != 0) return fail(file_error(file));
    path_.clear();
    return {};
}

}  // namespace orchd::orchctl
