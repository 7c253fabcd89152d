#include "engine/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace orchd::engine {
namespace {

namespace fs = std::filesystem;

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

tl::unexpected<Error> failed(const std::string& what, const std::string& path) {
    return fail(Errc::io, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

File opened(int fd, const char* mode) {
    File file(fd < 0 ? nullptr : ::fdopen(fd, mode));
    if (!file && fd >= 0) ::close(fd);
    return file;
}

std::string temporary_name(const std::string& path) { return path + ".new"; }

Result<File> create(const std::string& path) {
    File file = opened(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), "w");
    if (!file || ::fchmod(::fileno(file.get()), 0644) != 0) return failed("write", path);
    return file;
}

Status rename_into_place(const std::string& path) {
    if (std::rename(temporary_name(path).c_str(), path.c_str()) != 0) return failed("write", path);
    return {};
}

Status sync_folder_of(const std::string& path) {
    const auto folder = fs::path(path).parent_path().string();
    File file = opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "r");
    if (!file || ::fsync(::fileno(file.get())) != 0) return failed("sync", folder);
    return {};
}

std::string result_folder(const std::string& left_dir) { return left_dir + "/result"; }

// The run could have put anything there: a symlink, a FIFO that blocks whoever opens it, a folder, a device.
Result<File> open_left(const std::string& folder, const std::string& name, std::uint64_t max_bytes) {
    File in = opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "r");
    if (!in && errno == ENOENT) return File{};
    if (!in) return fail(Errc::invalid_argument, "what the run left cannot be read: " + std::string(std::strerror(errno)));
    File file = opened(::openat(::fileno(in.get()), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), "r");
    if (!file && errno == ENOENT) return File{};
    struct stat seen {};
    if (!file || ::fstat(::fileno(file.get()), &seen) != 0 || !S_ISREG(seen.st_mode))
        return fail(Errc::invalid_argument, "the run's " + name + " is no regular file that can be read");
    if (static_cast<std::uint64_t>(seen.st_size) > max_bytes)
        return fail(Errc::invalid_argument, "the run's " + name + " is larger than " + std::to_string(max_bytes) + " bytes");
    return file;
}

// At most max_bytes, though the file may have grown since it was looked at.
template <class Take>
Status each_block(std::FILE* file, const std::string& name, std::uint64_t max_bytes, Take&& take) {
    std::array<char, 65536> block;
    std::uint64_t total = 0;
    while (const auto n = std::fread(block.data(), 1, block.size(), file)) {
        total += n;
        if (total > max_bytes) return fail(Errc::invalid_argument, "the run's " + name + " is too large");
        if (auto taken = take(std::string_view(block.data(), n)); !taken) return taken;
    }
    return std::ferror(file) != 0 ? Status(failed("read the run's", name)) : Status{};
}

}  // namespace

Status make_folder(const std::string& path) {
    std::string present;
    for (const auto& part : fs::path(path)) {
        present = (fs::path(present) / part).string();
        if (::mkdir(present.c_str(), 0755) == 0)
            ::chmod(present.c_str(), 0755);
        else if (errno != EEXIST)
            return failed("make the folder", present);
    }
    return {};
}

Status lay_file(const std::string& path, std::string_view content) {
    auto file = create(temporary_name(path));
    if (!file) return fail(file.error());
    const bool written = std::fwrite(content.data(), 1, content.size(), file->get()) == content.size();
    if (!written || std::fflush(file->get()) != 0) return failed("write", path);
    return rename_into_place(path);
}

Status lay_symlink(const std::string& path, const std::string& target) {
    const auto temporary = temporary_name(path);
    ::unlink(temporary.c_str());
    if (::symlink(target.c_str(), temporary.c_str()) != 0) return failed("make the link", path);
    return rename_into_place(path);
}

Result<std::optional<std::string>> read_result(const std::string& left_dir, const std::string& name, std::uint64_t max_bytes) {
    return read_left_file(result_folder(left_dir), name, max_bytes);
}

Result<std::optional<std::string>> read_left_file(const std::string& left_dir, const std::string& name,
                                                  std::uint64_t max_bytes) {
    auto file = open_left(left_dir, name, max_bytes);
    if (!file) return fail(file.error());
    if (!*file) return std::nullopt;
    std::string text;
    auto read = each_block(file->get(), name, max_bytes, [&](std::string_view block) -> Status {
        text += block;
        return {};
    });
    if (!read) return fail(read.error());
    return text;
}

Result<bool> has_result(const std::string& left_dir, const std::string& name, std::uint64_t max_bytes) {
    return open_left(result_folder(left_dir), name, max_bytes).map([](const File& file) { return file != nullptr; });
}

Result<bool> keep_result(const std::string& left_dir, const std::string& name, const std::string& to, std::uint64_t max_bytes) {
    auto from = open_left(result_folder(left_dir), name, max_bytes);
    if (!from) return fail(from.error());
    if (!*from) return false;
    auto file = create(temporary_name(to));
    if (!file) return fail(file.error());
    auto copied = each_block(from->get(), name, max_bytes, [&](std::string_view block) -> Status {
        if (std::fwrite(block.data(), 1, block.size(), file->get()) != block.size()) return failed("write", to);
        return {};
    });
    if (!copied) {
        ::unlink(temporary_name(to).c_str());
        return fail(copied.error());
    }
    if (std::fflush(file->get()) != 0 || ::fsync(::fileno(file->get())) != 0) return failed("write", to);
    if (auto renamed = rename_into_place(to); !renamed) return fail(renamed.error());
    if (auto synced = sync_folder_of(to); !synced) return fail(synced.error());
    return true;
}

}  // namespace orchd::engine
