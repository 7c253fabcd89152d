#pragma once

#include <sys/stat.h>
#include <string>

#include "core/error.h"

namespace orchd::orchctl {

// What errno says of a file; that it takes root where it does.
[[nodiscard]] Error file_error(const std::string& file);

// A file that is written whole beside its name and takes it then: a reader sees all of it, or what was there before. What has
// not taken its name is gone with this.
class Draft {
public:
    // In `dir`, with owner and mode of `like`, or the caller's and 0644.
    [[nodiscard]] static Result<Draft> write(const std::string& dir, const std::string& name, const std::string& text,
                                             const struct stat* like = nullptr);
    Draft(Draft&& other) noexcept;
    Draft& operator=(Draft&&) = delete;
    ~Draft();

    // Errc::conflict where the name is taken.
    [[nodiscard]] Status take_free_name(const std::string& file);
    // In place of what has the name.
    [[nodiscard]] Status replace(const std::string& file);

private:
    explicit Draft(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace orchd::orchctl
